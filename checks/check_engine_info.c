/* checks/check_engine_info.c - judges what the engine says of itself
 *
 * The engine's own answer is the truth; Docker Desktop's settings explain it and say what to
 * change.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_remedy.h"

/* A virtual machine's kernel keeps 1 to 7 % of what was set for it. */
#define MEMORY_TOLERANCE_PERCENT 7

static void judge_engine_version(CheckRun *run)
{
	CheckFinding *finding;

	if (facts_flavour(run->facts) == FLAVOUR_PODMAN) {
		(void)finding_add(run, CHECK_SKIPPED, "podman counts versions of its own");
		return;
	}
	finding = finding_add_version(run, run->facts->engine.version, run->needs->engine);
	finding_set_remedy(finding, remedy_update(run->facts));
}

/** Which API each docker program speaks at most.  Source: Docker's table of API versions. */
static const struct {
	const char *program, *api;
} api_table[] = { { "29", "1.52" },    { "28.3", "1.51" }, { "28.0", "1.48" }, { "27", "1.46" },
	          { "26", "1.45" },    { "25", "1.44" },   { "24", "1.43" },   { "23", "1.42" },
	          { "20.10", "1.41" }, { "19.03", "1.40" } };

static const char *api_of(const char *program)
{
	for (gsize i = 0; program != NULL && i < G_N_ELEMENTS(api_table); i++)
		if (version_compare(program, api_table[i].program) >= 0)
			return api_table[i].api;

	return NULL;
}

static void judge_engine_api(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const char *api = api_of(run->facts->client.cli_version);
	bool is_old = api != NULL && engine->api_minimum != NULL &&
	              version_compare(api, engine->api_minimum) < 0;
	CheckFinding *finding;

	if (api == NULL || engine->api_minimum == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "no file says which version the program has");
		return;
	}
	finding = finding_add(run, is_old ? run->check->severity : CHECK_PASS, api);
	finding->needed = g_strdup(engine->api_minimum);
}

static void judge_engine_os_type(CheckRun *run)
{
	const char *type = run->facts->engine.os_type;
	CheckVerdict verdict = CHECK_UNKNOWN;

	if (type != NULL)
		verdict = strcmp(type, "linux") == 0 ? CHECK_PASS : run->check->severity;
	finding_set(&finding_add(run, verdict, type)->needed, g_strdup("linux"));
}

/* What was set, where a file says it: it explains the number. */
static char *configured(const Facts *facts, EngineSize size)
{
	const FactsDesktop *desktop = &facts->desktop;
	const FactsWsl *wsl = &facts->wsl;
	g_autofree char *bytes = NULL;

	if (facts_flavour(facts) == FLAVOUR_DESKTOP_WINDOWS) {
		if (size == ENGINE_MEMORY && wsl->memory == DESKTOP_SETTING_SET) {
			bytes = check_format_bytes(wsl->memory_bytes);
			return g_strdup_printf("; %s set in .wslconfig", bytes);
		}
		return g_strdup("");
	}
	if (!flavour_is_desktop(facts_flavour(facts)) || desktop->state != DESKTOP_READ)
		return g_strdup("");
	if (size == ENGINE_MEMORY && desktop->memory == DESKTOP_SETTING_SET) {
		bytes = check_format_bytes(desktop->memory_bytes);
		return g_strdup_printf("; %s set in %s", bytes, desktop->file);
	}
	if (size == ENGINE_CPUS && desktop->cpus == DESKTOP_SETTING_SET)
		return g_strdup_printf("; %" G_GUINT64_FORMAT " set in %s", desktop->cpu_count,
		                       desktop->file);
	return g_strdup("; Docker Desktop's default");
}

static void explain_size(CheckRun *run, CheckFinding *finding, EngineSize size)
{
	g_autofree char *set = configured(run->facts, size);
	char *remedy = finding->needed_value != FACTS_UNKNOWN
	                       ? remedy_size(run->facts, size, finding->needed_value)
	                       : NULL;

	if (remedy != NULL)
		finding_set_remedy(finding, remedy);
	if (finding->verdict != CHECK_SKIPPED)
		finding_set_source(finding, g_strconcat(run->check->source, set, NULL));
}

