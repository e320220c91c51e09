/* installer/lifecycle_status.c - how the services of a stack are now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_status.h"

#include "installer/deploy_state.h"
#include "installer/handover.h"
#include "installer/lifecycle_show.h"
#include "installer/lifecycle_stats.h"
#include "installer/service.h"

/** One project while it is looked at. */
typedef struct {
	const Lifecycle *life;
	const LifeProject *project;
	GPtrArray *services;
	bool is_down;
} Look;

/* Services whose configuration is not the one that the receipt knows. */
static json_t *changed_services(const Look *look)
{
	const json_t *hashes = json_object_get(look->project->result, "services");
	json_t *changed = json_array();

	for (guint i = 0; i < look->services->len; i++) {
		const LifeService *service = look->services->pdata[i];
		const char *hash = json_text_or(hashes, service->name, "");
		if (service->container && service->state != SERVICE_STANDBY &&
		    !g_str_equal(hash, service->hash))
			json_array_append_new(changed, json_string(service->name));
	}
	return changed;
}

static void print_list(Term *term, const char *text, const json_t *names)
{
	g_auto(GStrv) list = json_to_strv(names);
	g_autofree char *joined = g_strjoinv(", ", list);

	if (*list)
		term_print(term, "%s: %s\n", text, joined);
}

static json_t *describe_keys(const Look *look)
{
	const json_t *record = json_object_get(look->project->result, "handover");
	const json_t *names = json_object_get(record, "names");
	const char *directory = json_text(record, "directory");
	bool is_there = handover_is_there(record);
	Term *term = look->life->app->term;

	if (!record)
		return NULL;
	if (!look->is_down)
		print_list(term,
		           !directory ? "Keys, copied into the containers by compose"
		           : is_there ? "Keys, handed over in memory"
		                      : "Keys are missing (\"slipway keys sync\" brings them back)",
		           names);
	return json_pack("{s:O, s:b, s:s?}", "names", names, "are_there",
	                 is_there && !look->is_down, "directory", directory);
}

static void print_drift(const Look *look, const json_t *changed, bool is_edited)
{
	Term *term = look->life->app->term;

	print_list(term, "Made anew since the receipt was written", changed);
	if (is_edited && !look->is_down)
		term_print(
			term,
			"The compose files were changed since; \"slipway up %s\" applies that.\n",
			look->life->name);
}

static void print_colours(const Look *look, const DeployState *state)
{
	const DeployColour *active = &state->colours[state->active];
	Term *term = look->life->app->term;

	term_print(term, "%s has the traffic, with %s (%s).\n", stack_colours[state->active],
	           active->image, active->id);
	if (state->unfinished)
		term_print(term,
		           "The deployment %s did not end: \"slipway deploy %s --rollback\" takes "
		           "it back, a new one replaces it.\n",
		           state->unfinished->id, look->life->name);
}

/* Which colour is active, once something was deployed. */
static json_t *describe_colours(const Look *look)
{
	g_autofree char *directory =
		deploy_directory(look->life->app->paths->state, look->life->name);
	DeployState state = { 0 };
	json_t *shown = NULL;
	bool is_there = false;

	if (look->project->compose->colours && !look->is_down &&
	    deploy_state_read(directory, &state, &is_there, NULL) && is_there) {
		print_colours(look, &state);
		shown = deploy_state_to_json(&state);
	}
	deploy_state_clear(&state);
	return shown;
}

static json_t *describe_project(const Look *look)
{
	const ComposeProject *compose = look->project->compose;
	g_autofree char *digest = compose_digest(compose);
	const char *recorded = json_text(look->project->result, "digest");
	bool is_edited = g_strcmp0(digest, recorded) != 0;
	json_t *changed = changed_services(look);

	print_drift(look, changed, is_edited);
	return json_pack("{s:s, s:s?, s:b, s:b, s:o, s:o*, s:o*}", "project", compose->project,
	                 "engine", compose->engine, "is_down", look->is_down, "files_changed",
	                 is_edited, "services_changed", changed, "keys", describe_keys(look),
	                 "deployment", describe_colours(look));
}

