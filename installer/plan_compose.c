/* installer/plan_compose.c - the compose projects of a stack that is installed with another profile
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose_project.h"
#include "installer/plan_private.h"
#include "installer/receipt.h"

/* Returns: (transfer none) (nullable): the item that goes on with the project of @record. */
static PlanItem *find_heir(const Plan *plan, const json_t *record)
{
	const char *project = json_text(json_object_get(record, "inputs"), "project");

	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *item = plan->items->pdata[i];

		if (item->step->kind == &step_kind_compose &&
		    g_strcmp0(json_text(item->step->inputs, "project"), project) == 0)
			return item;
	}
	return NULL;
}

static void add_files(json_t *earlier, char *const *files, char *const *own)
{
	for (; files && *files; files++)
		if (!g_strv_contains((const char *const *)own, *files))
			json_array_append_new(earlier, json_string(*files));
}

/* A container that stays as it is goes on naming the files that it was made from. */
static void know_files(Step *step, const json_t *record)
{
	g_autoptr(ComposeProject) now = compose_project_new(step->inputs, NULL);
	g_autoptr(ComposeProject) before =
		compose_project_new(json_object_get(record, "inputs"), NULL);
	g_autoptr(json_t) earlier = json_array();

	if (!now || !before)
		return;
	add_files(earlier, before->files, now->files);
	add_files(earlier, before->earlier, now->files);
	if (json_array_size(earlier) > 0)
		json_object_set(step->inputs, "earlier", earlier);
}

static void take_over(PlanItem *item, json_t *record)
{
	const char *id = json_text_or(record, "id", "");

	know_files(item->step, record);
	if (g_str_equal(item->step->id, id))
		return;
	json_put(item->step->inputs, "replaces", id);
	item->record = record;
}

/* A step that stops what nothing in the plan goes on with; data and files stay, as for "down".  The
 * others wait for it: they may want its ports. */
static void retire(Plan *plan, const json_t *record)
{
	const json_t *before = json_object_get(record, "inputs");
	const char *id = json_text_or(record, "id", "");
	g_autofree char *text =
		g_strdup_printf("stop the containers of %s", json_text_or(before, "project", id));
	g_autofree char *why = g_strdup_printf("the profile %s has none", plan->profile);
	g_autoptr(json_t) inputs = json_copy((json_t *)(guintptr)before);
	g_autoptr(json_t) object =
		json_pack("{s:s, s:s, s:s, s:s, s:O, s:i}", "id", id, "kind", "compose", "text",
	                  text, "why", why, "inputs", inputs, "weight", 10);

	json_object_set_new(inputs, "is_retired", json_true());
	Step *step = step_from_json(object, NULL);
	if (!step)
		return;
	for (guint i = 0; i < plan->items->len; i++)
		plan_wait_for(((PlanItem *)plan->items->pdata[i])->step, id);
	plan_add_item(plan, step);
}

void plan_settle_projects(Plan *plan)
{
	const json_t *steps = json_object_get(plan->receipt, "steps");

	for (gsize i = 0; i < json_array_size(steps); i++) {
		json_t *record = json_array_get(steps, i);
		PlanItem *heir = NULL;

		if (g_strcmp0(json_text(record, "kind"), step_kind_compose.name) != 0)
			continue;
		heir = find_heir(plan, record);
		if (heir)
			take_over(heir, record);
		else if (!json_flag(json_object_get(record, "inputs"), "is_retired") &&
		         !plan_find(plan, json_text_or(record, "id", ""))) /* of another project */
			retire(plan, record);
	}
}
