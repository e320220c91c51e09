/* installer/plan.c - what is due, what is put off, and how it is shown
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/plan_private.h"

#include <string.h>

#include "base/fault.h"
#include "installer/receipt.h"

void plan_free(Plan *plan)
{
	if (!plan)
		return;

	g_free(plan->stack);
	g_free(plan->title);
	g_free(plan->profile);
	g_free(plan->prefix);
	g_free(plan->stack_dir);
	json_decref(plan->identity);
	json_decref(plan->tests);
	json_decref(plan->receipt);
	json_decref(plan->ports);
	g_free(plan->clash);
	g_clear_pointer(&plan->items, g_ptr_array_unref);
	g_free(plan);
}

PlanItem *plan_find(const Plan *plan, const char *id)
{
	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *item = plan->items->pdata[i];
		if (g_str_equal(item->step->id, id))
			return item;
	}

	return NULL;
}

void plan_add_item(Plan *plan, Step *step)
{
	PlanItem *item = g_new0(PlanItem, 1);

	item->step = step;
	item->record = receipt_step_before(plan->receipt, step->id, step->inputs);
	g_ptr_array_add(plan->items, item);
}

void plan_wait_for(Step *step, const char *id)
{
	guint count = g_strv_length(step->after);

	if (g_strv_contains((const char *const *)step->after, id))
		return;
	step->after = g_renew(char *, step->after, count + 2);
	step->after[count] = g_strdup(id);
	step->after[count + 1] = NULL;
}

static bool needs(const PlanItem *item, const char *id)
{
	return g_strv_contains((const char *const *)item->step->after, id);
}

/* Returns: whether all that the item needs and that is in the plan stands in @sorted. */
static bool is_ready(const Plan *plan, const PlanItem *item, GPtrArray *sorted)
{
	for (char **id = item->step->after; *id; id++) {
		PlanItem *other = plan_find(plan, *id);
		if (other && !g_ptr_array_find(sorted, other, NULL))
			return false;
	}

	return true;
}

/* stack_parse() refused cycles, so each round places at least one item. */
static void sort_items(Plan *plan)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();

	while (sorted->len < plan->items->len)
		for (guint i = 0; i < plan->items->len; i++) {
			PlanItem *item = plan->items->pdata[i];
			if (!g_ptr_array_find(sorted, item, NULL) && is_ready(plan, item, sorted))
				g_ptr_array_add(sorted, item);
		}

	memcpy(plan->items->pdata, sorted->pdata, sorted->len * sizeof(gpointer));
}

/* Adds to @ids what those in it need, or what needs them, until nothing more comes. */
static void close_over(const Plan *plan, GHashTable *ids, bool is_downward)
{
	for (bool is_growing = true; is_growing;) {
		is_growing = false;
		for (guint i = 0; i < plan->items->len; i++) {
			const PlanItem *item = plan->items->pdata[i];
			for (char **id = item->step->after; *id; id++) {
				const char *from = is_downward ? *id : item->step->id;
				char *to = is_downward ? item->step->id : *id;
				if (g_hash_table_contains(ids, from) && g_hash_table_add(ids, to))
					is_growing = true;
			}
		}
	}
}

static bool add_ids(const Plan *plan, GHashTable *ids, char *const *names, GError **error)
{
	for (; *names; names++) {
		PlanItem *item = plan_find(plan, *names);
		if (!item) {
			fault_set(error, STATUS_USAGE, "\"slipway plan\" lists the steps.",
			          "%s has no step \"%s\"", plan->stack, *names);
			return false;
		}
		g_hash_table_add(ids, item->step->id);
	}

	return true;
}

static void keep_items(Plan *plan, GHashTable *ids, bool is_kept)
{
	for (guint i = plan->items->len; i-- > 0;) {
		PlanItem *item = plan->items->pdata[i];
		if ((bool)g_hash_table_contains(ids, item->step->id) != is_kept)
			g_ptr_array_remove_index(plan->items, i);
	}
}

