/* checks/check_engine.c - judges the container engine, compose and Docker Desktop
 *
 * The engine's own answer is the truth; Docker Desktop's settings explain it and say what to
 * change.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* A virtual machine's kernel keeps 1 to 7 % of what was set for it. */
#define MEMORY_TOLERANCE_PERCENT 7

/* Any swap will do, in bytes. */
#define SWAP_ANY 1

bool applies_with_engine(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->engine != NULL;
}

bool applies_with_compose(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->compose != NULL;
}

static bool is_desktop(const Facts *facts)
{
	if (facts->engine.product != NULL)
		return strstr(facts->engine.product, "Docker Desktop") != NULL;
	return facts->desktop.state != DESKTOP_ABSENT;
}

/* Under WSL 2 the sizes are those of .wslconfig, and Desktop's own are not used. */
bool applies_with_desktop(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && is_desktop(facts) && facts->system.wsl != 2;
}

void judge_engine_cli(CheckRun *run)
{
	const char *cli = run->facts->engine.cli;

	(void)finding_add(run, cli != NULL ? CHECK_PASS : run->check->severity,
	                  cli != NULL ? cli : "not found");
}

/** What the user can do about each answer; NULL: the row's own. */
static const struct {
	const char *measured, *remedy;
} state_table[] = {
	[ENGINE_NOT_ASKED] = { "not asked", NULL },
	[ENGINE_OK] = { "answers", NULL },
	[ENGINE_ABSENT] = { "no engine",
	                    "Install Docker; where it is installed, start it, or choose "
	                    "its context with `docker context use`." },
	[ENGINE_DENIED] = { "permission denied",
	                    "Add yourself to the group of the socket (`sudo usermod -aG docker "
	                    "$USER`), then log in again." },
	[ENGINE_REFUSED] = { "not running",
	                     "Start the engine: `sudo systemctl start docker`, or open "
	                     "Docker Desktop." },
	[ENGINE_NO_ANSWER] = { "no answer",
	                       "The engine may be paused, starting or hanging: look at "
	                       "`docker info`, or restart it." },
	[ENGINE_REMOTE] = { "not on this machine",
	                    "Unset DOCKER_HOST or choose a local context; ports and disks here are "
	                    "not those of that engine." },
};

void judge_engine_reachable(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	bool is_open = engine->state == ENGINE_NOT_ASKED || engine->state == ENGINE_REMOTE;
	CheckVerdict verdict = engine->state == ENGINE_OK ? CHECK_PASS
	                       : is_open                  ? CHECK_UNKNOWN
	                                                  : run->check->severity;
	g_autofree char *measured =
		engine->why != NULL ? g_strdup_printf("%s: %s", state_table[engine->state].measured,
	                                              engine->why)
				    : g_strdup(state_table[engine->state].measured);
	CheckFinding *finding = finding_add(run, verdict, measured);

	if (state_table[engine->state].remedy != NULL)
		finding_set(&finding->remedy, g_strdup(state_table[engine->state].remedy));
	if (engine->endpoint != NULL)
		finding_set(&finding->source, g_strdup_printf("%s (%s)", engine->endpoint,
		                                              engine->endpoint_source != NULL
		                                                      ? engine->endpoint_source
		                                                      : "?"));
}

void judge_engine_version(CheckRun *run)
{
	(void)finding_add_version(run, run->facts->engine.version, run->needs->engine);
}

void judge_engine_os_type(CheckRun *run)
{
	const char *type = run->facts->engine.os_type;
	CheckVerdict verdict = CHECK_UNKNOWN;

	if (type != NULL)
		verdict = strcmp(type, "linux") == 0 ? CHECK_PASS : run->check->severity;
	finding_set(&finding_add(run, verdict, type)->needed, g_strdup("linux"));
}

/* Where the size of the engine's machine is set. */
static void explain_size(CheckRun *run, CheckFinding *finding, const char *what)
{
	const Facts *facts = run->facts;

	if (facts->system.wsl == 2)
		finding_set(&finding->remedy,
		            g_strdup_printf("Raise \"%s\" in .wslconfig, then run "
		                            "`wsl --shutdown` in Windows.",
		                            what));
	else if (is_desktop(facts))
		finding_set(&finding->remedy,
		            g_strdup_printf("Docker Desktop > Settings > Resources: set %s to at "
		                            "least %s, then Apply.",
		                            what, finding->needed != NULL ? finding->needed : "?"));
}

void judge_engine_memory(CheckRun *run)
{
	explain_size(run,
	             finding_add_amount(run, &(Amount){ run->facts->engine.memory_bytes,
	                                                run->needs->memory_bytes,
	                                                run->needs->memory_recommended_bytes,
	                                                MEMORY_TOLERANCE_PERCENT, "bytes" }),
	             "memory");
}

