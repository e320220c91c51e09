/* base/process.h - run a program and know how it ended
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
	PROCESS_DEFAULT = 0,
	PROCESS_UNINTERRUPTED = 1 << 0, /* a signal to us does not end it: package managers */
	PROCESS_SURVIVES = 1 << 1,      /* it goes on if we are killed: package managers */
	PROCESS_ON_TERMINAL = 1 << 2,   /* inherits our stdin, stdout, stderr and process group */
} ProcessFlags;

/**
 * One program run.  The program gets: an absolute path (never a shell), /dev/null or
 * @input as stdin, a clean environment, its own process group, no descriptor of ours,
 * umask 022.  Everything is (transfer none) and may be NULL or 0 but argv.
 */
typedef struct {
	const char *const *argv; /* argv[0] is absolute, from process_find() */
	const char *const *env;  /* "NAME=value" added to, or "NAME" removed from, the clean one */
	const char *cwd;         /* default "/" */
	GBytes *input;           /* for secrets: written to stdin, then closed */
	guint timeout_ms;        /* 0: 60,000 */
	gsize max_output_bytes;  /* kept of each stream, the last bytes win; 0: 1 MiB */
	ProcessFlags flags;
	void (*on_line)(const char *line,
	                gpointer data); /* each line of stdout and stderr, masked */
	gpointer data;
} ProcessSpec;

typedef struct {
	int exit_code; /* -1 when a signal ended it */
	int signal;    /* 0 when it exited */
	char *out;     /* NUL-terminated */
	char *err;
	bool was_cut; /* output was longer than max_output_bytes */
} ProcessResult;

void process_result_clear(ProcessResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcessResult, process_result_clear)

/**
 * Runs a program to its end; blocks.  The whole process group gets SIGTERM, then after 5 s
 * SIGKILL, when the deadline passes or the run is cancelled (base/cancel.h).
 *
 * Returns: true when it ran and ended, whatever its status; false with UNAVAILABLE (cannot be
 * started), DEADLINE, or INTERRUPTED, TERMINATED, HANGUP set.
 */
bool process_run(const ProcessSpec *spec, ProcessResult *result,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * As process_run(), and an exit status other than 0 is an error too (UNAVAILABLE; the message
 * ends with the last lines of stderr, masked).
 *
 * Returns: (transfer full): what it wrote to stdout, without trailing line breaks; or NULL.
 */
char *process_capture(const ProcessSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Finds a program on the fixed search path (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:
 * /sbin:/bin, then Homebrew's prefixes); never on $PATH.  A file that others than root and
 * ourselves can write, or that lies in such a directory, is passed over.
 *
 * Returns: (transfer full) (nullable): its absolute path.
 */
char *process_find(const char *name);

/** Returns: (transfer full): the clean environment that children get, as "NAME=value": PATH fixed;
 *  HOME, USER, LOGNAME, LANG=C.UTF-8, TERM, XDG_*, proxy, CA bundle, DOCKER_HOST and
 *  DOCKER_CONFIG, DBUS_SESSION_BUS_ADDRESS kept when set; nothing else. */
char **process_environment(void);
