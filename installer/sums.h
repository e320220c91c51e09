/* installer/sums.h - lists of digests, as sha256sum(1) writes them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Loads the list from the first of @places, URLs or absolute paths, that has one with the file @name.
 *
 *  Returns: (transfer full): its digest; or NULL with UNTRUSTED (the list does not name it) or an
 *  error of http_get() set. */
char *sums_digest(const char *const *places, const char *name,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
