/* installer/package_apt.h - what apt and dpkg say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_dialect.h"

/** The format that package_apt_parse_list() reads, for "dpkg-query -W -f". */
#define PACKAGE_APT_LIST_FORMAT "${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Abbrev}\\n"

/** Reads a list of packages into @set: "git\tamd64\t1:2.39.5-0+deb12u3\tii ".  The machine's own
 *  architecture is that of the package dpkg.  Returns: false with DATA set when dpkg is missing:
 *  then this is not a whole list. */
bool package_apt_parse_list(const char *text, PackageSet *set,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the Inst, Remv and Purg lines of "apt-get -s", from 2.0 to 3.0. */
PackageChanges *package_apt_parse_changes(const char *text);

/** Reads a line of apt-get's stdout.  Returns: false when it tells of no stage; else the line as
 *  @detail (transfer full) and -1, unknown, as @fraction. */
bool package_apt_parse_progress(const char *line, double *fraction, char **detail);

/** Returns: (transfer full) (nullable): the unmet dependencies that apt 2 lists on stdout. */
char *package_apt_explain(const char *out);

/** What apt says when it gives up, in the C locale. */
extern const PackageWords package_apt_words[];

/** Returns: (transfer full) (element-type PackageConffile): from dpkg's field Conffiles. */
GPtrArray *package_apt_parse_conffiles(const char *text);
