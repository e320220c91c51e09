/* installer/sums.h - lists of digests, as sha256sum(1) writes them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Loads the list at @place, a URL or an absolute path, and looks for the file @name.
 *
 *  Returns: (transfer full): its digest; or NULL with UNTRUSTED (the list does not name it) or an
 *  error of http_get() set. */
char *sums_digest(const char *place, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
