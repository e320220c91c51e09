/* installer/package_dialect.h - what is read of the words of a family of package managers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_set.h"

/** What became of a command: from its exit status, else from its words. */
typedef enum {
	PACKAGE_DONE,
	PACKAGE_WARNED,    /* done, to be checked afterwards */
	PACKAGE_AGAIN,     /* done so far: run the same command once more */
	PACKAGE_DECLINED,  /* a simulation that ended where it should */
	PACKAGE_BUSY,      /* somebody else holds a lock */
	PACKAGE_STALE,     /* the index is older than the mirror: refresh it */
	PACKAGE_UNKNOWN,   /* no such package; nothing was done */
	PACKAGE_DAMAGED,   /* a download is not what the index promised: the index may be stale */
	PACKAGE_UNTRUSTED, /* a signature does not match, or nobody trusts its key */
	PACKAGE_FAILED,
} PackageVerdict;

/** An exit status that is not "0 done, else failed"; a list of them ends with PACKAGE_DONE. */
typedef struct {
	int exit_code;
	PackageVerdict verdict;
} PackageStatus;

/** What words in the output of a failed command mean, in the C locale; a list ends with NULL. */
typedef struct {
	const char *says;
	PackageVerdict verdict;
} PackageWords;

/** What reads the words of one family of programs. */
typedef struct {
	/** Reads what @list says. */
	bool (*parse_list)(const char *text, PackageSet *set, GError **error);
	/** Reads what @list_automatic or @automatic say into set->automatic; NULL: a name in each line. */
	void (*parse_automatic)(const char *text, PackageSet *set);
	/** Reads a simulation; NULL when @text shows none: it failed. */
	PackageChanges *(*parse_changes)(const char *text);
	/** (nullable): where removal cannot be simulated: @simulate_removal, without names, lists who needs
	 *  what; returns @names and all that cannot do without them. */
	PackageChanges *(*parse_users)(const char *text, const char *const *names);
	GPtrArray *(*parse_conffiles)(const char *text); /* (element-type PackageConffile) */
	/** Reads a line of the output; see package_apt_parse_progress(). */
	bool (*parse_progress)(const char *line, double *fraction, char **detail);
	/** (nullable): words that follow all commands that download, (transfer full). */
	char **(*options)(void);
	/** (nullable): why a simulation failed, from what it wrote to stdout; (transfer full) (nullable). */
	char *(*explain)(const char *out);
	/** (nullable): what a killed transaction left beside @files, a path in each line; (transfer full)
	 *  (element-type utf8). */
	GPtrArray *(*find_litter)(const char *files);
	/** (nullable): suffix of settings that a removal kept because they were edited; "": their own name. */
	const char *edited;
	/** (nullable): suffix of settings that were there before the package. */
	const char *displaced;
	const PackageWords *words; /* the first that is found decides */
} PackageDialect;
