/* installer/plan_sources.c - do the servers answer that a plan loads from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/http.h"
#include "installer/plan_private.h"
#include "payload/catalogue.h"

/* Whether the plan installs what the catalogue calls @name. */
static bool brings_tool(const Plan *plan, const char *name)
{
	const PlanItem *item = plan_find(plan, "packages");
	const CatalogueTool *tool = catalogue_find(catalogue_get(), name);

	if (!tool || !item || !plan_item_is_due(item))
		return false;

	const char *manager = json_text_or(item->step->inputs, "manager", "");
	const char *const *names = catalogue_packages(tool, manager);
	g_auto(GStrv) packages = json_to_strv(json_object_get(item->step->inputs, "packages"));
	return names && g_strv_contains((const char *const *)packages, *names);
}

static bool loads_by_https(const PlanItem *item)
{
	for (char **url = item->step->sources; *url; url++)
		if (g_ascii_strncasecmp(*url, "https:", strlen("https:")) == 0)
			return true;

	return false;
}

void plan_hold_sources(Plan *plan)
{
	if (!http_lacks_certificates() || !brings_tool(plan, "ca-certificates"))
		return;

	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *item = plan->items->pdata[i];
		if (!loads_by_https(item))
			continue;
		item->is_asked_later = true;
		plan_wait_for_packages(item->step);
	}
}

/* Returns: (transfer container): the items that are due, once for each URL that can be asked. */
static GPtrArray *list_sources(const Plan *plan, GPtrArray *urls)
{
	GPtrArray *items = g_ptr_array_new();

	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *item = plan->items->pdata[i];
		if (!plan_item_is_due(item) || item->is_asked_later)
			continue;
		for (char **url = item->step->sources; *url; url++) {
			g_ptr_array_add(urls, *url);
			g_ptr_array_add(items, item);
		}
	}
	g_ptr_array_add(urls, NULL);
	return items;
}

bool plan_ask(Plan *plan, const StepHost *host, GError **error)
{
	for (guint i = 0; i < plan->items->len; i++) {
		PlanItem *item = plan->items->pdata[i];
		StepRun run = { .step = item->step, .receipt = item->record, .host = host };
		bool is_open = item->probe == PROBE_FOREIGN || plan_item_is_due(item);

		if (is_open && item->step->kind->ask &&
		    !item->step->kind->ask(&run, &item->probe, error)) {
			g_prefix_error(error, "%s: ", item->step->id);
			return false;
		}
	}

	return true;
}

bool plan_probe_sources(Plan *plan, guint timeout_ms, bool may_defer, GError **error)
{
	g_autoptr(GPtrArray) urls = g_ptr_array_new();
	g_autoptr(GPtrArray) items = list_sources(plan, urls);
	g_autoptr(GString) missing = g_string_new(NULL);
	char **why = NULL;

	if (items->len == 0)
		return true;

	g_autofree bool *answers = http_probe((const char *const *)urls->pdata, timeout_ms, &why);
	for (guint i = 0; i < items->len; i++) {
		PlanItem *item = items->pdata[i];
		if (answers[i])
			continue;

		g_autofree char *reason = g_strdup_printf("%s: %s", (const char *)urls->pdata[i],
		                                          why[i] ? why[i] : "no answer");
		if (may_defer || item->step->kind->is_put_off) {
			plan_defer(plan, item->step->id, reason);
			continue;
		}
		g_string_append_printf(missing, "%s%s", missing->len ? "; " : "", reason);
	}
	for (guint i = 0; i < items->len; i++)
		g_free(why[i]);
	g_free(why);

	if (missing->len == 0)
		return true;

	fault_set(error, STATUS_UNAVAILABLE,
	          "Nothing was changed. Put these steps off with --defer, or name a mirror with "
	          "--mirror.",
	          "cannot be reached: %s", missing->str);
	return false;
}