static void judge_engine_memory(CheckRun *run)
{
	explain_size(run,
	             finding_add_amount(run, &(Amount){ run->facts->engine.memory_bytes,
	                                                run->needs->memory_bytes,
	                                                run->needs->memory_recommended_bytes,
	                                                MEMORY_TOLERANCE_PERCENT, "bytes" }),
	             ENGINE_MEMORY);
}

static void judge_engine_cpus(CheckRun *run)
{
	explain_size(run,
	             finding_add_amount(run, &(Amount){ run->facts->engine.cpus, run->needs->cpus,
	                                                0, 0, "CPUs" }),
	             ENGINE_CPUS);
}

/* What else the plan writes on the engine's device comes on top of the images. */
static guint64 needed_by_engine(const CheckRun *run)
{
	guint64 bytes = run->needs->engine_disk_bytes;

	for (gsize i = 0; i < run->needs->disk_count; i++) {
		const FactsDirectory *directory =
			facts_directory(run->facts, run->needs->disk[i].path);

		if (directory != NULL && directory->device != FACTS_UNKNOWN &&
		    directory->device == run->facts->engine.root_device &&
		    !g_uint64_checked_add(&bytes, bytes, run->needs->disk[i].bytes))
			bytes = G_MAXINT64;
	}
	return bytes;
}

static void judge_engine_disk(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	Flavour flavour = facts_flavour(run->facts);
	CheckFinding *finding;

	if (engine->root_free_bytes == FACTS_UNKNOWN &&
	    (flavour_is_machine(flavour) || engine->is_here == FACT_NO)) {
		g_autofree char *where =
			g_strdup_printf("inside %s's machine", flavour_name(flavour));

		(void)finding_add(run, CHECK_SKIPPED, where);
		return;
	}
	if (run->needs->engine_disk_bytes == 0) {
		(void)finding_add(run, CHECK_SKIPPED, "the stack states no need");
		return;
	}
	finding = finding_add_amount(
		run, &(Amount){ engine->root_free_bytes, needed_by_engine(run), 0, 0, "bytes" });
	if (engine->root_dir != NULL)
		finding_set_source(finding, g_strconcat("free for ", engine->root_dir, NULL));
}

static void judge_engine_storage(CheckRun *run)
{
	static const char *const slow[] = { "vfs", "aufs", "devicemapper", "fuse-overlayfs", NULL };
	const char *driver = run->facts->engine.storage_driver;
	CheckVerdict verdict = CHECK_UNKNOWN;

	if (driver != NULL)
		verdict = g_strv_contains(slow, driver) ? run->check->severity : CHECK_PASS;
	(void)finding_add(run, verdict, driver);
}

/* Adds the finding for a statement of the engine, which older ones may not make. */
static void judge_statement(CheckRun *run, Fact fact, const char *yes, const char *no)
{
	if (fact == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_SKIPPED, "the engine does not say");
	else
		(void)finding_add(run, fact == FACT_YES ? CHECK_PASS : run->check->severity,
		                  fact == FACT_YES ? yes : no);
}

static void judge_engine_d_type(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;

	judge_statement(run, engine->has_d_type,
	                engine->backing_filesystem != NULL ? engine->backing_filesystem : "has it",
	                "a file system without d_type");
}

static void judge_engine_cgroup(CheckRun *run)
{
	const char *version = run->facts->engine.cgroup_version;
	CheckVerdict verdict = CHECK_UNKNOWN;
	CheckFinding *finding;

	if (version != NULL)
		verdict = strcmp(version, "2") == 0 ? CHECK_PASS : run->check->severity;
	finding = finding_add(run, verdict, version);
	finding->needed = g_strdup("2");
	if (run->facts->desktop.cgroup_v1 == DESKTOP_SWITCH_ON)
		finding_set_remedy(finding, g_strdup("Take DeprecatedCgroupv1 out of Docker "
		                                     "Desktop's settings, and restart it."));
}