void judge_engine_cpus(CheckRun *run)
{
	explain_size(run,
	             finding_add_amount(run, &(Amount){ run->facts->engine.cpus, run->needs->cpus,
	                                                0, 0, "CPUs" }),
	             "processors");
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

void judge_engine_disk(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	CheckFinding *finding;

	if (engine->root_free_bytes == FACTS_UNKNOWN && is_desktop(run->facts)) {
		(void)finding_add(run, CHECK_SKIPPED, "inside Docker Desktop's virtual machine");
		return;
	}
	if (run->needs->engine_disk_bytes == 0) {
		(void)finding_add(run, CHECK_SKIPPED, "the stack states no need");
		return;
	}
	finding = finding_add_amount(
		run, &(Amount){ engine->root_free_bytes, needed_by_engine(run), 0, 0, "bytes" });
	if (engine->root_dir != NULL)
		finding_set(&finding->source, g_strconcat("free for ", engine->root_dir, NULL));
}

void judge_engine_storage(CheckRun *run)
{
	static const char *const slow[] = { "vfs", "aufs", "devicemapper", "fuse-overlayfs", NULL };
	const char *driver = run->facts->engine.storage_driver;
	CheckVerdict verdict = CHECK_UNKNOWN;

	if (driver != NULL)
		verdict = g_strv_contains(slow, driver) ? run->check->severity : CHECK_PASS;
	(void)finding_add(run, verdict, driver);
}

void judge_engine_cgroup(CheckRun *run)
{
	const char *version = run->facts->engine.cgroup_version;
	CheckVerdict verdict = CHECK_UNKNOWN;

	if (version != NULL)
		verdict = strcmp(version, "2") == 0 ? CHECK_PASS : run->check->severity;
	finding_set(&finding_add(run, verdict, version)->needed, g_strdup("2"));
}

bool engine_is_outside(const Facts *facts)
{
	const char *container = facts->system.container;

	return container != NULL && strcmp(container, "chroot") != 0 &&
	       facts->engine.is_here != FACT_YES;
}

void judge_engine_sibling(CheckRun *run)
{
	bool is_outside = engine_is_outside(run->facts);

	(void)finding_add(run, is_outside ? run->check->severity : CHECK_PASS,
	                  is_outside ? run->facts->system.container : "the same machine");
}

void judge_compose_plugin(CheckRun *run)
{
	const char *plugin = run->facts->engine.compose;

	(void)finding_add(run, plugin != NULL ? CHECK_PASS : run->check->severity,
	                  plugin != NULL ? plugin : "not found");
}

void judge_compose_version(CheckRun *run)
{
	(void)finding_add_version(run, run->facts->engine.compose_version, run->needs->compose);
}

/** One of Docker Desktop's settings against a need. */
typedef struct {
	DesktopSetting state;
	guint64 value;
	guint64 needed;
	const char *unit;
} DesktopValue;

static void judge_desktop(CheckRun *run, const DesktopValue *value)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	CheckFinding *finding;

	if (desktop->state != DESKTOP_READ)
		finding =
			finding_add(run, CHECK_UNKNOWN,
		                    desktop->why != NULL ? desktop->why : "no settings file found");
	else if (value->needed == 0)
		finding = finding_add(run, CHECK_SKIPPED, "the stack states no need");
	else if (value->state == DESKTOP_SETTING_DEFAULT)
		finding = finding_add(run, CHECK_PASS, "Docker Desktop's default");
	else
		finding = finding_add_amount(
			run, &(Amount){ value->value, value->needed, 0, 0, value->unit });

	if (value->needed == SWAP_ANY && finding->needed != NULL)
		finding_set(&finding->needed, g_strdup("more than 0"));
	if (desktop->file != NULL)
		finding_set(&finding->source, g_strdup(desktop->file));
}

void judge_desktop_memory(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	judge_desktop(run, &(DesktopValue){ desktop->memory, desktop->memory_bytes,
	                                    run->needs->memory_bytes, "bytes" });
}

void judge_desktop_cpus(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	judge_desktop(run, &(DesktopValue){ desktop->cpus, desktop->cpu_count, run->needs->cpus,
	                                    "CPUs" });
}

void judge_desktop_disk(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	judge_desktop(run, &(DesktopValue){ desktop->disk, desktop->disk_bytes,
	                                    run->needs->engine_disk_bytes, "bytes" });
}

/* 0 has been written by a person. */
void judge_desktop_swap(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	judge_desktop(run,
	              &(DesktopValue){ desktop->swap, desktop->swap_bytes, SWAP_ANY, "bytes" });
}
