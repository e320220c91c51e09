/* installer/package_run.c - let a package manager work
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_run.h"

#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "installer/package_lock.h"
#include "installer/package_said.h"
#include "installer/privilege.h"

#define TRANSACTION_MS (20 * 60 * 1000)
#define OUTPUT_MAX_BYTES ((gsize)8 * 1024 * 1024)

static char *join(const char *const *words)
{
	GString *text = g_string_new(*words);

	for (words++; *words; words++)
		g_string_append_printf(text, " %s", *words);
	return g_string_free(text, FALSE);
}

/* Downloading the index is no share of the installation. */
static void on_refresh_line(const char *line, gpointer data)
{
	const PackageJob *job = data;
	g_autofree char *detail = NULL;
	double fraction = -1;

	if (job->manager->dialect->parse_progress(line, &fraction, &detail) && job->report)
		job->report(-1, "refreshing the package index", job->data);
}

static void on_line(const char *line, gpointer data)
{
	const PackageJob *job = data;
	g_autofree char *detail = NULL;
	double fraction = -1;

	if (job->manager->dialect->parse_progress(line, &fraction, &detail) && job->report)
		job->report(fraction, detail, job->data);
}

/* Runs a command that changes packages, once. */
static PackageVerdict change_once(const PackageJob *job, const char *const *command,
                                  const char *const *names, GError **error)
{
	g_auto(GStrv) argv = package_manager_argv(job->manager, command, names, error);
	g_auto(ProcessResult) result = { 0 };
	PackageJob copy = *job;
	const ProcessSpec spec = {
		.argv = (const char *const *)argv,
		.env = job->manager->env,
		.timeout_ms = TRANSACTION_MS,
		.max_output_bytes = OUTPUT_MAX_BYTES,
		.flags = PROCESS_UNINTERRUPTED | PROCESS_SURVIVES,
		.on_line = command == job->manager->refresh ? on_refresh_line : on_line,
		.data = &copy,
	};
	PackageVerdict verdict;
	bool has_run;

	if (!argv)
		return PACKAGE_FAILED;
	has_run = job->manager->is_run_as_root ? privilege_run(&spec, &result, error)
	                                       : process_run(&spec, &result, error);
	if (!has_run)
		return PACKAGE_FAILED;
	verdict = package_said_verdict(job->manager, &result);
	if (verdict == PACKAGE_WARNED)
		log_line(job->manager->name, "done, with status %d", result.exit_code);
	else if (verdict != PACKAGE_DONE)
		package_said_fault(error, job->manager, *command, &result);
	return verdict;
}

bool packages_wait(const PackageJob *job, GError **error)
{
	const PackageLockWait wait = {
		.locks = job->manager->locks,
		.timeout_s = job->lock_timeout_s,
		.report = job->report,
		.data = job->data,
	};

	return package_lock_wait(&wait, error);
}

/* The same, waiting for locks until the deadline, and again where the manager wants it so. */
static PackageVerdict change(const PackageJob *job, const char *const *command,
                             const char *const *names, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)job->lock_timeout_s * G_USEC_PER_SEC;
	bool was_asked_again = false;

	for (;;) {
		g_autoptr(GError) fault = NULL;
		PackageVerdict verdict;

		if (!packages_wait(job, error))
			return PACKAGE_BUSY;
		verdict = change_once(job, command, names, &fault);
		if (verdict == PACKAGE_AGAIN && !was_asked_again) {
			was_asked_again = true;
			continue;
		}
		if (verdict == PACKAGE_BUSY && g_get_monotonic_time() < deadline_us) {
			g_usleep(G_USEC_PER_SEC / 2);
			continue;
		}
		if (fault)
			g_propagate_error(error, g_steal_pointer(&fault));
		return verdict;
	}
}

static bool was_interrupted(const PackageManager *manager)
{
	g_autoptr(GDir) dir =
		manager->interrupted ? g_dir_open(manager->interrupted, 0, NULL) : NULL;
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_ascii_isdigit(*name))
			return true;

	return false;
}

/* Returns: (transfer full) (nullable): why the package manager is not in order. */
static char *find_damage(const PackageManager *manager, GHashTable *own, GError **error)
{
	g_autoptr(PackageSet) set = NULL;
	GHashTableIter names;
	gpointer name;

	if (was_interrupted(manager) || package_lock_left(manager->locks))
		return g_strdup_printf("%s was interrupted in the middle of something",
		                       manager->name);
	set = packages_read_installed(manager, error);
	if (!set)
		return NULL;
	g_hash_table_iter_init(&names, set->broken);
	while (g_hash_table_iter_next(&names, &name, NULL))
		if (!own || !g_hash_table_contains(own, name))
			return g_strdup_printf("package %s is only half installed", (char *)name);

	return NULL;
}

