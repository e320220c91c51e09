/* installer/package_zypper.h - what zypper says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_dialect.h"

extern const PackageDialect package_zypper_dialect;

/** Reads the names in /var/lib/zypp/AutoInstalled. */
void package_zypper_parse_automatic(const char *text, PackageSet *set);

/** Returns: (transfer full) (nullable): what "zypper --xmlout ... --dry-run" would do; NULL when it
 *  does not say. */
PackageChanges *package_zypper_parse_changes(const char *text);

/** Reads a line of the output: as package_apt_parse_progress(). */
bool package_zypper_parse_progress(const char *line, double *fraction, char **detail);

/** Returns: (transfer full) (nullable): the errors and problems in a document of "zypper --xmlout". */
char *package_zypper_explain(const char *text);
