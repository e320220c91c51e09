/* installer/package_brew.h - what brew says
 *
 * Never as root, no update by itself, formulae only: a cask may ask for a password in a window.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_dialect.h"

/** Reads "brew list --formula --versions": "jq 1.7.1", the newest version last.  Never fails. */
bool package_brew_parse_list(const char *text, PackageSet *set,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads "brew info --json=v2 --installed": what nobody asked for is automatic. */
void package_brew_parse_automatic(const char *text, PackageSet *set);

/** Returns: (transfer full): reads "brew deps --for-each", "jq: oniguruma": what installing takes, what
 *  is there already among it.  (The words of "brew install --dry-run" change from version to version.) */
PackageChanges *package_brew_parse_changes(const char *text);

/** Returns: (transfer full): reads "brew deps --installed", the same for all that is there: @names and
 *  what cannot do without them, as removed. */
PackageChanges *package_brew_parse_users(const char *text, const char *const *names);

/** As package_apt_parse_progress(). */
bool package_brew_parse_progress(const char *line, double *fraction, char **detail);

extern const PackageWords package_brew_words[];
