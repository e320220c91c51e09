/* installer/manual.h - the manual pages
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Returns: (transfer full): the file names of all pages: "slipway.1", "slipway-keys-set.1", ... */
char **manual_names(void);

/**
 * Makes one page, in mdoc(7), from the tables.
 *
 * @word: "slipway", the name of a command ("keys set"), "slipway.ini", "slipway-stack", or the
 * file name of a page.
 * Returns: (transfer full) (nullable): its text; NULL when there is no such page.
 */
char *manual_page(const char *word);

/** Writes every page below @directory, into man1/ and man5/, which are made.  Returns: false with
 *  CANNOT_CREATE, DENIED or IO set. */
bool manual_write(const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;
