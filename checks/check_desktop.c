/* checks/check_desktop.c - judges Docker Desktop's settings, and WSL's
 *
 * They count where the engine does not answer, and explain where it does.  Memory and the like that
 * the engine has told are not judged a second time here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_desktop.h"

/* Any swap will do, in bytes. */
#define SWAP_ANY 1

/* What Docker Desktop gives when nothing is set.  Source: its settings reference. */
#define SWAP_DEFAULT (G_GUINT64_CONSTANT(1) << 30)

/* Set and effective size differ by more than that when the machine was not restarted since, in percent:
 * its kernel keeps up to 7. */
#define PENDING_PERCENT 12

/* What a system keeps for itself: the larger of 4 GiB and a fifth.  Source: what Docker Desktop needs
 * beside its machine, and desktops that swap. */
#define HOST_MINIMUM_BYTES (G_GUINT64_CONSTANT(4) << 30)

bool applies_with_desktop(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && flavour_is_desktop(facts_flavour(facts));
}

/* Under WSL 2 the sizes are those of .wslconfig, and Desktop's own are not used. */
static bool applies_with_sizes(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_desktop(facts, needs) &&
	       facts_flavour(facts) != FLAVOUR_DESKTOP_WINDOWS;
}

static bool applies_with_wsl(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return facts->system.wsl == 2;
}

CheckFinding *desktop_add_unread(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	if (desktop->state == DESKTOP_READ)
		return NULL;
	if (desktop->state == DESKTOP_ABSENT)
		return finding_add(run, CHECK_SKIPPED, "no settings file found");
	return finding_add(run, CHECK_SKIPPED, "depends on desktop.settings");
}

static void judge_desktop_settings(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	CheckFinding *finding;

	if (desktop->state == DESKTOP_ABSENT && desktop->app == NULL &&
	    run->facts->engine.state != ENGINE_OK) {
		finding = finding_add(run, CHECK_SKIPPED, "Docker Desktop is not there");
	} else if (desktop->state == DESKTOP_READ) {
		finding = finding_add(run, CHECK_PASS, "read");
	} else if (desktop->state == DESKTOP_MALFORMED) {
		finding = finding_add(run, run->check->severity, desktop->why);
	} else {
		finding =
			finding_add(run, CHECK_UNKNOWN,
		                    desktop->why != NULL ? desktop->why : "no settings file found");
		if (desktop->state == DESKTOP_UNREADABLE &&
		    g_strcmp0(run->facts->system.name, "Darwin") == 0)
			finding_set_remedy(
				finding,
				g_strdup("System Settings > Privacy & Security > Full Disk Access: "
			                 "allow your terminal program, then check again."));
	}
	if (desktop->file != NULL)
		finding_set_source(finding, g_strdup(desktop->file));
}

/** One of Docker Desktop's settings against a need. */
typedef struct {
	DesktopSetting state;
	guint64 value;
	guint64 fallback; /* Docker Desktop's default; FACTS_UNKNOWN: it depends */
	guint64 needed;
	EngineSize size;
	const char *unit;
} DesktopValue;

/* Half of this machine. */
static guint64 default_memory(const Facts *facts)
{
	guint64 installed = facts->memory.installed_bytes;

	return installed != FACTS_UNKNOWN ? installed / 2 : FACTS_UNKNOWN;
}

static void judge_value(CheckRun *run, const DesktopValue *value)
{
	bool is_default = value->state == DESKTOP_SETTING_DEFAULT;
	char *remedy = remedy_size(run->facts, value->size, value->needed);
	CheckFinding *finding =
		finding_add_amount(run, &(Amount){ is_default ? value->fallback : value->value,
	                                           value->needed, 0, 0, value->unit });

	if (is_default && value->fallback == FACTS_UNKNOWN && value->needed != 0) {
		finding_set(&finding->measured,
		            g_strdup("Docker Desktop's default, which is not known"));
	} else if (is_default && value->needed != 0) {
		finding_set(&finding->measured,
		            g_strconcat(finding->measured, ", by default", NULL));
	}
	finding_set_source(finding, g_strdup(run->facts->desktop.file));
	if (remedy != NULL)
		finding_set_remedy(finding, remedy);
}

