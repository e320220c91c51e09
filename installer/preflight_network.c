/* installer/preflight_network.c - asks the servers that a stack comes from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/preflight.h"

#include <string.h>

#include "base/fault.h"
#include "base/http_reach.h"
#include "base/progress.h"
#include "installer/receipt.h"
#include "installer/registries.h"

#define ROW "servers"

/** Servers, each by the first URL that names it. */
typedef struct {
	GPtrArray *urls; /* (element-type utf8) */
	GHashTable *hosts;
} Sources;

/* Returns: (transfer full): what tells servers apart; the URL itself where there is no host. */
static char *key_of(const char *url)
{
	char *host = http_host_of(url);

	return host != NULL ? host : g_strdup(url);
}

static void add_source(Sources *sources, const char *url)
{
	if (g_hash_table_add(sources->hosts, key_of(url)))
		g_ptr_array_add(sources->urls, g_strdup(url));
}

/* The engine loads them, but it does so from this machine's network. */
static void add_registries(App *app, const StackBundle *bundle, const char *member,
                           Sources *sources)
{
	g_autoptr(GBytes) bytes = stacks_read(bundle, member, NULL);
	gsize size_bytes = 0;
	const char *data = bytes != NULL ? g_bytes_get_data(bytes, &size_bytes) : NULL;
	g_autofree char *text = data != NULL ? g_strndup(data, size_bytes) : g_strdup("");
	g_auto(GStrv) hosts = registries_of_compose(text);

	for (char **host = hosts; *host != NULL; host++) {
		g_autofree char *url = g_strdup_printf("https://%s/v2/", *host);
		g_autofree char *mirrored = settings_mirror(app->settings, url);

		add_source(sources, mirrored);
	}
}

static bool is_compose_file(const char *member)
{
	g_autofree char *name = g_path_get_basename(member);

	return strstr(name, "compose") != NULL &&
	       (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml"));
}

static void add_plan(App *app, const StackBundle *bundle, const Plan *plan, Sources *sources)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = g_ptr_array_index(plan->items, i);
		const char *member = json_text(item->step->inputs, "from");

		for (char **url = item->step->sources; *url != NULL; url++)
			add_source(sources, *url);
		if (member != NULL && is_compose_file(member))
			add_registries(app, bundle, member, sources);
	}
}

/* A stack that cannot be planned for has been judged already, or says so when it is installed. */
static void add_stack(App *app, const StackBundle *bundle, const Facts *facts, Sources *sources)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, &error);
	const PlanRequest wanted = { .settings = app->settings,
		                     .paths = app->paths,
		                     .bundle = bundle,
		                     .facts = facts,
		                     .receipt = receipt };
	g_autoptr(Plan) plan = receipt != NULL ? plan_make(&wanted, &error) : NULL;

	if (plan != NULL) {
		add_plan(app, bundle, plan, sources);
		return;
	}
	g_autofree char *why = fault_message(error);
	term_warn(app->term, "the servers of %s are not asked: %s", stacks_definition(bundle)->name,
	          why);
}

static void add_embedded(App *app, const Facts *facts, Sources *sources)
{
	for (const char *const *name = stacks_embedded_names(); *name != NULL; name++) {
		g_autoptr(StackBundle) bundle = stacks_open(*name, NULL);

		if (bundle != NULL)
			add_stack(app, bundle, facts, sources);
	}
}

typedef struct {
	Progress *progress;
	guint count;
} Asking;

static void show_left(gpointer data, guint left)
{
	const Asking *asking = data;
	g_autofree char *detail =
		g_strdup_printf("%u of %u asked", asking->count - left, asking->count);

	progress_set(asking->progress, ROW, PROGRESS_RUNNING,
	             (double)(asking->count - left) / asking->count, detail);
}

/* In a terminal, a line that goes on; elsewhere two. */
static void ask(App *app, const GPtrArray *urls, Facts *facts)
{
	guint timeout_ms = settings_seconds(app->settings, "check-timeout") * 1000;
	const char *const *all = (const char *const *)(gpointer)urls->pdata;
	g_autofree char *text = g_strdup_printf("ask %u servers, for %u s at most", urls->len - 1,
	                                        timeout_ms / 1000);
	g_autoptr(Progress) progress =
		progress_new(app->term, "Asking where the stack is loaded from");
	Asking asking = { progress, urls->len - 1 };

	progress_add(progress, ROW, text, 1);
	progress_set(progress, ROW, PROGRESS_RUNNING, 0, NULL);
	facts_ask_servers(facts, all, timeout_ms, show_left, &asking);
	progress_set(progress, ROW, PROGRESS_DONE, 1, NULL);
}

void preflight_ask_servers(App *app, const StackBundle *bundle, Facts *facts)
{
	Sources sources = { g_ptr_array_new_with_free_func(g_free),
		            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) };

	if (bundle != NULL)
		add_stack(app, bundle, facts, &sources);
	else
		add_embedded(app, facts, &sources);

	g_ptr_array_add(sources.urls, NULL);
	if (sources.urls->len > 1)
		ask(app, sources.urls, facts);
	g_ptr_array_unref(sources.urls);
	g_hash_table_unref(sources.hosts);
}
