/* installer/package_manager.h - the package managers: one row of data each
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/process.h"
#include "installer/package_dialect.h"
#include "installer/package_lock.h"
#include "installer/step.h"

/**
 * One package manager.  A command is a list of words that starts with a program's name; package
 * names follow it.  NULL where it has no such command.
 */
typedef struct {
	const char *name;      /* as in the facts of a machine */
	const char *catalogue; /* as in payload/catalogue.ini */
	bool is_run_as_root;
	bool is_asked_as_root;  /* simulations and list_automatic need root too */
	const char *const *env; /* of every command */
	const char *const *install;
	const char *const *simulate; /* installation */
	const char *const *refresh;  /* NULL: does it by itself */
	const char *const *remove;   /* exactly the named ones */
	const char *const *simulate_removal;
	const char *const *purge; /* configuration that a removal left */
	const char *const *list;
	const char *const *list_automatic; /* what is there because others need it */
	const char *automatic;             /* (nullable): a file that tells the same */
	const char *const *mark_automatic;
	const char *const *list_files;     /* of one package */
	const char *const *list_conffiles; /* of one package */
	const char *const *mend;           /* installs again, from what was downloaded already */
	const char *const *repair;         /* finishes what was interrupted */
	const PackageLock *locks;          /* (nullable) */
	const char *const *side_effects;   /* paths that it changes by itself */
	const char *index; /* (nullable): directory of the index; without a file with
	                            @index_name in its name there is none */
	const char *index_name;
	guint index_max_age_s;   /* an index that is older is refreshed; 0: as old as it likes */
	const char *interrupted; /* (nullable): directory that is empty unless it was interrupted */
	const char *database;    /* (nullable): file that changes when a package does */
	bool lists_torn;         /* @list has what was killed while its files were put in place */
	bool notes_mended;   /* what is mended counts as asked for: so only what was asked for is */
	bool never_upgrades; /* one package alone: that breaks others */
	const char *advice;  /* (nullable): for a person, where the index is stale */
	const char
		*after_kill; /* (nullable): what an attempt that is finished after a kill lacks; the
	                           packages' names follow */
	const PackageStatus *statuses; /* (nullable) */
	const PackageDialect *dialect; /* NULL: this version cannot install with it */
} PackageManager;

extern const PackageManager package_manager_table[];
extern const gsize package_manager_count;

/** Returns: (transfer none): the row that can install; or NULL with UNAVAILABLE (this version cannot
 *  install with it) or FOREIGN (no such row) set. */
const PackageManager *package_manager_find(const char *name, GError **error);

/** Returns: (transfer none) (nullable): any row, installable or not. */
const PackageManager *package_manager_row(const char *name);

/** Returns: (transfer full): the words of a @command of @manager, the absolute path of its program
 *  first; or NULL with UNAVAILABLE set when there is no such program. */
char **package_manager_argv(const PackageManager *manager, const char *const *command,
                            const char *const *names, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: what @exit_code means. */
PackageVerdict package_manager_verdict(const PackageManager *manager, int exit_code);

/** Returns: what a command that ended with @exit_code and wrote @text means. */
PackageVerdict package_manager_judge(const PackageManager *manager, int exit_code,
                                     const char *text);

/** Returns: whether an index of packages is there; true where that is not known. */
bool package_manager_has_index(const PackageManager *manager);

/** Returns: whether there is one that is not too old. */
bool package_manager_has_fresh_index(const PackageManager *manager);

/** Returns: (transfer full): the exact lines that installing @packages runs, for the plan; a manager
 *  that this version cannot install with has its line too.  An empty list for an unknown name. */
char **packages_commands(const char *manager, const char *const *packages);

/**
 * Executes the primitive packages_remove: takes away what a packages step added and nothing else
 * (installer/package_undo.c).  Idempotent.
 *
 * @left: (element-type utf8): what stays on purpose is appended, "PACKAGE: why".
 *
 * Returns: false with BUSY, DENIED, UNAVAILABLE, DATA (the snapshot) or DEADLINE set.
 */
bool packages_undo(const json_t *primitive, const StepHost *host, const char *txn_dir,
                   GPtrArray *left, GError **error) G_GNUC_WARN_UNUSED_RESULT;