static void judge_size(CheckRun *run, guint64 effective, const DesktopValue *value)
{
	if (effective != FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_SKIPPED, "the engine says what it has");
	else if (desktop_add_unread(run) == NULL)
		judge_value(run, value);
}

static void judge_desktop_memory(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	judge_size(run, run->facts->engine.memory_bytes,
	           &(DesktopValue){ desktop->memory, desktop->memory_bytes,
	                            default_memory(run->facts), run->needs->memory_bytes,
	                            ENGINE_MEMORY, "bytes" });
}

/* All of this machine's, since 4.24. */
static void judge_desktop_cpus(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	judge_size(run, run->facts->engine.cpus,
	           &(DesktopValue){ desktop->cpus, desktop->cpu_count, run->facts->cpu.affinity,
	                            run->needs->cpus, ENGINE_CPUS, "CPUs" });
}

/* A fresh installation has taken 64 GiB, 1 TB or the size of the disk, by its version: its image says. */
static void judge_desktop_disk(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;

	if (desktop_add_unread(run) == NULL)
		judge_value(run, &(DesktopValue){
					 desktop->disk, desktop->disk_bytes, desktop->image_bytes,
					 run->needs->engine_disk_bytes, ENGINE_DISK, "bytes" });
}

/* 0 has been written by a person. */
static void judge_desktop_swap(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	CheckFinding *finding;

	if (desktop_add_unread(run) != NULL)
		return;

	judge_value(run, &(DesktopValue){ desktop->swap, desktop->swap_bytes, SWAP_DEFAULT,
	                                  SWAP_ANY, ENGINE_SWAP, "bytes" });
	finding = g_ptr_array_index(run->findings, run->findings->len - 1);
	finding_set(&finding->needed, g_strdup("more than 0"));
	finding_set_remedy(finding,
	                   g_strdup("Docker Desktop > Settings > Resources: set Swap to 1 GB "
	                            "or more, then Apply."));
}

static guint64 headroom(guint64 installed)
{
	return MAX(HOST_MINIMUM_BYTES, installed / 5);
}

guint64 check_desktop_memory_most(const Facts *facts)
{
	guint64 installed = facts->memory.installed_bytes;

	if (installed == FACTS_UNKNOWN)
		return FACTS_UNKNOWN;
	return installed > headroom(installed) ? installed - headroom(installed) : 0;
}

/* More than the machine has keeps Docker Desktop from starting. */
static void judge_desktop_headroom(CheckRun *run)
{
	const Facts *facts = run->facts;
	guint64 installed = facts->memory.installed_bytes;
	guint64 set = facts->desktop.memory == DESKTOP_SETTING_SET ? facts->desktop.memory_bytes
	                                                           : default_memory(facts);
	guint64 left = installed > set ? installed - set : 0;
	CheckFinding *finding;

	if (desktop_add_unread(run) != NULL)
		return;
	if (installed == FACTS_UNKNOWN || facts->desktop.memory == DESKTOP_SETTING_UNKNOWN) {
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
		return;
	}
	finding = finding_add_amount(run, &(Amount){ left, headroom(installed), 0, 0, "bytes" });
	finding_set_source(finding, g_strdup(facts->desktop.file));
}

static bool differs(guint64 set, guint64 effective)
{
	guint64 larger = MAX(set, effective);

	return larger - MIN(set, effective) > larger / 100 * PENDING_PERCENT;
}

static void judge_desktop_pending(CheckRun *run)
{
	const FactsEngine *engine = &run->facts->engine;
	const FactsDesktop *desktop = &run->facts->desktop;
	bool has_memory =
		desktop->memory == DESKTOP_SETTING_SET && engine->memory_bytes != FACTS_UNKNOWN;
	bool has_cpus = desktop->cpus == DESKTOP_SETTING_SET && engine->cpus != FACTS_UNKNOWN;
	bool is_pending = (has_memory && differs(desktop->memory_bytes, engine->memory_bytes)) ||
	                  (has_cpus && desktop->cpu_count != engine->cpus);

	if (desktop_add_unread(run) != NULL)
		return;
	if (!has_memory && !has_cpus)
		(void)finding_add(run, CHECK_SKIPPED, "nothing to compare");
	else
		(void)finding_add(run, is_pending ? run->check->severity : CHECK_PASS,
		                  is_pending ? "the engine has not what is set" : "in effect");
}

