/* installer/check_page.h - what the checks found, as a page that can be handed on
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/findings.h"

/**
 * Returns: (transfer full): the page.  It names no user, no home directory and no host: not those of this
 * machine, nor those of the one that was judged, as far as its facts tell them.
 *
 * @home: of the user of this machine.
 */
char *check_page(const FindingsReport *report, const char *home);

/** Writes the page to @path, in the place of what was there.  Returns: false with an error of
 *  file_write() set. */
bool check_page_write(const char *path, const FindingsReport *report, const char *home,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
