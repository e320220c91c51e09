/* installer/command_keys_sync.c - "slipway keys sync": hands keys over to containers again
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <unistd.h>

#include "base/fault.h"
#include "installer/handover.h"
#include "installer/handover_users.h"
#include "installer/keys.h"
#include "installer/receipt.h"
#include "installer/session.h"

static gboolean is_up;
static gboolean is_at_boot;

const GOptionEntry command_keys_sync_options[] = {
	{ "up", 0, 0, G_OPTION_ARG_NONE, &is_up,
	  "start the services too, those whose keys changed in new containers", NULL },
	{ "at-boot", 0, 0, G_OPTION_ARG_NONE, &is_at_boot,
	  "as the unit does it that runs when the machine starts", NULL },
	{ 0 },
};

/* One compose project of an installed stack. */
typedef struct {
	App *app;
	const StepHost *host;
	const char *stack;
	const json_t *inputs;
	const json_t *result; /* what the receipt says of the project */
	const json_t *record; /* and of the hand-over */
	const char *key;      /* (nullable): whose users are looked for */
} Target;

typedef struct {
	Handover handover;
	ComposeProject *project;
	char **services; /* whose keys changed */
	bool is_started;
} Outcome;

static void outcome_clear(Outcome *outcome)
{
	compose_project_free(outcome->project);
	handover_clear(&outcome->handover);
	g_strfreev(outcome->services);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

/* The unit of root runs in front of the engine, which then starts its containers by itself; that of a
 * user runs behind it, when containers have looked for their keys in vain. */
static bool is_start_wanted(void)
{
	return is_up || (is_at_boot && geteuid() != 0);
}

static bool start(const Target *target, Outcome *outcome, GError **error)
{
	g_autoptr(GError) fault = NULL;
	g_auto(ComposeState) state = { 0 };

	if (!is_start_wanted())
		return true;
	if (!compose_ask(outcome->project, &state, &fault)) {
		if (is_at_boot && fault_status(fault) == STATUS_UNAVAILABLE)
			return true; /* an engine that is yet to come finds the keys there */
		g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	if (state.containers == 0 || state.foreign > 0) {
		term_note(target->app->term, "%s has no containers of ours; nothing was started.",
		          target->stack);
		return true;
	}

	outcome->is_started = true;
	return (is_at_boot || !*outcome->services ||
	        compose_recreate(outcome->project, outcome->services, error)) &&
	       compose_up(outcome->project, error);
}

static json_t *names_to_json(const GPtrArray *names)
{
	json_t *array = json_array();

	for (guint i = 0; i < names->len; i++)
		json_array_append_new(array, json_string(names->pdata[i]));
	return array;
}

static json_t *describe(const Target *target, const Outcome *outcome)
{
	const Handover *it = &outcome->handover;

	return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:b}", "stack", target->stack,
	                 "project", outcome->project->project, "directory", it->directory, "keys",
	                 json_from_strv((const char *const *)it->names), "changed",
	                 names_to_json(it->changed), "from_environment", names_to_json(it->passing),
	                 "recreate", json_from_strv((const char *const *)outcome->services),
	                 "started", outcome->is_started);
}

static void tell(const Target *target, const Outcome *outcome)
{
	const Handover *it = &outcome->handover;
	Term *term = target->app->term;
	g_autofree char *services = g_strjoinv(", ", outcome->services);

	if (it->directory)
		term_print(term, "%s: %u of %u keys written to %s.\n", target->stack,
		           it->changed->len, g_strv_length(it->names), it->directory);
	else
		term_print(term, "%s: compose copies %u keys into the containers.\n", target->stack,
		           g_strv_length(it->names));
	g_autofree char *note = handover_note(it);
	if (note)
		term_note(term, "Note: %s", note);
	if (*outcome->services && !is_start_wanted() && !is_at_boot)
		term_note(term,
		          "Running services (%s) have the keys of before until they are started "
		          "again: slipway keys sync %s --up",
		          services, target->stack);
}