static bool repair(const PackageJob *job, GError **error)
{
	if (job->report)
		job->report(-1, "finishing what was interrupted", job->data);
	return change(job, job->manager->repair, NULL, error) == PACKAGE_DONE;
}

static void refuse(const PackageManager *manager, const char *damage, GError **error)
{
	g_autofree char *command = join(manager->repair);
	g_autofree char *hint =
		g_strdup_printf("Run \"sudo %s\", then run slipway again.", command);

	fault_set(error, STATUS_UNAVAILABLE, hint, "%s", damage);
}

bool packages_ready(const PackageJob *job, GHashTable *own, GError **error)
{
	g_autoptr(GError) fault = NULL;
	g_autofree char *damage = NULL;

	if (!packages_wait(job, error))
		return false;
	if (!job->manager->repair)
		return true;
	damage = find_damage(job->manager, own, &fault);
	if (damage && job->may_repair) {
		g_autoptr(GError) repair_fault = NULL;

		if (!repair(job, &repair_fault))
			log_line(job->manager->name, "%s", repair_fault->message);
		g_clear_pointer(&damage, g_free);
		damage = find_damage(job->manager, own, &fault);
	}
	if (fault) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	if (damage)
		refuse(job->manager, damage, error);
	return !damage;
}

bool packages_refresh(const PackageJob *job, char **warning, GError **error)
{
	g_autoptr(GError) fault = NULL;
	PackageVerdict verdict;

	if (!job->manager->refresh && package_manager_has_index(job->manager))
		return true;
	if (!job->manager->refresh) {
		fault_set(error, STATUS_UNAVAILABLE, job->manager->advice,
		          "%s has no package index", job->manager->name);
		return false;
	}
	if (job->report)
		job->report(-1, "refreshing the package index", job->data);
	verdict = change(job, job->manager->refresh, NULL, &fault);
	if ((verdict == PACKAGE_DONE || verdict == PACKAGE_WARNED) &&
	    package_manager_has_index(job->manager))
		return true;
	if (!fault)
		fault_set(&fault, STATUS_UNAVAILABLE,
		          "Look at the package sources of this machine and at its disk space.",
		          "%s has no package index, although refreshing it went well",
		          job->manager->name);
	if (verdict == PACKAGE_BUSY || fault->code == STATUS_DENIED ||
	    !package_manager_has_index(job->manager)) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	*warning = fault_message(fault);
	return true;
}

/* Its status leaves open whether all went well: then nothing may be left to do. */
static PackageVerdict check_installed(const PackageJob *job, const char *const *packages,
                                      GError **error)
{
	g_autoptr(PackageChanges) rest = packages_simulate(job->manager, packages, error);

	if (!rest)
		return PACKAGE_FAILED;
	if (rest->added->len == 0)
		return PACKAGE_DONE;
	fault_set(error, STATUS_UNAVAILABLE, NULL, "%s ended without installing %s",
	          job->manager->name, (char *)rest->added->pdata[0]);
	return PACKAGE_FAILED;
}

/* rpm tells transactions apart by the second in which they start: one that follows a killed one at
 * once meets its files. */
static void let_clock_move(const PackageJob *job)
{
	if (job->may_repair && job->manager->dialect->find_litter)
		g_usleep(G_USEC_PER_SEC + G_USEC_PER_SEC / 10);
}

char *packages_note(const PackageJob *job, char **packages)
{
	const char *lacks = job->may_repair ? job->manager->after_kill : NULL;
	g_autofree char *names = g_strjoinv(" ", packages);

	return lacks ? g_strconcat(lacks, " ", names, NULL) : NULL;
}

PackageVerdict packages_install(const PackageJob *job, const char *const *packages, GError **error)
{
	PackageVerdict verdict;

	let_clock_move(job);
	verdict = change(job, job->manager->install, packages, error);

	return verdict == PACKAGE_WARNED ? check_installed(job, packages, error) : verdict;
}

static bool change_done(const PackageJob *job, const char *const *command, const char *const *names,
                        GError **error)
{
	PackageVerdict verdict = change(job, command, names, error);

	return verdict == PACKAGE_DONE || verdict == PACKAGE_WARNED;
}

