/* installer/package_pacman.h - what pacman says, and what it keeps in its database
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_dialect.h"

#define PACKAGE_PACMAN_LOCAL "/var/lib/pacman/local"
#define PACKAGE_PACMAN_LOCK "/var/lib/pacman/db.lck"

/* clang-format off */
/** Lists what package_pacman_parse_list() reads: "pacman -Q" does not tell that a package was killed
 *  while it was unpacked. */
#define PACKAGE_PACMAN_LIST "find", PACKAGE_PACMAN_LOCAL, "-mindepth", "1", "-maxdepth", "2", \
	"(", "-type", "d", "-o", "-name", "desc", "-o", "-name", "files", ")", "-printf", "%P\\n"
/** Lists what package_pacman_parse_automatic() reads: "pacman -Qdq" fails where there is none. */
#define PACKAGE_PACMAN_LIST_AUTOMATIC "find", PACKAGE_PACMAN_LOCAL, "-name", "desc", "-exec", \
	"sed", "-ns", "/^%REASON%$/{n;/^1$/F}", "{}", "+"
/** What the simulations print: "+ git 2.45.0-1", "- git 2.45.0-1". */
#define PACKAGE_PACMAN_ADDS "--print-format", "+ %n %v"
#define PACKAGE_PACMAN_REMOVES "--print-format", "- %n %v"
/**
 * A shell's program that makes the packages of its arguments whole, from pacman's cache.  pacman
 * itself refuses: of a package that was killed while it was unpacked the database has an entry that
 * cannot be read, and its files "exist in the filesystem".  That they were nobody else's it had
 * checked before it began.
 */
#define PACKAGE_PACMAN_MEND \
	"for entry in " PACKAGE_PACMAN_LOCAL "/*-*-*; do " \
	"[ -e \"$entry/desc\" ] && [ -e \"$entry/files\" ] || rm -rf -- \"$entry\"; done; " \
	"exec pacman -S --noconfirm --noprogressbar --overwrite '*' -- \"$@\""
/* clang-format on */

/** Reads the names of database entries: "git-2.45.0-1", "git-2.45.0-1/desc".  A package whose entry
 *  lacks its description or its list of files is broken and torn.  Never fails. */
bool package_pacman_parse_list(const char *text, PackageSet *set,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads the paths of descriptions: ".../local/git-2.45.0-1/desc". */
void package_pacman_parse_automatic(const char *text, PackageSet *set);

/** Returns: (transfer full): the lines with "+" and "-".  An upgrade is among them as an addition:
 *  pacman does not tell them apart. */
PackageChanges *package_pacman_parse_changes(const char *text);

/** As package_apt_parse_progress(). */
bool package_pacman_parse_progress(const char *line, double *fraction, char **detail);

extern const PackageWords package_pacman_words[];