static bool sync_project(const Target *target, json_t *list, GError **error)
{
	g_auto(Outcome) outcome = { .project = compose_project_recorded(target->inputs,
		                                                        target->result, error),
		                    .handover.is_for_running = !is_start_wanted() };

	if (!outcome.project || !handover_make(target->inputs, target->record, target->host,
	                                       outcome.project, &outcome.handover, error))
		return false;

	outcome.services = handover_services(target->inputs, outcome.handover.changed);
	bool is_done = start(target, &outcome, error);
	json_array_append_new(list, describe(target, &outcome));
	tell(target, &outcome);
	return is_done;
}

typedef bool (*Visit)(const Target *target, json_t *list, GError **error);

/* Every project of @only, or of all stacks, that keys are handed over to; goes on after a failure, and
 * returns the first one. */
static bool visit_projects(const Target *about, const json_t *receipt, Visit visit, json_t *list,
                           GError **error)
{
	g_autoptr(GError) first = NULL;
	const char *stack = NULL;
	json_t *entry = NULL;

	json_object_foreach(json_object_get(receipt, "stacks"), stack, entry)
	{
		const json_t *steps = json_object_get(entry, "steps");
		for (gsize i = 0; i < json_array_size(steps); i++) {
			const json_t *step = json_array_get(steps, i);
			const json_t *result = json_object_get(step, "result");
			Target target = *about;
			GError **place = first ? NULL : &first;

			target.stack = stack;
			target.inputs = json_object_get(step, "inputs");
			target.result = result;
			target.record = json_object_get(result, "handover");
			if (!target.record || json_flag(result, "is_down") ||
			    (about->stack && !g_str_equal(about->stack, stack)))
				continue;
			if (!visit(&target, list, place) && place)
				g_prefix_error(place, "%s: ", stack);
		}
	}
	if (first)
		g_propagate_error(error, g_steal_pointer(&first));
	return !first;
}

bool command_keys_sync(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "keys-sync", error);
	g_autoptr(HostState) host = lock ? host_new(app, NULL, error) : NULL;
	g_autoptr(json_t) receipt = host ? receipt_load(app->paths->state, error) : NULL;
	g_autoptr(json_t) list = json_array();

	if (!receipt)
		return false;
	if (argc > 0 && !receipt_stack(receipt, argv[0]))
		return receipt_fail_absent(receipt, argv[0], error);

	Target about = { .app = app, .host = host_get(host), .stack = argc > 0 ? argv[0] : NULL };
	bool is_done = visit_projects(&about, receipt, sync_project, list, error);
	session_put(app, "projects", json_incref(list));
	if (is_done && json_array_size(list) == 0)
		term_print(app->term, "No keys are handed over to containers.\n");
	return is_done;
}

static bool add_user(const Target *target, json_t *list, GError **error G_GNUC_UNUSED)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(names, g_strdup(target->key));
	g_auto(GStrv) services = handover_services(target->inputs, names);
	if (!*services)
		return true;

	g_autofree char *text = g_strjoinv(", ", services);
	term_note(target->app->term,
	          "Services of %s have the value of before (%s): slipway keys sync %s --up",
	          target->stack, text, target->stack);
	json_array_append_new(list, json_pack("{s:s, s:o}", "stack", target->stack, "services",
	                                      json_from_strv((const char *const *)services)));
	return true;
}

void handover_tell_users(App *app, const char *name)
{
	const char *profile = settings_text(app->settings, "key-profile");
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, NULL);
	json_t *list = json_object_get(app->document, "recreate");
	Target about = { .app = app, .key = name };

	if (!receipt || g_strcmp0(profile, keys_profile_of_command(app)) != 0)
		return; /* containers get the keys of that profile alone */
	if (!list) {
		list = json_array();
		session_put(app, "recreate", list);
	}
	(void)visit_projects(&about, receipt, add_user, list, NULL);
}
