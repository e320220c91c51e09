/* installer/command_status.c - "slipway status" and "slipway config"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/drift.h"
#include "installer/host.h"
#include "installer/keys.h"
#include "installer/lifecycle_status.h"
#include "installer/receipt.h"
#include "installer/session.h"

static gboolean has_resources;
static gboolean is_deep;

const GOptionEntry command_status_options[] = {
	{ "resources", 0, 0, G_OPTION_ARG_NONE, &has_resources,
	  "show what the services use, too; takes two seconds", NULL },
	{ "drift", 0, 0, G_OPTION_ARG_NONE, &is_deep,
	  "compare every file that was installed, too; may take a while", NULL },
	{ 0 },
};

static void print_deferred(App *app, const json_t *stack)
{
	const json_t *deferred = json_object_get(stack, "deferred");
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(deferred, i, step)
		term_print(app->term, "  deferred  %s (%s)\n", json_text_or(step, "text", "?"),
	                   json_text_or(step, "why", "?"));
	if (json_array_size(deferred) > 0)
		term_print(app->term, "  finish with: slipway resume\n");
}

/* @is_brief: only those that are not as they should be; the services speak for the containers. */
static void print_steps(App *app, const json_t *steps, bool is_brief)
{
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(steps, i, step)
	{
		const char *state = json_text_or(step, "state", "?");
		if (!is_brief || !g_str_equal(state, "ok"))
			term_print(app->term, "  %-9s %s\n", state,
			           json_text_or(step, "text", "?"));
	}
}

static json_t *summary(const json_t *stack)
{
	json_t *object = json_object();
	static const char *const members[] = { "title",  "version", "profile",
		                               "prefix", "origin",  "deferred" };

	for (gsize j = 0; j < G_N_ELEMENTS(members); j++)
		json_object_set(object, members[j], json_object_get(stack, members[j]));
	return object;
}

/* A step of that kind is told of by its services. */
static json_t *steps_of(App *app, const json_t *stack, bool has_services)
{
	g_autoptr(HostState) host = host_new(app, NULL, NULL); /* without one, keys are unknown */
	g_autoptr(json_t) entry = json_copy((json_t *)(guintptr)stack);
	json_t *steps = json_array();
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(json_object_get(stack, "steps"), i, step)
	{
		bool is_compose = g_strcmp0(json_text(step, "kind"), "compose") == 0;
		if (!is_compose || !has_services)
			json_array_append(steps, step);
	}
	json_object_set_new(entry, "steps", steps);
	return drift_report(entry, host ? host_get(host) : NULL, is_deep);
}

static bool show_services_of(App *app, const char *name, json_t *shown, LifeSummary *found,
                             GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open(app, name, error);

	return life && life_status(life, has_resources, shown, found, error);
}

/* @is_named: it alone was asked for: how it is decides the status. */
static bool show_stack(App *app, const char *name, const json_t *stack, bool is_named,
                       GError **error)
{
	json_t *shown = summary(stack);
	LifeSummary found = { 0 };
	g_autoptr(GError) cause = NULL;

	json_object_set_new(json_object_get(app->document, "stacks"), name, shown);
	term_print(app->term, "%s %s (%s) in %s\n", name, json_text_or(stack, "version", ""),
	           json_text_or(stack, "profile", ""), json_text_or(stack, "prefix", "?"));
	bool is_known = show_services_of(app, name, shown, &found, &cause);
	json_t *steps = steps_of(app, stack, json_object_get(shown, "services") != NULL);
	json_object_set_new(shown, "steps", steps);
	print_steps(app, steps, found.services > 0);
	print_deferred(app, stack);
	if (!is_known && is_named) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	if (!is_known) {
		g_autofree char *why = fault_message(cause);
		term_print(app->term, "  its services are not known: %s\n", why);
	}
	if (found.ill + found.natives_ill == 0 || !is_named)
		return true;
	if (found.is_down)
		fault_set(error, STATUS_FAILED, NULL, "%s is down", name);
	else
		fault_set(error, STATUS_FAILED, "\"slipway logs\" shows what they write.",
		          "%u of %u services of %s are not well", found.ill + found.natives_ill,
		          found.services + found.natives, name);
	return false;
}

bool command_status(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);
	g_autofree char *unfinished = txn_find_unfinished(app->paths->state);
	const char *name = NULL;
	json_t *stack = NULL;
	bool is_well = true;
	guint count = 0;

	if (!receipt)
		return false;

	session_put(app, "stacks", json_object());
	session_put(app, "interrupted", json_boolean(unfinished != NULL));
	json_object_foreach(json_object_get(receipt, "stacks"), name, stack)
	{
		if (argc > 0 && !g_str_equal(argv[0], name))
			continue;
		count++;
		is_well = show_stack(app, name, stack, argc > 0, error);
	}

	if (unfinished)
		term_print(app->term, "A run was interrupted: \"slipway resume\" finishes it, "
		                      "\"slipway rollback\" takes it back.\n");
	if (count == 0 && argc > 0)
		return receipt_fail_absent(receipt, argv[0], error);
	if (count == 0)
		term_print(app->term,
		           "Nothing is installed. \"slipway stacks\" shows what could be.\n");
	return is_well;
}

/* What "auto" comes to on this machine, and why; what is wrong with the settings is shown too. */
static void show_key_place(App *app)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(Keystore) store = keys_open(app, &cause);
	const char *why = NULL;
	const char *place = store ? keystore_back_end(store, &why, &cause) : NULL;
	g_autofree char *fault = cause ? fault_message(cause) : NULL;

	term_print(app->term, "\nKeys are kept in: %s (%s)\n", place ? place : "nothing",
	           fault ? fault : why);
	session_put(app, "keys",
	            json_pack("{s:s?, s:s}", "backend", place, "why", fault ? fault : why));
}

bool command_config(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                    GError **error G_GNUC_UNUSED)
{
	static const char *const headings[] = { "setting", "value", "from" };
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	json_t *settings = json_object();

	for (gsize i = 0; i < setting_count; i++) {
		const char *name = setting_table[i].name;
		const char *value = settings_text(app->settings, name);
		const char *origin = settings_origin(app->settings, name);

		g_ptr_array_add(cells, g_strdup(name));
		g_ptr_array_add(cells, g_strdup(value ? value : "-"));
		g_ptr_array_add(cells, g_strdup(origin));
		json_object_set_new(settings, name,
		                    json_pack("{s:s?, s:s}", "value", value, "from", origin));
	}

	term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	session_put(app, "settings", settings);
	show_key_place(app);
	return true;
}
