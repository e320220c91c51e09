/* installer/step_packages.c - step kind "packages": tools, from the package manager
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "installer/package_run.h"
#include "installer/recipe.h"
#include "installer/tools.h"
#include "payload/stack.h"

#define LOCK_TIMEOUT_S 300

static const char *const keys[] = { NULL };

static void query_clear(gpointer query)
{
	tools_clear(query, 1);
}

/* Returns: (transfer full) (element-type ToolQuery): the tools that the step's inputs name. */
static GArray *read_wanted(const StepRun *run, GError **error)
{
	const json_t *tools = json_object_get(run->step->inputs, "tools");
	g_autoptr(GArray) wanted = g_array_new(FALSE, TRUE, sizeof(ToolQuery));

	g_array_set_clear_func(wanted, query_clear);
	for (gsize i = 0; i < json_array_size(tools); i++) {
		const json_t *tool = json_array_get(tools, i);
		const char *name = json_need_text(tool, "name", error);
		ToolQuery query = { .minimum = json_text(tool, "minimum") };

		if (!name)
			return NULL;
		query.tool = catalogue_find(catalogue_get(), name);
		if (!query.tool) {
			fault_set(error, STATUS_FOREIGN, NULL, "the tool catalogue has no \"%s\"",
			          name);
			return NULL;
		}
		g_array_append_val(wanted, query);
	}

	return g_steal_pointer(&wanted);
}

static ToolQuery *query_at(const GArray *wanted, guint i)
{
	return (ToolQuery *)(gpointer)wanted->data + i;
}

static bool all_answer(const GArray *wanted)
{
	return tools_probe_all(query_at(wanted, 0), wanted->len);
}

/* A finished step writes down what its tools answered, so that a second run need not run them. */
static char *database_stamp(const StepRun *run)
{
	const PackageManager *manager =
		package_manager_row(json_text(run->step->inputs, "manager"));

	return manager && manager->database ? tools_stamp(manager->database) : NULL;
}

static json_t *describe_answers(const StepRun *run, const GArray *wanted)
{
	g_autofree char *database = database_stamp(run);
	json_t *answers = json_array();

	for (guint i = 0; i < wanted->len; i++) {
		const ToolQuery *query = query_at(wanted, i);
		g_autofree char *stamp = tools_stamp(query->program);
		json_t *answer = json_object();

		json_put(answer, "name", query->tool->name);
		json_put(answer, "program", query->program);
		json_put(answer, "version", query->version);
		json_put(answer, "stamp", stamp);
		json_array_append_new(answers, answer);
	}
	return json_pack("{s:s*, s:o}", "database", database, "tools", answers);
}

static const json_t *find_answer(const json_t *answers, const char *name)
{
	const json_t *tools = json_object_get(answers, "tools");

	for (gsize i = 0; i < json_array_size(tools); i++)
		if (g_strcmp0(json_text(json_array_get(tools, i), "name"), name) == 0)
			return json_array_get(tools, i);

	return NULL;
}

static bool is_answer_fresh(const json_t *answer, const char *minimum)
{
	const char *program = json_text(answer, "program");
	const char *version = json_text(answer, "version");
	g_autofree char *stamp = program ? tools_stamp(program) : NULL;

	return stamp && g_strcmp0(stamp, json_text(answer, "stamp")) == 0 &&
	       (!minimum || (version && stack_version_compare(version, minimum) >= 0));
}

/* Whether the receipt's answers still hold: no package changed since, and no program. */
static bool answers_hold(const StepRun *run, const GArray *wanted)
{
	const json_t *answers = json_object_get(json_object_get(run->receipt, "result"), "answers");
	g_autofree char *database = answers ? database_stamp(run) : NULL;

	if (!database || g_strcmp0(database, json_text(answers, "database")) != 0)
		return false;
	for (guint i = 0; i < wanted->len; i++) {
		const ToolQuery *query = query_at(wanted, i);

		if (!is_answer_fresh(find_answer(answers, query->tool->name), query->minimum))
			return false;
	}
	return true;
}

static char *backup_path(const StepRun *run, const char *suffix)
{
	g_autofree char *name = g_strconcat(run->step->id, suffix, NULL);

	return recipe_backup(run, name);
}

