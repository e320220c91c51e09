/* installer/stack_lint_definition.c - rules about stack.ini alone
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/plan.h"
#include "installer/stack_lint_private.h"

/** A way to install the stack. */
typedef struct {
	Lint *lint;
	const char *name; /* "" in a stack without profiles */
	const char *section;
	bool has_compose;
} Way;

static bool has_section(const Way *way, const char *start)
{
	const GPtrArray *sections = ini_sections(way->lint->stack->ini);

	for (guint i = 0; i < sections->len; i++) {
		const char *section = sections->pdata[i];
		const char *profiles = ini_value(way->lint->stack->ini, section, "profiles");
		g_auto(GStrv) in = ini_list(profiles ? profiles : "");

		if (g_str_has_prefix(section, start) && stack_in_profile(in, way->name))
			return true;
	}
	return false;
}

/* Returns: whether the way has a step of @kind whose @key has @text in it. */
static bool has_step(const Way *way, const char *kind, const char *key, const char *text)
{
	const GPtrArray *steps = way->lint->stack->steps;

	for (guint i = 0; i < steps->len; i++) {
		const StackStep *step = steps->pdata[i];
		const char *value = g_hash_table_lookup(step->values, key);

		if (g_str_equal(step->kind, kind) && stack_in_profile(step->profiles, way->name) &&
		    value && strstr(value, text))
			return true;
	}
	return false;
}

static void judge_keys(const Way *way)
{
	const GPtrArray *keys = way->lint->stack->keys;
	bool has_any = false;

	for (guint i = 0; i < keys->len; i++) {
		const StackKey *key = keys->pdata[i];
		g_autofree char *section = g_strconcat("key ", key->name, NULL);
		const LintPlace place = lint_section(way->lint, section, key->name);

		if (!*key->services || !stack_in_profile(key->profiles, way->name))
			continue;
		has_any = true;
		if (key->kind == STACK_KEY_GENERATED && !has_step(way, "key", "name", key->name))
			lint_note(way->lint, "key-step", &place, "no step makes the key %s",
			          key->name);
	}
	if (has_any && !has_step(way, "unit", "run", "keys sync ")) {
		const LintPlace place = lint_section(way->lint, way->section, way->name);
		lint_note(way->lint, "key-boot", &place,
		          "nothing hands the keys over again when the machine starts");
	}
}

/* Two stacks side by side want the same port now and then. */
static void judge_ports(const Way *way)
{
	const GPtrArray *ports = way->lint->stack->ports;

	for (guint i = 0; i < ports->len; i++) {
		const StackPort *port = ports->pdata[i];
		g_autofree char *section = g_strconcat("port ", port->name, NULL);
		const LintPlace place = lint_section(way->lint, section, port->name);
		g_autofree char *name = g_strdelimit(g_strdup(port->name), "-", '_');

		if (stack_in_profile(port->profiles, way->name) &&
		    !plan_port_is_movable(way->lint->bundle, way->name, port))
			lint_note(way->lint, "port-move", &place,
			          "no template of the stack says @port_%s@", name);
	}
}

/* A Debian machine: what a step lacks does not depend on the machine. */
static Facts *some_machine(void)
{
	Facts *facts = facts_new();

	g_free(facts->system.id);
	g_free(facts->system.version);
	g_free(facts->system.architecture);
	g_free(facts->packages.manager);
	facts->system.id = g_strdup("debian");
	facts->system.version = g_strdup("13");
	facts->system.architecture = g_strdup("x86_64");
	facts->packages.manager = g_strdup("apt");
	return facts;
}

/* What a tool or a place is on this machine is not the definition's fault. */
static void judge_plan(const Way *way)
{
	g_autoptr(Facts) facts = some_machine();
	g_autoptr(Settings) settings = settings_new_default();
	g_autoptr(json_t) receipt = json_object();
	g_autoptr(GError) cause = NULL;
	g_autoptr(Paths) paths = paths_new(NULL);
	const PlanRequest request = { settings, paths, way->lint->bundle, facts, receipt };

	if (!paths || (*way->name && !settings_set_flag(settings, "profile", way->name, NULL)))
		return;
	g_autoptr(Plan) plan = plan_make(&request, &cause);
	if (plan || (fault_status(cause) != STATUS_CONFIG && fault_status(cause) != STATUS_DATA))
		return;

	const LintPlace place = lint_section(way->lint, way->section, way->name);
	g_autofree char *message = fault_message(cause);
	lint_note(way->lint, "plan", &place, "%s", message);
}

static void judge_way(const Way *way)
{
	const LintPlace place = lint_section(way->lint, way->section, way->name);

	if (way->lint->stack->steps->len == 0)
		return;
	if (way->lint->bundle)
		judge_plan(way);
	if (!has_section(way, "test "))
		lint_note(way->lint, "test", &place, "%s%s has no test",
		          *way->name ? "the profile " : "it", way->name);
	if (way->has_compose)
		judge_keys(way);
	if (way->has_compose && way->lint->bundle)
		judge_ports(way);
}

void lint_definition(Lint *lint)
{
	const Stack *stack = lint->stack;
	guint count = MAX(stack->profiles->len, 1);

	for (guint i = 0; i < count; i++) {
		const StackProfile *profile =
			stack->profiles->len ? stack->profiles->pdata[i] : NULL;
		g_autofree char *section =
			profile ? g_strconcat("profile ", profile->name, NULL) : g_strdup("stack");
		Way way = { .lint = lint,
			    .name = profile ? profile->name : "",
			    .section = section };

		way.has_compose = has_step(&way, "compose", "kind", "compose");
		judge_way(&way);
	}
}
