/* installer/policy.c - what the settings allow a plan to do
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/policy.h"

#include "base/fault.h"
#include "installer/privilege.h"

static bool needs_root(const PlanItem *item)
{
	return plan_item_is_due(item) && *item->step->commands;
}

static bool is_irreversible(const PlanItem *item)
{
	return plan_item_is_due(item) && item->step->irreversible;
}

/* Returns: (transfer full): "STEP, STEP" of the due steps that @is_meant says; "" if there is none. */
static char *name_steps(const Plan *plan, bool (*is_meant)(const PlanItem *item))
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (is_meant(item))
			g_ptr_array_add(names, item->step->text);
	}
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **)names->pdata);
}

static bool keep_from_root(const Settings *settings, Plan *plan, GError **error)
{
	g_autofree char *names = name_steps(plan, needs_root);

	if (!settings_flag(settings, "user") || *names == '\0')
		return true;
	if (!settings_flag(settings, "defer")) {
		fault_set(error, STATUS_DENIED,
		          "Let root run what \"--print-root-script\" prints, or add --defer to go "
		          "on without it.",
		          "--user rules root out, and it is needed to %s", names);
		return false;
	}

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (needs_root(item))
			plan_defer(plan, item->step->id, "it needs root, which --user rules out");
	}
	return true;
}

static bool keep_reversible(const Settings *settings, const Plan *plan, GError **error)
{
	g_autofree char *names = name_steps(plan, is_irreversible);

	if (*names == '\0')
		return true;
	if (settings_flag(settings, "reversible-only")) {
		fault_set(error, STATUS_DENIED, "Leave those out with --skip.",
		          "--reversible-only, and nothing takes this back: %s", names);
		return false;
	}
	if (!settings_flag(settings, "yes") || *settings_list(settings, "accept"))
		return true;

	fault_set(
		error, STATUS_USAGE,
		"Look at the plan, then add --accept=irreversible, or leave those out with --skip.",
		"--yes accepts what can be taken back only, and nothing takes this back: %s",
		names);
	return false;
}

GPtrArray *policy_root_commands(const Plan *plan)
{
	GPtrArray *commands = g_ptr_array_new();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		for (char **line = item->step->commands; *line && plan_item_is_due(item); line++)
			g_ptr_array_add(commands, *line);
	}
	g_ptr_array_add(commands, NULL);
	return commands;
}

static bool can_be_root(const Plan *plan, GError **error)
{
	g_autoptr(GPtrArray) commands = policy_root_commands(plan);

	return privilege_is_possible((const char *const *)commands->pdata, error);
}

bool policy_apply(const App *app, Plan *plan, GError **error)
{
	return keep_from_root(app->settings, plan, error) && can_be_root(plan, error) &&
	       keep_reversible(app->settings, plan, error);
}

/* A command that reads its stdin gets it: "root_input" of the step, one for each command. */
static void append_command(GString *script, const Step *step, gsize index)
{
	const json_t *inputs = json_object_get(step->inputs, "root_input");
	const char *input = json_string_value(json_array_get(inputs, index));

	g_string_append(script, step->commands[index]);
	if (input)
		g_string_append_printf(script, " <<'END'\n%s%sEND", input,
		                       g_str_has_suffix(input, "\n") ? "" : "\n");
	g_string_append_c(script, '\n');
}

char *policy_root_script(const Plan *plan)
{
	GString *script = g_string_new("#!/bin/sh\n");
	gsize empty = 0;

	g_string_append_printf(script, "# What root is needed for on this machine: %s.\n",
	                       plan->title);
	g_string_append(script, "set -eu\n");
	empty = script->len;
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (!needs_root(item))
			continue;
		g_string_append_printf(script, "\n# %s\n", item->step->text);
		for (gsize j = 0; item->step->commands[j]; j++)
			append_command(script, item->step, j);
	}
	if (script->len == empty)
		g_string_append(script, "\n# Nothing.\n");
	return g_string_free(script, FALSE);
}
