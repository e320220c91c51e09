/* keystore/choice.h - which back end was chosen, by the first write
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * Reads what was chosen for the store at @path: the record beside it (PATH.backend, a line with the
 * name), else "file" where the store file is.
 *
 * @name: (out) (transfer full): NULL when nothing was chosen yet.
 * Returns: false with CORRUPT (it has no name in it), or as vault_read() set.
 */
bool choice_read(const char *path, char **name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Writes the record, under the lock of the store, unless something was chosen meanwhile.
 *
 * @chosen: (out) (transfer full): what is chosen now: @name, or what another process was faster with.
 */
bool choice_record(const char *path, const char *name, char **chosen,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes the record, if it says @name, and the lock file, if it guards nothing any more. */
bool choice_forget(const char *path, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
