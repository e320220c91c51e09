/* installer/engine_logs.h - what containers wrote, out of the engine's stream
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Longest line that is kept; what is longer is cut.  Source: our own bound. */
#define LOG_LINE_MAX_BYTES ((gsize)64 * 1024)

/** One line: "2026-01-31T12:00:00.123456789Z", which sorts as text, and what was written, without
 *  colours and control bytes. */
typedef struct {
	char *time;
	char *text;
	bool is_error; /* it was written to stderr */
} LogEntry;

void log_entry_free(gpointer data);

/** Takes the stream apart: frames of stdout and stderr, or one terminal's bytes. */
typedef struct LogReader LogReader;

/** @is_terminal: the container has one, so that its stream has no frames.
 *  @on_entry: gets each line, (transfer full). */
LogReader *log_reader_new(bool is_terminal, void (*on_entry)(gpointer to, LogEntry *entry),
                          gpointer to);
void log_reader_free(LogReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogReader, log_reader_free)

/** Takes the next bytes, as on_data of engine_read() with the LogReader as @reader.  Returns: false with
 *  DATA set when that is no such stream. */
bool log_reader_feed(gpointer reader, const void *data, gsize size_bytes, GError **error);

/** Hands over what came behind the last line break. */
void log_reader_end(LogReader *reader);

/** Returns: (transfer full): the request for what @container wrote: its last @lines (-1: all). */
char *log_path_of(const char *container, gint64 lines, bool is_followed);

/** Returns: whether @container has a terminal; false when the engine does not say. */
bool log_has_terminal(const char *endpoint, const char *container);

/** Returns: (transfer full) (element-type utf8): its last @lines, those of stderr and stdout by time;
 *  fewer, or none, when they cannot be had. */
GPtrArray *log_tail(const char *endpoint, const char *container, guint lines);
