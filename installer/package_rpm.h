/* installer/package_rpm.h - what rpm, dnf, microdnf and yum say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_dialect.h"

/** The format that package_rpm_parse_list() reads, for "rpm -qa --queryformat". */
#define PACKAGE_RPM_LIST_FORMAT "%{NAME}\\t%{ARCH}\\t%{EVR}\\n"
/** The format that package_rpm_parse_reasons() reads, for dnf's "repoquery --qf". */
#define PACKAGE_RPM_REASON_FORMAT "%{name}\t%{arch}\t%{reason}\n"

/** The dialects: dnf 4, dnf 5 and yum draw the same table; microdnf's has other columns. */
extern const PackageDialect package_dnf_dialect, package_microdnf_dialect;

/** Returns: (transfer full): a package's name in a PackageSet: "git"; "glibc.i686" where that is not
 *  an architecture of this machine. */
char *package_rpm_name(const char *name, const char *arch);

/** Reads a list of packages into @set: "git\tnoarch\t2.45.0-1".  Several versions of one package
 *  (kernels) are one, with all versions.  rpm's keys, which look like packages, are none. */
bool package_rpm_parse_list(const char *text, PackageSet *set,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads which packages are there because others need them: "git\tnoarch\tdependency". */
void package_rpm_parse_reasons(const char *text, PackageSet *set);

/** Returns: (transfer full) (nullable): the table of "--assumeno", of dnf 4, dnf 5 and yum 3; NULL
 *  when there is none. */
PackageChanges *package_dnf_parse_changes(const char *text);

/** As package_dnf_parse_changes(), of microdnf: its rows start with "git-2.45.0-1.noarch". */
PackageChanges *package_microdnf_parse_changes(const char *text);

/** Reads a line of the output: as package_apt_parse_progress(). */
bool package_dnf_parse_progress(const char *line, double *fraction, char **detail);

/** Returns: (transfer full) (element-type utf8): what rpm left when it was killed while it put @files in
 *  place, a path in each line: "/usr/bin/git;6b019938", where the number is that of a transaction.
 *  rpm 4.18 and later. */
GPtrArray *package_rpm_find_litter(const char *files);

/** With "-y" these programs accept every key that a repository's definition names.  One that lies on
 *  this machine was put there by its administrator or its distribution; one from the network was
 *  not.
 *
 *  @text: of a .repo file.  @words: (element-type utf8): "--setopt=ID.gpgkey=" is appended for each
 *  repository whose keys come from the network, so that none is fetched and a package that needs
 *  one is refused. */
void package_dnf_distrust(const char *text, GPtrArray *words);