static void judge_engine_limits(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const struct {
		Fact has;
		const char *name;
	} table[] = { { engine->has_memory_limit, "memory" },
		      { engine->has_cpu_limit, "CPUs" },
		      { engine->has_pids_limit, "processes" } };
	g_autoptr(GString) missing = g_string_new(NULL);
	bool is_known = true;

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		is_known = is_known && table[i].has != FACT_UNKNOWN;
		if (table[i].has == FACT_NO)
			g_string_append_printf(missing, "%s%s",
			                       missing->len > 0 ? ", " : "none for ",
			                       table[i].name);
	}
	if (!is_known && missing->len == 0)
		(void)finding_add(run, CHECK_SKIPPED, "the engine does not say");
	else
		(void)finding_add(run, missing->len > 0 ? run->check->severity : CHECK_PASS,
		                  missing->len > 0 ? missing->str : "memory, CPUs, processes");
}

static void judge_engine_store(CheckRun *run)
{
	judge_statement(run, run->facts->engine.has_containerd_store, "containerd's",
	                "the engine's own");
}

/* clang-format off */
const Check check_rows_engine_info[] = {
	{ "engine.version", "engine version", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Update the engine.",
	  "The stack names the oldest engine that has what its compose files use.",
	  applies_with_engine, judge_engine_version },
	{ "engine.api", "API of the docker program", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "package database, engine /version",
	  "Update Docker's command line to the engine's version.",
	  "An engine refuses programs that are too old for it: since version 29 all that speak less than API "
	  "1.44. The program's version is taken from the package database.",
	  applies_with_engine, judge_engine_api },
	{ "engine.os_type", "containers' system", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Switch Docker Desktop to Linux containers.",
	  "The stack's images are for Linux.",
	  applies_with_engine, judge_engine_os_type },
	{ "engine.memory", "engine's memory", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Give the engine's machine more memory.",
	  "Containers get what the engine has, not what this machine has: Docker Desktop, colima and their "
	  "like run in a virtual machine with a memory of its own. 7 % less than needed passes: the kernel "
	  "of that machine keeps as much.",
	  applies_with_engine, judge_engine_memory },
	{ "engine.cpus", "engine's processors", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Give the engine's machine more processors.",
	  "Containers get the processors of the engine's machine.",
	  applies_with_engine, judge_engine_cpus },
	{ "engine.disk", "engine's free disk space", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info, statvfs",
	  "Free some space (`docker system prune`), or move the engine's data to another disk.",
	  "Images and volumes lie where the engine keeps its data (DockerRootDir), which is often another "
	  "file system than the stack's directory; where it is the same, both needs are added up.",
	  applies_with_engine, judge_engine_disk },
	{ "engine.storage", "engine's storage driver", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Use overlay2 or the containerd image store: this driver is slow and wastes space.",
	  "vfs copies every layer in full; aufs and devicemapper have been given up; fuse-overlayfs is slow.",
	  applies_with_engine, judge_engine_storage },
	{ "engine.d_type", "file system below the images", CHECK_FAIL, CHECK_ENGINE, "engine.reachable", "engine /info DriverStatus",
	  "Move the engine's data to ext4, or to xfs made with ftype=1.",
	  "On overlay without d_type, files that a layer removes come back.",
	  applies_with_engine, judge_engine_d_type },
	{ "engine.store", "image store", CHECK_PASS, CHECK_ENGINE, "engine.reachable", "engine /info DriverStatus",
	  "Nothing to do.",
	  "Images of one store are not seen in the other: they are loaded again after a change.",
	  applies_with_engine, judge_engine_store },
	{ "engine.cgroup", "engine's control groups", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Boot with control groups version 2; engines are giving up version 1.",
	  "Version 1 is deprecated by systemd, runc and Docker, and limits less.",
	  applies_with_engine, judge_engine_cgroup },
	{ "engine.limits", "limits for containers", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "engine /info",
	  "Boot with `cgroup_enable=memory` (Raspberry Pi), or let systemd delegate the controllers to users "
	  "(rootless engines).",
	  "The stack's limits for each service do nothing where the kernel has no controller for them: one "
	  "service can take all memory.",
	  applies_with_engine, judge_engine_limits },
	{ 0 },
};
/* clang-format on */