/* What images and volumes can still take.  The image grows: what is left in it is worth nothing when the
 * disk below is full.  How large one of Windows may become, no file says. */
static guint64 image_left(const FactsDesktop *desktop)
{
	guint64 limit = desktop->image_bytes;
	guint64 used = desktop->image_used_bytes;

	if (g_str_has_suffix(desktop->image_file, ".vhdx"))
		return desktop->image_free_bytes;
	if (limit == FACTS_UNKNOWN || used == FACTS_UNKNOWN ||
	    desktop->image_free_bytes == FACTS_UNKNOWN)
		return FACTS_UNKNOWN;
	return MIN(limit > used ? limit - used : 0, desktop->image_free_bytes);
}

static void judge_desktop_image(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	guint64 needed = run->needs->engine_disk_bytes;
	bool is_limited = false;
	guint64 left;
	CheckFinding *finding;

	if (desktop->image_file == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "no disk image found");
		return;
	}
	left = image_left(desktop);
	is_limited = left < desktop->image_free_bytes;
	finding = finding_add_amount(run, &(Amount){ left, needed, 0, 0, "bytes" });
	if (finding->verdict == CHECK_SKIPPED)
		return;
	finding_set_source(finding, g_strdup(desktop->image_file));
	finding_set_remedy(
		finding,
		is_limited
			? remedy_size(run->facts, ENGINE_DISK, desktop->image_used_bytes + needed)
			: g_strdup("Free space on the disk that holds the image, or remove "
	                           "images and volumes (`docker system prune`)."));
}

static void judge_wsl_config(CheckRun *run)
{
	const FactsWsl *wsl = &run->facts->wsl;
	CheckFinding *finding;

	if (wsl->why != NULL)
		finding = finding_add(run, run->check->severity, wsl->why);
	else if (wsl->file == NULL)
		finding = finding_add(run, CHECK_PASS, "none: half of the PC's memory");
	else
		finding = finding_add(run, CHECK_PASS, "in order");
	if (wsl->file != NULL)
		finding_set_source(finding, g_strdup(wsl->file));
}

static void judge_wsl_memory(CheckRun *run)
{
	const FactsWsl *wsl = &run->facts->wsl;
	guint64 installed = run->facts->memory.installed_bytes;
	bool is_pending = false;

	if (wsl->memory != DESKTOP_SETTING_SET || installed == FACTS_UNKNOWN) {
		(void)finding_add(run, CHECK_SKIPPED, "nothing to compare");
		return;
	}
	is_pending = differs(wsl->memory_bytes, installed);
	(void)finding_add(run, is_pending ? run->check->severity : CHECK_PASS,
	                  is_pending ? "this machine has not what is set" : "in effect");
}

static bool lists(const char *words, const char *word)
{
	g_auto(GStrv) list = g_strsplit(words != NULL ? words : "", " ", -1);

	return word != NULL && g_strv_contains((const char *const *)list, word);
}

/* Its engine is in another distribution; a link brings its socket here. */
static void judge_desktop_wsl(CheckRun *run)
{
	const FactsDesktop *desktop = &run->facts->desktop;
	const FactsWsl *wsl = &run->facts->wsl;
	bool is_listed = lists(desktop->wsl_distributions, wsl->distribution);
	CheckFinding *finding;

	if (run->facts->engine.state == ENGINE_OK) {
		(void)finding_add(run, CHECK_PASS, "its engine answers here");
		return;
	}
	if (desktop_add_unread(run) != NULL)
		return;
	finding = finding_add(run,
	                      is_listed                   ? CHECK_PASS
	                      : wsl->distribution == NULL ? CHECK_UNKNOWN
	                                                  : run->check->severity,
	                      is_listed ? "on" : "off for this distribution");
	finding_set_source(finding, g_strdup(desktop->file));
}

static bool applies_with_desktop_on_wsl(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_desktop(facts, needs) &&
	       facts_flavour(facts) == FLAVOUR_DESKTOP_WINDOWS;
}

