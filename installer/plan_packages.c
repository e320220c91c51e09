/* installer/plan_packages.c - which packages a stack's tools take on this machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/package_manager.h"
#include "installer/plan_private.h"
#include "installer/tools.h"
#include "payload/catalogue.h"

static void add_tools(const Stack *stack, const char *profile, json_t *inputs)
{
	json_t *tools = json_object_get(inputs, "tools");

	for (guint i = 0; i < stack->tools->len; i++) {
		const StackTool *tool = stack->tools->pdata[i];
		if (stack_in_profile(tool->profiles, profile))
			json_array_append_new(tools, json_pack("{s:s, s:s*}", "name", tool->name,
			                                       "minimum", tool->minimum));
	}
}

static bool add_missing(const char *manager, const json_t *wanted, json_t *packages, GError **error)
{
	const char *name = json_text_or(wanted, "name", "");
	const char *minimum = json_text(wanted, "minimum");
	const CatalogueTool *tool = catalogue_find(catalogue_get(), name);

	if (!tool) {
		fault_set(error, STATUS_CONFIG, NULL, "the tool catalogue has no \"%s\"", name);
		return false;
	}
	if (tools_probe(tool, minimum, NULL, NULL, NULL))
		return true;

	const char *const *names = manager ? catalogue_packages(tool, manager) : NULL;
	if (!names) {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install it by hand, then run the command again.",
		          "%s %s is missing, and %s", tool->title,
		          minimum ? minimum : "(any version)",
		          manager ? "this system's package manager has no package for it"
		                  : "slipway knows no package manager of this system");
		return false;
	}
	for (; *names; names++)
		json_array_append_new(packages, json_string(*names));
	return true;
}

static bool is_there(const Step *step, const json_t *record)
{
	StepRun run = { .step = step, .receipt = record };
	Probe probe = PROBE_ABSENT;

	return step->kind->probe(&run, &probe, NULL) && probe == PROBE_OURS;
}

static bool find_missing(Step *step, const char *manager, GError **error)
{
	json_t *packages = json_object_get(step->inputs, "packages");
	const json_t *tools = json_object_get(step->inputs, "tools");
	gsize i = 0;
	json_t *wanted = NULL;

	json_array_foreach(tools, i,
	                   wanted) if (!add_missing(manager, wanted, packages, error)) return false;

	return true;
}

static void describe(Step *step, const char *manager)
{
	g_auto(GStrv) packages = json_to_strv(json_object_get(step->inputs, "packages"));
	g_autofree char *joined = g_strjoinv(", ", packages);

	step->text = *packages ? g_strdup_printf("install %s with %s", joined, manager)
	                       : g_strdup("note the tools that are there already");
	step->commands = *packages ? packages_commands(manager, (const char *const *)packages)
	                           : g_new0(char *, 1);
	step->weight = *packages ? step->kind->weight : 1;
}

Step *plan_build_packages(const PlanRequest *request, const char *profile, const json_t *record,
                          GError **error)
{
	const Stack *stack = stacks_definition(request->bundle);
	const char *manager = request->facts->packages.manager;
	g_autoptr(Step) step = g_new0(Step, 1);

	step->id = g_strdup("packages");
	step->kind = &step_kind_packages;
	step->why = g_strdup_printf("%s [tool ...]", stack->ini_name);
	step->after = g_new0(char *, 1);
	step->sources = g_new0(char *, 1);
	step->inputs = json_pack("{s:s*, s:[], s:[], s:i}", "manager", manager, "packages", "tools",
	                         "lock_timeout_s",
	                         (int)settings_seconds(request->settings, "package-lock-timeout"));
	add_tools(stack, profile, step->inputs);
	if (!is_there(step, record) && !find_missing(step, manager, error))
		return NULL;

	describe(step, manager);
	return g_steal_pointer(&step);
}
