/* base/log.h - the log file of one run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * Opens @directory/@name (0600, appended) and removes all but the newest 10 logs there.
 * Until it is opened, and after log_close(), log_line() does nothing.  One log for each process.
 */
bool log_open(const char *directory, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes "wall-clock-time monotonic-ms who: text" in one write, masked (base/secret.h), control
 *  bytes escaped.  Thread-safe; never fails the caller. */
void log_line(const char *who, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Returns: (transfer none) (nullable): the path of the open log. */
const char *log_path(void);

/** Closes the log; log_line() does nothing from then on. */
void log_close(void);
