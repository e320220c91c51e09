/* installer/as_root.h - small changes that root alone can make
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Runs @argv as root (installer/privilege.h), uninterrupted, with @input (nullable) as its stdin.
 *
 *  Returns: false with CANNOT_CREATE (it failed; its last words are in the message) or an error of
 *  privilege_run() set. */
bool as_root_run(const char *const *argv, GBytes *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes @bytes to the file @path, mode 0644; its directory is made if need be. */
bool as_root_put(const char *path, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes @text into @path, which is there: a setting of the kernel. */
bool as_root_set(const char *path, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a file. */
bool as_root_remove(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): what as_root_put(), as_root_set() and as_root_remove() run, as a plan shows
 *  it; the first two read the text from their stdin. */
char *as_root_put_line(const char *path);
char *as_root_set_line(const char *path);
char *as_root_remove_line(const char *path);
