/* installer/package_apk.h - what apk says, and what it keeps in its database
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_dialect.h"

/** What the machine was asked to have; everything else came because that needs it. */
#define PACKAGE_APK_WORLD "/etc/apk/world"

/** Reads "apk info -v": "python3-3.12.3-r1" in each line.  Never fails. */
bool package_apk_parse_list(const char *text, PackageSet *set,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Reads the world, "python3>=3.12 .build-deps=20240101": what is not in it is automatic.
 *
 * An installation that failed leaves its names in the world: what is in it and not installed goes
 * into set->residue, and "apk del" takes it out.
 */
void package_apk_parse_automatic(const char *text, PackageSet *set);

/** Returns: (transfer full): the lines "(1/2) Installing jq (1.6-r0)", from 2.12 to 3.0. */
PackageChanges *package_apk_parse_changes(const char *text);

/** As package_apt_parse_progress(); here the fraction is known. */
bool package_apk_parse_progress(const char *line, double *fraction, char **detail);

extern const PackageWords package_apk_words[];