static void print_resources(const Look *look, json_t *described)
{
	static const char *const headings[] = { "service", "memory", "of", "cpu", "processes" };
	g_autofree LifeStats *stats = stats_ask(look->project->compose->engine, look->services);
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < look->services->len; i++) {
		const LifeStats *one = &stats[i];
		const LifeService *service = look->services->pdata[i];

		if (!one->is_known)
			continue;
		json_object_set_new(json_array_get(described, i), "resources",
		                    json_pack("{s:I, s:I, s:f, s:I}", "memory_bytes",
		                              (json_int_t)one->memory_bytes, "memory_limit_bytes",
		                              (json_int_t)one->limit_bytes, "cpu_percent",
		                              one->cpu_percent, "processes",
		                              (json_int_t)one->processes));
		g_ptr_array_add(cells, g_strdup(service->name));
		g_ptr_array_add(cells,
		                g_format_size_full(one->memory_bytes, G_FORMAT_SIZE_IEC_UNITS));
		g_ptr_array_add(cells,
		                g_format_size_full(one->limit_bytes, G_FORMAT_SIZE_IEC_UNITS));
		g_ptr_array_add(cells, g_strdup_printf("%.1f %%", one->cpu_percent));
		g_ptr_array_add(cells, g_strdup_printf("%" G_GUINT64_FORMAT, one->processes));
	}
	term_print(look->life->app->term, "\n");
	term_table(look->life->app->term, headings, G_N_ELEMENTS(headings), cells);
}

static void show_project(const Look *look, bool has_resources, json_t *services, json_t *projects)
{
	g_autoptr(json_t) described = describe_services(look->project, look->services);

	if (look->is_down)
		term_print(look->life->app->term, "It is down. \"slipway up %s\" starts it.\n",
		           look->life->name);
	else
		show_services(look->life, look->project, look->services);
	json_array_append_new(projects, describe_project(look));
	if (has_resources && !look->is_down)
		print_resources(look, described);
	json_array_extend(services, described);
}

/* @service: as the receipt has it. */
static json_t *show_native(Term *term, const json_t *service, GPtrArray *cells)
{
	bool is_running = service_is_running(service);
	const char *state = is_running ? "running" : "stopped";
	const char *name = json_text_or(service, "name", "?");
	const char *manager = json_text_or(service, "manager", "?");
	const char *title = json_text_or(service, "title", "");

	g_ptr_array_add(cells, g_strdup(name));
	g_ptr_array_add(cells, term_styled(term, is_running ? TERM_GOOD : TERM_BAD, state));
	g_ptr_array_add(cells, g_strdup(manager));
	g_ptr_array_add(cells, g_strdup(title));
	return json_pack("{s:s, s:s, s:b, s:s, s:s}", "service", name, "state", state, "is_well",
	                 is_running, "manager", manager, "role", title);
}

/* What was started by a step, and runs without an engine. */
static void show_natives(const Lifecycle *life, json_t *list, LifeSummary *summary)
{
	static const char *const headings[] = { "service", "state", "manager", "what" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	const json_t *steps = json_object_get(life->entry, "steps");

	for (gsize i = 0; i < json_array_size(steps); i++) {
		const json_t *result = json_object_get(json_array_get(steps, i), "result");
		const json_t *service = json_object_get(result, "service");
		if (!json_is_object(service))
			continue;

		json_t *shown = show_native(life->app->term, service, cells);
		summary->natives++;
		summary->natives_ill += !json_flag(shown, "is_well");
		json_array_append_new(list, shown);
	}
	if (summary->natives > 0)
		term_table(life->app->term, headings, G_N_ELEMENTS(headings), cells);
}

bool life_status(const Lifecycle *life, bool has_resources, json_t *shown, LifeSummary *summary,
                 GError **error)
{
	json_t *services = json_array();
	json_t *projects = json_array();
	json_t *natives = json_array();

	json_object_set_new(shown, "native_services", natives);
	json_object_set_new(shown, "services", services);
	json_object_set_new(shown, "projects", projects);
	*summary = (LifeSummary){ 0 };
	show_natives(life, natives, summary);
	summary->is_down = life->projects->len + summary->natives > 0 &&
	                   summary->natives_ill == summary->natives;
	for (guint i = 0; i < life->projects->len; i++) {
		const LifeProject *project = life->projects->pdata[i];
		g_autoptr(GPtrArray) found = services_list(life, project, error);

		if (!found)
			return false;
		const Look look = { life, project, found,
			            services_count_there(found) == 0 &&
			                    json_flag(project->result, "is_down") };
		show_project(&look, has_resources, services, projects);
		summary->services += found->len;
		summary->ill += services_count_ill(found);
		summary->is_down = summary->is_down && look.is_down;
	}
	return true;
}
