/* installer/command_status.c - "slipway status" and "slipway config"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/host.h"
#include "installer/keys.h"
#include "installer/receipt.h"
#include "installer/session.h"

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

/* What is there now, in one word. */
static const char *state_of(const json_t *record)
{
	static const char *const words[] = {
		[PROBE_ABSENT] = "missing",  [PROBE_OURS] = "ok",
		[PROBE_PARTIAL] = "changed", [PROBE_FOREIGN] = "replaced",
		[PROBE_EDITED] = "edited",
	};
	g_autoptr(Step) step = step_from_json(record, NULL);
	StepRun run = { .step = step, .receipt = record };
	Probe probe = PROBE_ABSENT;

	return step && step->kind->probe(&run, &probe, NULL) ? words[probe] : "unknown";
}

static json_t *describe_steps(const json_t *stack)
{
	json_t *list = json_array();
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(json_object_get(stack, "steps"), i, step) json_array_append_new(
		list, json_pack("{s:s, s:s, s:s}", "id", json_text_or(step, "id", ""), "state",
	                        state_of(step), "text", json_text_or(step, "text", "")));
	return list;
}

static void print_stack(App *app, const char *name, const json_t *stack, const json_t *steps)
{
	gsize i = 0;
	json_t *step = NULL;

	term_print(app->term, "%s %s (%s) in %s\n", name, json_text_or(stack, "version", ""),
	           json_text_or(stack, "profile", ""), json_text_or(stack, "prefix", "?"));
	json_array_foreach(steps, i, step)
		term_print(app->term, "  %-9s %s\n", json_text_or(step, "state", "?"),
	                   json_text_or(step, "text", "?"));
	print_deferred(app, stack);
}

static json_t *summary(const json_t *stack)
{
	json_t *object = json_object();
	static const char *const members[] = { "title",  "version", "profile",
		                               "prefix", "origin",  "deferred" };

	for (gsize j = 0; j < G_N_ELEMENTS(members); j++)
		json_object_set(object, members[j], json_object_get(stack, members[j]));
	json_object_set_new(object, "steps", describe_steps(stack));
	return object;
}

bool command_status(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);
	g_autofree char *unfinished = txn_find_unfinished(app->paths->state);
	json_t *stacks = json_object();
	const char *name = NULL;
	json_t *stack = NULL;

	if (!receipt) {
		json_decref(stacks);
		return false;
	}

	session_put(app, "stacks", stacks);
	session_put(app, "interrupted", json_boolean(unfinished != NULL));
	json_object_foreach(json_object_get(receipt, "stacks"), name, stack)
	{
		if (argc > 0 && !g_str_equal(argv[0], name))
			continue;
		json_t *shown = summary(stack);
		json_object_set_new(stacks, name, shown);
		print_stack(app, name, stack, json_object_get(shown, "steps"));
	}

	if (unfinished)
		term_print(app->term, "A run was interrupted: \"slipway resume\" finishes it, "
		                      "\"slipway rollback\" takes it back.\n");
	if (json_object_size(stacks) == 0)
		term_print(app->term,
		           "Nothing is installed. \"slipway stacks\" shows what could be.\n");
	return true;
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
