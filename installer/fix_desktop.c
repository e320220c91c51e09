/* installer/fix_desktop.c - which of Docker Desktop's settings "check --fix" can mend
 *
 * Only what takes nothing from anybody: no setting that a person may have chosen, no disk made smaller.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_flavour.h"
#include "installer/desktop.h"
#include "installer/fix_private.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)
/* Sizes are set in steps of that: those of the slider in Docker Desktop's window. */
#define STEP_MIB 512
/* The kernel of its machine keeps up to 7 % to itself. */
#define KERNEL_PERCENT 7
#define SWAP_MIB 1024

/* Returns: (transfer full) (nullable): NULL where no value would do. */
static json_t *memory_value(const FixRequest *request)
{
	const CheckNeeds *needs = request->needs;
	guint64 most = check_desktop_memory_most(request->facts);
	const guint64 wishes[] = { needs->memory_recommended_bytes, needs->memory_bytes };

	for (gsize i = 0; most != FACTS_UNKNOWN && i < G_N_ELEMENTS(wishes); i++) {
		guint64 mib = (wishes[i] + wishes[i] / 100 * KERNEL_PERCENT) / MIB;
		guint64 rounded = (mib + STEP_MIB - 1) / STEP_MIB * STEP_MIB;

		if (wishes[i] > 0 && rounded * MIB <= most)
			return json_integer((json_int_t)rounded);
	}
	return NULL;
}

static json_t *cpus_value(const FixRequest *request)
{
	guint64 here = request->facts->cpu.affinity;
	guint64 wanted = request->needs->cpus;

	return here != FACTS_UNKNOWN && wanted > 0 && wanted <= here
	               ? json_integer((json_int_t)wanted)
	               : NULL;
}

static json_t *swap_value(const FixRequest *request G_GNUC_UNUSED)
{
	return json_integer(SWAP_MIB);
}

static json_t *on_value(const FixRequest *request G_GNUC_UNUSED)
{
	return json_true();
}

/* Docker's own machine monitor has no Rosetta: choosing another one is for a person to do. */
static json_t *rosetta_value(const FixRequest *request)
{
	return request->facts->desktop.docker_vmm == DESKTOP_SWITCH_ON ? NULL : json_true();
}

/** A setting that mends a check; @lock: the name by which an administrator locks it. */
typedef struct {
	const char *check, *name, *lock;
	json_t *(*value)(const FixRequest *request);
} DesktopFix;

static const DesktopFix desktop_table[] = {
	{ "engine.memory", "MemoryMiB", NULL, memory_value },
	{ "desktop.memory", "MemoryMiB", NULL, memory_value },
	{ "engine.cpus", "Cpus", NULL, cpus_value },
	{ "desktop.cpus", "Cpus", NULL, cpus_value },
	{ "desktop.swap", "SwapMiB", NULL, swap_value },
	{ "desktop.rosetta", "UseVirtualizationFrameworkRosetta",
	  "useVirtualizationFrameworkRosetta", rosetta_value },
	{ "desktop.virtiofs", "UseVirtualizationFrameworkVirtioFS",
	  "useVirtualizationFrameworkVirtioFS", on_value },
};

static bool is_locked(const Facts *facts, const char *name)
{
	const char *locked = facts->desktop.locked;
	g_auto(GStrv) names = g_strsplit(locked ? locked : "", " ", -1);

	return name && g_strv_contains((const char *const *)names, name);
}

static void append_words(GString *list, const char *between, const char *words)
{
	g_string_append_printf(list, "%s%s", list->len > 0 ? between : "", words);
}

/* Returns: (transfer full): what is to be set; @checks: what that mends. */
static json_t *choose(const FixRequest *request, GString *checks)
{
	json_t *wanted = json_object();

	for (gsize i = 0; i < G_N_ELEMENTS(desktop_table); i++) {
		const DesktopFix *fix = &desktop_table[i];
		bool is_meant = fix_is_unmet(request->findings, fix->check) &&
		                !is_locked(request->facts, fix->lock);
		json_t *value = is_meant ? fix->value(request) : NULL;

		if (!value)
			continue;
		json_object_set_new(wanted, fix->name, value);
		append_words(checks, " ", fix->check);
	}
	return wanted;
}

static char *value_text(const json_t *value)
{
	if (json_is_boolean(value))
		return g_strdup(json_is_true(value) ? "on" : "off");
	return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

/* "MemoryMiB from 2048 to 8704" */
static char *describe_changes(const json_t *settings, const json_t *wanted)
{
	GString *list = g_string_new(NULL);
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)wanted, name, value)
	{
		g_autofree char *spelling = desktop_spelling(settings, name);
		json_t *now = json_object_get(settings, spelling);
		g_autofree char *before = now ? value_text(now) : g_strdup("its default");
		g_autofree char *after = value_text(value);

		append_words(list, ", ", name);
		g_string_append_printf(list, " from %s to %s", before, after);
	}
	return g_string_free(list, FALSE);
}

/* Windows' own file is not ours to write: Docker Desktop runs on the other side. */
static bool is_ours(const Facts *facts)
{
	Flavour flavour = facts_flavour(facts);

	return facts->desktop.state == DESKTOP_READ &&
	       (flavour == FLAVOUR_DESKTOP_LINUX || flavour == FLAVOUR_DESKTOP_MACOS);
}

Step *fix_desktop(const FixRequest *request)
{
	const Facts *facts = request->facts;
	g_autoptr(json_t) settings = is_ours(facts) && facts->desktop.file
	                                     ? desktop_read(facts->desktop.file, NULL)
	                                     : NULL;
	g_autoptr(GString) checks = g_string_new(NULL);
	g_autoptr(json_t) wanted = settings ? choose(request, checks) : NULL;

	if (json_object_size(wanted) == 0)
		return NULL;

	g_autofree char *changes = describe_changes(settings, wanted);
	const char *restart = desktop_is_running()
	                              ? "; Docker Desktop is stopped for it and started again, and "
	                                "its containers with it"
	                              : "";
	return fix_step_new(
		&step_kind_desktop, "desktop-settings", checks->str,
		g_strdup_printf("set %s in %s%s", changes, facts->desktop.file, restart),
		json_pack("{s:s, s:O}", "path", facts->desktop.file, "wanted", wanted));
}
