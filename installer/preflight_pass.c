/* installer/preflight_pass.c - judges the machine before a plan is applied
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/findings.h"
#include "installer/preflight.h"

/* A step that only notes which tools are there asks nothing of a package manager. */
static bool installs_packages(const Plan *plan)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = g_ptr_array_index(plan->items, i);

		if (item->step->kind == &step_kind_packages && plan_item_is_due(item) &&
		    json_array_size(json_object_get(item->step->inputs, "packages")) > 0)
			return true;
	}
	return false;
}

/* Those of the plan, which may have moved away from the definition's. */
static void take_ports(Preflight *preflight, const Plan *plan)
{
	for (guint i = 0; i < preflight->ports->len; i++) {
		CheckPortNeed *need = &g_array_index(preflight->ports, CheckPortNeed, i);
		const json_t *number = json_object_get(plan->ports, need->name);

		if (json_is_integer(number))
			need->number = (guint64)json_integer_value(number);
	}
}

/* Returns: (transfer none) (nullable): the compose project that runs now, or will: its ports are its own. */
static const char *project_of(const Plan *plan)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = g_ptr_array_index(plan->items, i);

		if (item->step->kind == &step_kind_compose)
			return json_text(item->step->inputs, "project");
	}
	return NULL;
}

bool preflight_pass(App *app, const StackBundle *bundle, const Plan *plan, GError **error)
{
	const char *const *ignored = (const char *const *)settings_list(app->settings, "ignore");
	g_autoptr(Preflight) preflight = preflight_new(stacks_definition(bundle), plan->profile,
	                                               plan->prefix, app->paths->state);
	g_autoptr(Facts) facts = NULL;
	g_autoptr(GPtrArray) findings = NULL;

	preflight->term = app->term;
	preflight_take_installed(preflight, app, stacks_definition(bundle));
	preflight_set_packages(preflight, installs_packages(plan));
	preflight->needs.project = project_of(plan);
	take_ports(preflight, plan);
	facts = preflight_facts(preflight);
	if (preflight->needs.compose != NULL)
		facts_ask_compose(facts);
	findings = check_run_all(facts, &preflight->needs, ignored);

	findings_warn_unknown(app->term, ignored);
	findings_print(app->term, findings, false);
	return findings_pass(findings, error);
}