/* An attempt that was killed is finished by apply, even if the tools answer by now. */
static bool was_cut_short(const StepRun *run)
{
	g_autofree char *path = run->txn_dir ? backup_path(run, ".planned") : NULL;
	g_autoptr(PackageRecord) record =
		path && file_exists(path) ? package_record_read(path, NULL) : NULL;

	return record && !record->is_finished;
}

static bool probe_packages(const StepRun *run, Probe *probe, GError **error)
{
	g_autoptr(GArray) wanted = read_wanted(run, error);

	if (!wanted)
		return false;
	if (was_cut_short(run))
		*probe = PROBE_PARTIAL;
	else if (answers_hold(run, wanted))
		*probe = PROBE_OURS;
	else if (!all_answer(wanted))
		*probe = PROBE_ABSENT;
	else
		*probe = run->receipt ? PROBE_OURS : PROBE_PARTIAL;
	return true;
}

static guint lock_timeout_s(const StepRun *run)
{
	const json_t *value = json_object_get(run->step->inputs, "lock_timeout_s");

	return json_is_integer(value) ? (guint)CLAMP(json_integer_value(value), 0, 86400)
	                              : LOCK_TIMEOUT_S;
}

static void report(double fraction, const char *detail, gpointer data)
{
	const StepRun *run = data;

	if (run->report)
		run->report(run, fraction, detail);
}

/* The snapshot of a first attempt stands: after it, some of the packages may be there already. */
static bool take_snapshot(const PackageJob *job, const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autoptr(PackageSet) set = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *text = NULL;

	if (file_exists(path))
		return true;
	set = packages_wait(job, error) ? packages_read(job->manager, error) : NULL;
	if (!set)
		return false;
	object = package_set_to_json(set);
	text = json_pretty(object);
	return file_make_dirs(directory, 0700, NULL, error) &&
	       file_write(path, text, strlen(text), 0600, error);
}

static bool has_packages(const StepRun *run)
{
	return json_array_size(json_object_get(run->step->inputs, "packages")) > 0;
}

static json_t *prepare_packages(const StepRun *run, GError **error)
{
	if (!has_packages(run))
		return json_array();

	const PackageJob job = {
		.manager = package_manager_find(json_text(run->step->inputs, "manager"), error),
		.lock_timeout_s = lock_timeout_s(run),
		.report = report,
		.data = (gpointer)(guintptr)run,
	};
	g_autofree char *snapshot = backup_path(run, ".packages");
	g_autofree char *planned = backup_path(run, ".planned");

	if (!job.manager || !take_snapshot(&job, snapshot, error))
		return NULL;
	return json_pack("[{s:s, s:s, s:s, s:s, s:i}]", "do", "packages_remove", "manager",
	                 job.manager->name, "snapshot", snapshot, "planned", planned,
	                 "lock_timeout_s", (int)job.lock_timeout_s);
}

/** One installation. */
typedef struct {
	const StepRun *run;
	PackageJob job;
	char **packages;
	char *record_path;
	PackageRecord *record;
	PackageSet *before;
	char *warning; /* (nullable): of a refresh that went wrong in part */
	bool is_refreshed;
} Installation;

static void installation_clear(Installation *it)
{
	g_strfreev(it->packages);
	g_free(it->record_path);
	package_record_free(it->record);
	package_set_free(it->before);
	g_free(it->warning);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Installation, installation_clear)

static PackageSet *read_snapshot(const StepRun *run, GError **error)
{
	g_autofree char *path = backup_path(run, ".packages");
	g_autoptr(json_t) object = json_read(path, (gsize)64 * 1024 * 1024, error);

	return object ? package_set_from_json(object, error) : NULL;
}

/* A record that stands already is of an attempt that was killed: what it broke is ours to mend. */
static bool begin(Installation *it, const StepRun *run, GError **error)
{
	const json_t *inputs = run->step->inputs;

	it->run = run;
	it->packages = json_to_strv(json_object_get(inputs, "packages"));
	it->record_path = backup_path(run, ".planned");
	it->job = (PackageJob){
		.manager = package_manager_find(json_text(inputs, "manager"), error),
		.lock_timeout_s = lock_timeout_s(run),
		.may_repair = file_exists(it->record_path),
		.report = report,
		.data = (gpointer)(guintptr)run,
	};
	it->before = it->job.manager ? read_snapshot(run, error) : NULL;
	if (!it->before)
		return false;
	it->record = it->job.may_repair ? package_record_read(it->record_path, error)
	                                : package_record_new();
	if (!it->record)
		return false;
	it->record->is_finished = false;
	for (char **name = it->packages; *name; name++)
		g_hash_table_add(it->record->asked, g_strdup(*name));
	return true;
}