bool plan_select(Plan *plan, char *const *only, char *const *skip, GError **error)
{
	g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) unwanted = g_hash_table_new(g_str_hash, g_str_equal);

	sort_items(plan);
	if (!add_ids(plan, wanted, only, error) || !add_ids(plan, unwanted, skip, error))
		return false;

	close_over(plan, wanted, false);
	close_over(plan, unwanted, true);
	if (*skip)
		keep_items(plan, unwanted, false);
	if (*only)
		keep_items(plan, wanted, true);
	return true;
}

bool plan_item_is_due(const PlanItem *item)
{
	return !item->deferred && probe_is_due(item->probe);
}

bool plan_probe(Plan *plan, const StepHost *host, GError **error)
{
	g_autoptr(GString) in_the_way = g_string_new(NULL);

	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *item = plan->items->pdata[i];
		StepRun run = { .step = item->step, .receipt = item->record, .host = host };

		if (!item->step->kind->probe(&run, &item->probe, error)) {
			g_prefix_error(error, "%s: ", item->step->id);
			return false;
		}
		if (item->probe == PROBE_FOREIGN && !item->step->kind->keeps_foreign)
			g_string_append_printf(
				in_the_way, "%s%s (step %s)", in_the_way->len ? ", " : "",
				json_text_or(item->step->inputs, "path", item->step->text),
				item->step->id);
	}

	if (in_the_way->len == 0)
		return true;

	fault_set(error, STATUS_CANNOT_CREATE,
	          "Move it away, or choose another place with --prefix or --bin.",
	          "not ours, and in the way: %s", in_the_way->str);
	return false;
}

void plan_defer(Plan *plan, const char *id, const char *why)
{
	PlanItem *item = plan_find(plan, id);

	if (!item || item->deferred)
		return;

	item->deferred = g_strdup(why);
	g_autofree char *reason = g_strdup_printf("waits for step %s", id);
	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *other = plan->items->pdata[i];
		if (needs(other, id) && plan_item_is_due(other))
			plan_defer(plan, other->step->id, reason);
	}
}

guint plan_count_due(const Plan *plan)
{
	guint count = 0;

	for (guint i = 0; i < plan->items->len; i++)
		count += plan_item_is_due(plan->items->pdata[i]);
	return count;
}

guint plan_count_deferred(const Plan *plan)
{
	guint count = 0;

	for (guint i = 0; i < plan->items->len; i++)
		count += ((PlanItem *)plan->items->pdata[i])->deferred != NULL;
	return count;
}

json_t *plan_to_json(const Plan *plan)
{
	json_t *steps = json_array();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		json_t *step = step_to_json(item->step);

		json_put(step, "deferred", item->deferred);
		json_object_set_new(step, "due", json_boolean(plan_item_is_due(item)));
		json_object_set(step, "record", item->record);
		json_array_append_new(steps, step);
	}

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:O, s:O*, s:o}", "stack", plan->stack,
	                 "title", plan->title, "profile", plan->profile, "prefix", plan->prefix,
	                 "stack_dir", plan->stack_dir, "identity", plan->identity, "tests",
	                 plan->tests, "receipt", plan->receipt, "steps", steps);
}

static bool add_item_from_json(Plan *plan, const json_t *object, GError **error)
{
	Step *step = step_from_json(object, error);

	if (!step)
		return false;

	PlanItem *item = g_new0(PlanItem, 1);
	item->step = step;
	item->probe = json_flag(object, "due") ? PROBE_ABSENT : PROBE_OURS;
	item->deferred = g_strdup(json_text(object, "deferred"));
	item->record = json_object_get(object, "record");
	g_ptr_array_add(plan->items, item);
	return true;
}

