/* installer/env_lines.h - "NAME=value" lines of a file that compose reads
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Largest file.  Source: our own bound. */
#define ENV_LINES_MAX_BYTES ((gsize)1024 * 1024)

/** Returns: (transfer full) (nullable): the value of the last line that assigns @name, without quotes around
 *  it; NULL when none does. */
char *env_lines_get(const char *text, const char *name);

/** Returns: (transfer full): @text with @value in every line that assigns @name; with a line more when none
 *  does.  What else it says stays. */
char *env_lines_set(const char *text, const char *name, const char *value);

/** Returns: (transfer full) (nullable): the file at @path; NULL with the errors of file_read() set. */
char *env_lines_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