static bool refresh(Installation *it, GError **error)
{
	it->is_refreshed = true;
	g_clear_pointer(&it->warning, g_free);
	if (!packages_refresh(&it->job, &it->warning, error))
		return false;
	if (it->warning)
		log_line(it->job.manager->name, "%s", it->warning);
	return true;
}

/* What will happen, from an index that knows the packages. */
static PackageChanges *foresee(Installation *it, GError **error)
{
	const char *const *packages = (const char *const *)it->packages;
	PackageChanges *changes = NULL;

	if (!it->is_refreshed && package_manager_has_fresh_index(it->job.manager))
		changes = packages_simulate(it->job.manager, packages, NULL);
	if (changes)
		return changes;
	if (!it->is_refreshed && !refresh(it, error))
		return NULL;
	changes = packages_simulate(it->job.manager, packages, error);
	if (!changes && it->warning) {
		g_prefix_error(error, "%s; then: ", it->warning);
		if (error && package_manager_judge(it->job.manager, STATUS_FAILED, it->warning) ==
		                     PACKAGE_UNTRUSTED)
			(*error)->code = STATUS_UNTRUSTED;
	}
	return changes;
}

static bool refuse_removal(const PackageChanges *changes, GError **error)
{
	if (changes->removed->len == 0)
		return true;
	fault_set(
		error, STATUS_UNAVAILABLE,
		"Decide about that package first; slipway removes nothing that it did not install.",
		"installing would remove %s", (char *)changes->removed->pdata[0]);
	return false;
}

/* A manager that never upgrades does not tell an upgrade from an addition. */
static bool refuse_upgrade(const Installation *it, const PackageChanges *changes, GError **error)
{
	const PackageManager *manager = it->job.manager;

	if (changes->upgraded->len > 0 && json_flag(it->run->step->inputs, "reversible_only")) {
		fault_set(error, STATUS_DENIED,
		          "Upgrade it yourself first, or leave --reversible-only out.",
		          "--reversible-only, and nothing takes this back: upgrading %s",
		          (char *)changes->upgraded->pdata[0]);
		return false;
	}
	for (guint i = 0; manager->never_upgrades && i < changes->added->len; i++) {
		const char *name = changes->added->pdata[i];

		if (!g_hash_table_contains(it->before->installed, name))
			continue;
		fault_set(error, STATUS_UNAVAILABLE, manager->advice,
		          "installing would upgrade %s alone, and break what needs the old one",
		          name);
		return false;
	}
	return true;
}

/* Written down before anything is installed: what undo may take away. */
static bool record_plan(Installation *it, GError **error)
{
	g_autoptr(PackageChanges) changes = foresee(it, error);

	if (!changes || !refuse_removal(changes, error) || !refuse_upgrade(it, changes, error))
		return false;
	for (guint i = 0; i < changes->added->len; i++)
		if (!g_hash_table_contains(it->before->installed, changes->added->pdata[i]))
			g_hash_table_add(it->record->added, g_strdup(changes->added->pdata[i]));

	return package_record_write(it->record, it->record_path, error);
}

/* Nobody asked for it, and it carries no mark that says so: dnf5 writes marks last. */
static bool lacks_mark(const Installation *it, const PackageSet *now, const char *name)
{
	return !g_hash_table_contains(it->record->asked, name) &&
	       (g_hash_table_contains(now->torn, name) ||
	        (g_hash_table_contains(now->installed, name) &&
	         !g_hash_table_contains(now->automatic, name)));
}