/* clang-format off */
const Check check_rows_desktop[] = {
	{ "desktop.settings", "Docker Desktop's settings file", CHECK_WARN, CHECK_LOCAL, NULL, "settings-store.json, settings.json",
	  "Quit Docker Desktop, move the file away, and start it again: it makes a new one.",
	  "From 4.35 on the file is settings-store.json, and holds only what differs from the default; before, "
	  "it was settings.json. Both spellings are read. macOS may keep other programs from reading it.",
	  applies_with_desktop, judge_desktop_settings },
	{ "desktop.memory", "Docker Desktop's memory", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > Resources, then Apply.",
	  "What is set, while the engine cannot be asked. The default is half of the machine's memory.",
	  applies_with_sizes, judge_desktop_memory },
	{ "desktop.cpus", "Docker Desktop's processors", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > Resources, then Apply.",
	  "What is set, while the engine cannot be asked. The default is all processors.",
	  applies_with_sizes, judge_desktop_cpus },
	{ "desktop.disk", "Docker Desktop's disk", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > Resources, then Apply.",
	  "The disk image grows up to this limit; images and volumes of all projects share it. Making it "
	  "smaller removes them all.",
	  applies_with_sizes, judge_desktop_disk },
	{ "desktop.swap", "Docker Desktop's swap", CHECK_WARN, CHECK_LOCAL, NULL, "settings file",
	  "Docker Desktop > Settings > Resources, then Apply.",
	  "Without swap, a peak ends a container where it would have slowed down. The default is 1 GiB.",
	  applies_with_sizes, judge_desktop_swap },
	{ "desktop.headroom", "memory left beside Docker Desktop", CHECK_WARN, CHECK_LOCAL, NULL, "settings file, kernel",
	  "Docker Desktop > Settings > Resources: set Memory lower, then Apply.",
	  "The larger of 4 GiB and a fifth of the memory is left to the system and its programs; a machine "
	  "that is given more than there is does not start.",
	  applies_with_sizes, judge_desktop_headroom },
	{ "desktop.pending", "settings in effect", CHECK_WARN, CHECK_ENGINE, "engine.reachable", "settings file, engine /info",
	  "Docker Desktop's whale menu > Restart.",
	  "Set and effective size differ by more than 12 %: its kernel keeps up to 7. The machine was not "
	  "restarted after the change, or the file was edited while Docker Desktop ran.",
	  applies_with_sizes, judge_desktop_pending },
	{ "desktop.image", "Docker Desktop's disk image", CHECK_WARN, CHECK_LOCAL, NULL, "disk image, statvfs",
	  "Raise the limit, or free space on the disk below.",
	  "Two limits hold: how large the image may become, and what is free on the disk that it lies on. The "
	  "lower of both is what images and volumes can still take.",
	  applies_with_desktop, judge_desktop_image },
	{ "desktop.wsl", "Docker Desktop in this distribution", CHECK_FAIL, CHECK_LOCAL, NULL, "settings file, WSL_DISTRO_NAME",
	  "Docker Desktop > Settings > Resources > WSL integration: switch this distribution on, then Apply.",
	  "Docker Desktop brings its socket and programs only into distributions that are switched on.",
	  applies_with_desktop_on_wsl, judge_desktop_wsl },
	{ "wsl.config", "settings of WSL", CHECK_WARN, CHECK_LOCAL, NULL, ".wslconfig in the Windows home directory",
	  "Save it as %UserProfile%\\.wslconfig in UTF-8, with [wsl2] on a line of its own and sizes like 16GB; "
	  "then run `wsl --shutdown` in Windows.",
	  "WSL passes over what it does not understand without a word: another name, UTF-16, settings above "
	  "[wsl2], sizes without a unit.",
	  applies_with_wsl, judge_wsl_config },
	{ "wsl.memory", "settings of WSL in effect", CHECK_WARN, CHECK_LOCAL, NULL, ".wslconfig, kernel",
	  "Run `wsl --shutdown` in Windows, then open WSL again.",
	  "WSL reads .wslconfig when its machine starts, which lives on while a window is open.",
	  applies_with_wsl, judge_wsl_memory },
	{ 0 },
};
/* clang-format on */
