/* installer/lifecycle_logs.h - what the services of a stack write, merged by time
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/engine_logs.h"

/** Whose lines: one container. */
typedef struct {
	char *service;
	char *engine;
	char *container;
} LogSource;

void log_source_free(gpointer data);

/** What a merge hears of each line, in the order of time; with no entry, that none came for a moment.
 *  False ends it. */
typedef bool (*LogSink)(gpointer to, const LogSource *source,
                        const LogEntry *entry /* (nullable) */);

/**
 * Reads the last @lines (-1: all) of each of @sources (element-type LogSource) side by side and hands
 * them over merged by time.  With @is_followed it goes on with what comes, until all containers end, a
 * signal comes or @sink has enough; lines that come at the same time from several are merged as long as
 * they are not older than 200 ms.
 *
 * Returns: false with the error of engine_read(), the first of them, or a cancellation set.
 */
bool logs_merge(const GPtrArray *sources, gint64 lines, bool is_followed, LogSink sink, gpointer to,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
