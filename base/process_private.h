/* base/process_private.h - the parts of process.c; private to it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/process.h"

/** What arrives on stdout or stderr: its last bytes, and its lines as they come. */
typedef struct {
	int fd;          /* owned; -1 once the other end is closed */
	bool is_file;    /* a file that grows, instead of a pipe */
	off_t offset;    /* in that file */
	const char *who; /* for the log */
	const ProcessSpec *spec;
	gsize max_bytes;
	GByteArray *kept;
	bool was_cut;
	GString *line; /* begun, not ended */
	bool is_overlong;
	bool was_return; /* the byte before was '\r' */
} ProcessStream;

/** Makes a stream of the child of @spec; nothing arrives until fd is set. */
void process_stream_init(ProcessStream *stream, const ProcessSpec *spec);

/** Takes what has arrived; never blocks, and returns in between when it is much. */
void process_stream_read(ProcessStream *stream);

/** Takes the rest of a file, and ends the last line.
 *  Returns: (transfer full): the bytes that were kept, NUL-terminated. */
char *process_stream_finish(ProcessStream *stream);
void process_stream_clear(ProcessStream *stream);

/** Between fork and exec: the kernel is to kill this process when @parent, the process that
 *  forked it, dies; it ends at once when that has happened already.  Async-signal-safe. */
void process_die_with(pid_t parent);

/** Makes the orphans of our children our own children, so that they can be reaped even where
 *  process 1 does not do that: in a container it may be us. */
void process_adopt_orphans(void);

/** Returns: whether all members of the group may become root anyway. */
bool process_group_is_trusted(gid_t group);