/* Makes what an attempt that was killed left whole, with the marks that it would have got. */
static bool mend(Installation *it, GError **error)
{
	g_autoptr(PackageSet) now = packages_read(it->job.manager, error);
	g_autoptr(GPtrArray) torn = g_ptr_array_new();
	g_autoptr(GPtrArray) needed = g_ptr_array_new();
	g_autoptr(GList) names =
		g_list_sort(g_hash_table_get_keys(it->record->added), (GCompareFunc)strcmp);

	if (!now)
		return false;
	for (GList *name = names; name; name = name->next) {
		if (g_hash_table_contains(now->torn, name->data))
			g_ptr_array_add(torn, name->data);
		if (lacks_mark(it, now, name->data))
			g_ptr_array_add(needed, name->data);
	}
	g_ptr_array_add(torn, NULL);
	g_ptr_array_add(needed, NULL);
	return (torn->len == 1 ||
	        packages_mend(&it->job, (const char *const *)torn->pdata, error)) &&
	       packages_mark_automatic(&it->job, (const char *const *)needed->pdata, error);
}

static bool make_ready(Installation *it, GError **error)
{
	if (!packages_ready(&it->job, it->record->added, error))
		return false;
	return !it->job.may_repair || !it->job.manager->mend || mend(it, error);
}

static bool install(Installation *it, GError **error)
{
	const char *const *packages = (const char *const *)it->packages;
	g_autoptr(GError) fault = NULL;
	PackageVerdict verdict;

	if (!make_ready(it, error) || !record_plan(it, error))
		return false;
	report(-1, "installing packages", (gpointer)(guintptr)it->run);
	verdict = packages_install(&it->job, packages, &fault);
	if ((verdict == PACKAGE_STALE || verdict == PACKAGE_DAMAGED) && !it->is_refreshed) {
		g_clear_error(&fault);
		if (!refresh(it, error) || !record_plan(it, error))
			return false;
		verdict = packages_install(&it->job, packages, &fault);
	}
	if (fault)
		g_propagate_error(error, g_steal_pointer(&fault));
	return verdict == PACKAGE_DONE;
}

/* What an earlier attempt, which was killed, left beside the files of the packages. */
static bool sweep(Installation *it, GError **error)
{
	g_autofree gpointer *names = NULL;

	if (!it->job.may_repair)
		return true;
	names = g_hash_table_get_keys_as_array(it->record->added, NULL);
	return packages_sweep(&it->job, (const char *const *)names, error);
}

static bool verify(const GArray *wanted, GError **error)
{
	if (all_answer(wanted))
		return true;
	for (guint i = 0; i < wanted->len; i++) {
		const ToolQuery *query = query_at(wanted, i);

		if (query->program)
			continue;
		fault_set(error, STATUS_UNVERIFIED, NULL,
		          "%s does not answer after the installation: %s", query->tool->title,
		          query->why ? query->why->message : "not found");
		return false;
	}
	return false;
}

static json_t *describe_result(Installation *it, const GArray *wanted, GError **error)
{
	g_autoptr(PackageSet) after = packages_read(it->job.manager, error);
	g_autofree char *note = packages_note(&it->job, it->packages);
	g_autoptr(PackageChanges) changes = NULL;
	json_t *result;

	if (!after)
		return NULL;
	changes = package_changes_between(it->before, after);
	result = json_pack("{s:o, s:o, s:o, s:o}", "new", package_names_to_json(changes->added),
	                   "upgraded", package_names_to_json(changes->upgraded),
	                   "managers_side_effects", json_from_strv(it->job.manager->side_effects),
	                   "answers", describe_answers(it->run, wanted));
	json_put(result, "warning", it->warning);
	json_put(result, "note", note);
	return result;
}

static json_t *apply_packages(const StepRun *run, GError **error)
{
	g_auto(Installation) it = { 0 };
	g_autoptr(GArray) wanted = read_wanted(run, error);

	if (!wanted)
		return NULL;
	if (!has_packages(run))
		return verify(wanted, error)
		               ? json_pack("{s:o}", "answers", describe_answers(run, wanted))
		               : NULL;
	if (!begin(&it, run, error) || !install(&it, error) || !sweep(&it, error) ||
	    !verify(wanted, error))
		return NULL;
	it.record->is_finished = true;
	return package_record_write(it.record, it.record_path, error)
	               ? describe_result(&it, wanted, error)
	               : NULL;
}

const StepKind step_kind_packages = {
	.name = "packages",
	.verb = "install",
	.keys = keys,
	.weight = 30,
	.probe = probe_packages,
	.prepare = prepare_packages,
	.apply = apply_packages,
};