Plan *plan_from_json(const json_t *object, GError **error)
{
	g_autoptr(Plan) plan = g_new0(Plan, 1);
	const json_t *steps = json_object_get(object, "steps");
	gsize i = 0;
	json_t *step = NULL;

	plan->stack = g_strdup(json_need_text(object, "stack", error));
	if (!plan->stack)
		return NULL;

	plan->title = g_strdup(json_text_or(object, "title", plan->stack));
	plan->profile = g_strdup(json_text_or(object, "profile", ""));
	plan->prefix = g_strdup(json_text_or(object, "prefix", ""));
	plan->stack_dir = g_strdup(json_text_or(object, "stack_dir", ""));
	plan->identity = json_incref(json_object_get(object, "identity"));
	plan->tests = json_incref(json_object_get(object, "tests"));
	plan->receipt = json_incref(json_object_get(object, "receipt"));
	plan->items = plan_items_new();
	json_array_foreach(steps, i, step)
	{
		if (!add_item_from_json(plan, step, error))
			return NULL;
		PlanItem *item = plan->items->pdata[plan->items->len - 1];
		item->record =
			receipt_step_before(plan->receipt, item->step->id, item->step->inputs);
	}

	return g_steal_pointer(&plan);
}

static const char *state_word(const PlanItem *item)
{
	if (item->deferred)
		return "deferred";

	switch (item->probe) {
	case PROBE_ABSENT:
		return "do";
	case PROBE_PARTIAL:
	case PROBE_BESIDE:
		return item->record ? "renew" : "do";
	case PROBE_EDITED:
	case PROBE_FOREIGN:
		return "keep";
	case PROBE_OURS:
		break;
	}
	return "ok";
}

json_t *plan_describe(const Plan *plan)
{
	json_t *steps = json_array();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		const Step *step = item->step;
		json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", step->id, "kind",
		                           step->kind->name, "text", step->text, "why", step->why,
		                           "state", state_word(item));

		json_object_set_new(object, "after",
		                    json_from_strv((const char *const *)step->after));
		json_object_set_new(object, "commands",
		                    json_from_strv((const char *const *)step->commands));
		json_object_set_new(object, "sources",
		                    json_from_strv((const char *const *)step->sources));
		json_put(object, "irreversible", step->irreversible);
		json_put(object, "deferred", item->deferred);
		if (item->is_asked_later)
			json_object_set_new(object, "asked_later", json_true());
		json_array_append_new(steps, object);
	}

	return steps;
}

static void print_lines(const Plan *plan, Term *term, const char *heading, bool is_root)
{
	bool has_heading = false;

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		char *one[] = { item->step->irreversible, NULL };

		if (!plan_item_is_due(item))
			continue;
		for (char **line = is_root ? item->step->commands : one; *line; line++) {
			if (!has_heading)
				term_print(term, "\n%s\n", heading);
			has_heading = true;
			term_print(term, "  %s\n", *line);
		}
	}
}

static void print_asked_later(const Plan *plan, Term *term)
{
	g_autoptr(GString) ids = g_string_new(NULL);

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (item->is_asked_later && plan_item_is_due(item))
			g_string_append_printf(ids, "%s%s", ids->len ? ", " : "", item->step->id);
	}
	if (ids->len)
		term_print(term,
		           "\nNo CA certificates yet: what %s loads is asked for once the packages "
		           "are there.\n",
		           ids->str);
}

static void print_ports(const Plan *plan, Term *term)
{
	const char *name = NULL;
	json_t *number = NULL;

	if (!plan->clash)
		return;
	term_print(term, "\nPort %s is taken; all move, and stay there:", plan->clash);
	json_object_foreach(plan->ports, name, number)
		term_print(term, " %s %d", name, (int)json_integer_value(number));
	term_print(term, "\n");
}

void plan_print(const Plan *plan, Term *term)
{
	static const char *const headings[] = { "", "step", "what" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];

		g_ptr_array_add(cells, g_strdup(state_word(item)));
		g_ptr_array_add(cells, g_strdup(item->step->id));
		g_ptr_array_add(cells, item->deferred ? g_strdup_printf("%s (%s)", item->step->text,
		                                                        item->deferred)
		                                      : g_strdup(item->step->text));
	}

	term_print(term, "Plan for %s (%s) in %s\n\n", plan->title,
	           *plan->profile ? plan->profile : "no profile", plan->prefix);
	term_table(term, headings, G_N_ELEMENTS(headings), cells);
	print_ports(plan, term);
	print_asked_later(plan, term);
	print_lines(plan, term, "As root, exactly:", true);
	print_lines(plan, term, "Cannot be undone:", false);
}