bool packages_mend(const PackageJob *job, const char *const *names, GError **error)
{
	const PackageManager *manager = job->manager;

	let_clock_move(job);
	return change_done(job, manager->mend ? manager->mend : manager->install, names, error);
}

/* What a removal would take, and whether that is all ours and brings nothing new. */
static PackageChanges *try_removal(const PackageManager *manager, const char *const *names,
                                   GHashTable *ours, bool *is_exact, GError **error)
{
	PackageChanges *changes = packages_simulate_removal(manager, names, error);

	if (!changes)
		return NULL;
	*is_exact = changes->added->len == 0 && changes->upgraded->len == 0;
	for (guint i = 0; i < changes->removed->len && *is_exact; i++)
		*is_exact = g_hash_table_contains(ours, changes->removed->pdata[i]);

	return changes;
}

static const char *const *as_words(GHashTable *names, GPtrArray *words)
{
	g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(names), (GCompareFunc)strcmp);

	g_ptr_array_set_size(words, 0);
	for (GList *key = keys; key; key = key->next)
		g_ptr_array_add(words, key->data);
	g_ptr_array_add(words, NULL);
	return (const char *const *)words->pdata;
}

/* Takes one name after the other into @going as long as only ours go with it. */
static bool choose_removable(const PackageManager *manager, const char *const *names,
                             GHashTable *ours, GHashTable *going, GError **error)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (; *names; names++) {
		g_autoptr(PackageChanges) changes = NULL;
		bool is_exact = false;

		if (!g_hash_table_add(going, g_strdup(*names)))
			continue;
		changes = try_removal(manager, as_words(going, words), ours, &is_exact, error);
		if (!changes)
			return false;
		if (!is_exact)
			g_hash_table_remove(going, *names);
		for (guint i = 0; is_exact && i < changes->removed->len; i++)
			g_hash_table_add(going, g_strdup(changes->removed->pdata[i]));
	}

	return true;
}

bool packages_remove(const PackageJob *job, const char *const *names, GPtrArray *kept,
                     GError **error)
{
	g_autoptr(GHashTable) ours = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) going = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(PackageChanges) all = NULL;
	bool is_exact = false;

	if (!*names)
		return true;
	for (const char *const *name = names; *name; name++)
		g_hash_table_add(ours, (gpointer)(guintptr)*name);
	all = try_removal(job->manager, names, ours, &is_exact, error);
	if (!all)
		return false;
	for (const char *const *name = names; is_exact && *name; name++)
		g_hash_table_add(going, g_strdup(*name));
	if (!is_exact && !choose_removable(job->manager, names, ours, going, error))
		return false;
	for (const char *const *name = names; *name; name++)
		if (!g_hash_table_contains(going, *name))
			g_ptr_array_add(kept, g_strdup(*name));

	return g_hash_table_size(going) == 0 ||
	       change_done(job, job->manager->remove, as_words(going, words), error);
}

bool packages_sweep(const PackageJob *job, const char *const *names, GError **error)
{
	const PackageManager *manager = job->manager;
	g_autofree char *rm = process_find("rm");
	g_autofree char *files = NULL;
	g_autoptr(GPtrArray) argv = NULL;
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { 0 };

	if (!manager->dialect->find_litter || !rm || !*names)
		return true;
	files = packages_ask(manager, manager->list_files, names, NULL);
	if (!files)
		return true; /* one of them is not there: nothing is known of its files */
	argv = manager->dialect->find_litter(files);
	if (argv->len == 0)
		return true;
	log_line(manager->name, "removes %u files of a transaction that was cut off", argv->len);
	g_ptr_array_insert(argv, 0, g_strdup("--"));
	g_ptr_array_insert(argv, 0, g_strdup("-f"));
	g_ptr_array_insert(argv, 0, g_steal_pointer(&rm));
	g_ptr_array_add(argv, NULL);
	spec.argv = (const char *const *)argv->pdata;
	return privilege_run(&spec, &result, error);
}

bool packages_purge(const PackageJob *job, const char *const *names, GError **error)
{
	return !*names || !job->manager->purge ||
	       change_done(job, job->manager->purge, names, error);
}

bool packages_mark_automatic(const PackageJob *job, const char *const *names, GError **error)
{
	return !*names || !job->manager->mark_automatic ||
	       change_done(job, job->manager->mark_automatic, names, error);
}
