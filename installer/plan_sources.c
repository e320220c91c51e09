/* installer/plan_sources.c - do the servers answer that a plan loads from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/http_reach.h"
#include "installer/plan_private.h"
#include "payload/catalogue.h"

char *plan_mirror(const Settings *settings, json_t *inputs, const char *url)
{
	g_auto(GStrv) places = settings_mirrors(settings, url);
	json_t *mirrors = json_object_get(inputs, "mirrors");

	if (places[1] && !mirrors) {
		mirrors = json_object();
		json_object_set_new(inputs, "mirrors", mirrors);
	}
	if (places[1])
		json_object_set_new(mirrors, places[0],
		                    json_from_strv((const char *const *)places + 1));
	return g_strdup(places[0]);
}

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
		plan_wait_for(item->step, "packages");
	}
}

/* What a step loads, and the places where it may be had: @count of the URLs, from @first on. */
typedef struct {
	const PlanItem *item;
	guint first;
	guint count;
} Asked;

/* git takes the path of a repository without the ".git" that "git clone --mirror" gives it. */
static char *asked_place(const PlanItem *item, const char *place)
{
	g_autofree char *path = http_local_path(place);
	g_autofree char *bare = path && item->step->kind == &step_kind_source
	                                ? g_strconcat(path, ".git", NULL)
	                                : NULL;

	return g_strdup(bare && !file_exists(path) && file_exists(bare) ? bare : place);
}

static void add_asked(GArray *asked, GPtrArray *urls, const PlanItem *item, const char *source)
{
	g_auto(GStrv) places = step_places(item->step, source);
	Asked one = { item, urls->len, g_strv_length(places) };

	for (char **place = places; *place; place++)
		g_ptr_array_add(urls, asked_place(item, *place));
	g_array_append_val(asked, one);
}

/* Returns: (transfer full): of the items that are due, what can be asked. */
static GArray *list_sources(const Plan *plan, GPtrArray *urls)
{
	GArray *asked = g_array_new(FALSE, FALSE, sizeof(Asked));

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (!plan_item_is_due(item) || item->is_asked_later)
			continue;
		for (char **source = item->step->sources; *source; source++)
			add_asked(asked, urls, item, *source);
	}
	g_ptr_array_add(urls, NULL);
	return asked;
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

/* Returns: (transfer full) (nullable): why none of the places can be reached. */
static char *why_missing(const Asked *asked, char *const *urls, const bool *answers,
                         char *const *why)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = asked->first; i < asked->first + asked->count; i++) {
		if (answers[i])
			return NULL;
		g_string_append_printf(text, "%s%s: %s", text->len ? "; " : "", urls[i],
		                       why[i] ? why[i] : "no answer");
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static guint count_hosts(const GPtrArray *urls)
{
	g_autoptr(GHashTable) hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i + 1 < urls->len; i++) {
		char *host = http_host_of(urls->pdata[i]);

		g_hash_table_add(hosts, host ? host : g_strdup(urls->pdata[i]));
	}
	return g_hash_table_size(hosts);
}

/* One cause, one sentence: where several servers were asked and none answers. */
static void name_one_cause(const GPtrArray *urls, const bool *answers, char *const *why,
                           GString *missing)
{
	guint hosts = count_hosts(urls);

	for (guint i = 0; i + 1 < urls->len; i++)
		if (answers[i])
			return;
	if (missing->len == 0 || hosts < 2)
		return;
	g_string_printf(missing,
	                "none of the %u servers answers: this machine is offline, or a proxy or a "
	                "firewall is in the way (%s: %s)",
	                hosts, (const char *)urls->pdata[0], why[0] ? why[0] : "no answer");
}

/* Puts off what may be; names the rest in @missing. */
static void judge_sources(Plan *plan, const GArray *asked, const GPtrArray *urls, guint timeout_ms,
                          bool may_defer, GString *missing)
{
	char **why = NULL;
	g_autofree bool *answers = http_probe((const char *const *)urls->pdata, timeout_ms, &why);

	for (guint i = 0; i < asked->len; i++) {
		const Asked *one = &g_array_index(asked, Asked, i);
		const Step *step = one->item->step;
		g_autofree char *reason =
			why_missing(one, (char *const *)urls->pdata, answers, why);

		if (reason && (may_defer || step->kind->is_put_off))
			plan_defer(plan, step->id, reason);
		else if (reason)
			g_string_append_printf(missing, "%s%s", missing->len ? "; " : "", reason);
	}
	if (asked->len > 1)
		name_one_cause(urls, answers, why, missing);
	for (guint i = 0; i + 1 < urls->len; i++)
		g_free(why[i]);
	g_free(why);
}

bool plan_probe_sources(Plan *plan, guint timeout_ms, bool may_defer, GError **error)
{
	g_autoptr(GPtrArray) urls = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) asked = list_sources(plan, urls);
	g_autoptr(GString) missing = g_string_new(NULL);

	if (asked->len > 0)
		judge_sources(plan, asked, urls, timeout_ms, may_defer, missing);
	if (missing->len == 0)
		return true;

	g_autofree char *hint =
		g_strdup_printf("Nothing was changed. \"slipway check %s --network\" names the "
	                        "cause. Put these steps off with --defer, or name a mirror with "
	                        "--mirror.",
	                        plan->stack);
	fault_set(error, STATUS_UNAVAILABLE, hint, "cannot be reached: %s", missing->str);
	return false;
}
