/* installer/command_down.c - "slipway down" and "slipway reset"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/lifecycle_up.h"
#include "installer/service.h"
#include "installer/session.h"

/** What is about to be done to a stack. */
typedef struct {
	const char *command;
	bool has_services; /* those that run without an engine too */
	bool has_volumes;
} Ending;

static bool are_all_down(const Lifecycle *life, const Ending *ending, bool *are_down,
                         GError **error)
{
	*are_down = true;
	for (guint i = 0; i < life->projects->len && *are_down; i++)
		if (!lifecycle_is_down(life->projects->pdata[i], ending->has_volumes, are_down,
		                       error))
			return false;
	return true;
}

/* What runs without an engine. */
static bool stop_services(const Lifecycle *life, bool *is_changed, GError **error)
{
	g_autoptr(GPtrArray) stopped = g_ptr_array_new_with_free_func(g_free);

	if (!service_switch(life->entry, false, stopped, error))
		return false;
	for (guint i = 0; i < stopped->len; i++)
		term_print(life->app->term, "%s was stopped.\n", (char *)stopped->pdata[i]);
	*is_changed = stopped->len > 0;
	return true;
}

/* The receipt is read again behind the lock. */
static bool end_locked(App *app, const char *name, const Ending *ending, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, ending->command, error);
	g_autoptr(Lifecycle) life = lock ? lifecycle_open(app, name, error) : NULL;
	bool is_changed = false;

	if (!life || !lifecycle_is_settled(life, error) ||
	    (ending->has_services && !stop_services(life, &is_changed, error)))
		return false;
	for (guint i = life->projects->len; i-- > 0;) {
		bool is_any = false;

		if (!lifecycle_down(life, life->projects->pdata[i], ending->has_volumes, &is_any,
		                    error))
			return false;
		is_changed |= is_any;
	}
	session_put(app, "changed", json_boolean(is_changed));
	session_report_left(app, life->left);
	return true;
}

bool command_down(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const Ending ending = { "down", .has_services = true };
	g_autoptr(Lifecycle) life = lifecycle_open(app, argv[0], error);
	guint service_count = 0;
	bool are_stopped = life && service_all_are(life->entry, false, &service_count);
	bool are_down = false;

	if (!life || !are_all_down(life, &ending, &are_down, error))
		return false;
	if (are_down && are_stopped) {
		session_put(app, "changed", json_false());
		term_print(app->term,
		           life->projects->len > 0 || service_count > 0
		                   ? "%s is down; nothing changed.\n"
		                   : "%s has no containers; there is nothing to stop.\n",
		           life->title);
		return true;
	}
	if (!end_locked(app, argv[0], &ending, error))
		return false;

	term_print(app->term,
	           life->projects->len > 0 ? "%s is down. Its data is kept, and its keys are in "
	                                     "the keystore alone.\n"
	                                   : "%s is down.\n",
	           life->title);
	return true;
}

/* Adds the names of what carries the project's label to @lost. */
static bool collect(const LifeProject *project, const char *path, const char *kind, json_t *lost,
                    GError **error)
{
	g_autoptr(json_t) answer = compose_list(project->compose, path, error);
	const json_t *volumes = json_object_get(answer, "Volumes");
	const json_t *list = json_is_array(answer) ? answer : volumes;

	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const json_t *first = json_array_get(json_object_get(one, "Names"), 0);
		const char *name = first ? json_string_value(first) : json_text(one, "Name");

		name = name ? name : "?";
		json_array_append_new(
			lost, json_pack("{s:s, s:s}", "kind", kind, "name", name + (*name == '/')));
	}
	return answer != NULL;
}

static bool collect_all(const Lifecycle *life, json_t *lost, GError **error)
{
	for (guint i = 0; i < life->projects->len; i++) {
		const LifeProject *project = life->projects->pdata[i];

		if (!collect(project, "/containers/json?all=1", "container", lost, error) ||
		    !collect(project, "/networks", "network", lost, error) ||
		    !collect(project, "/volumes", "volume", lost, error))
			return false;
	}
	return true;
}

static void print_lost(App *app, const Lifecycle *life, const json_t *lost)
{
	term_print(app->term, "Resetting %s removes for good:\n", life->title);
	for (gsize i = 0; i < json_array_size(lost); i++) {
		const json_t *one = json_array_get(lost, i);
		term_print(app->term, "  %-10s %s\n", json_text_or(one, "kind", ""),
		           json_text_or(one, "name", ""));
	}
	term_print(app->term, "The installation, the images and the keystore stay. "
	                      "\"slipway backup\" keeps the data.\n");
}

bool command_reset(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const Ending ending = { "reset", .has_volumes = true };
	g_autoptr(Lifecycle) life = lifecycle_open_containers(app, argv[0], error);
	bool are_down = false;

	if (!life || !are_all_down(life, &ending, &are_down, error))
		return false;

	json_t *lost = json_array();
	session_put(app, "removes", lost);
	session_put(app, "changed", json_false());
	if (are_down) {
		term_print(app->term, "%s has no containers and no data; nothing changed.\n",
		           life->title);
		return true;
	}
	if (!collect_all(life, lost, error))
		return false;
	print_lost(app, life, lost);
	if (!session_confirm(app, "Remove all of it?", error) ||
	    !end_locked(app, argv[0], &ending, error))
		return false;

	term_print(app->term, "%s was reset. \"slipway up %s\" starts it anew.\n", life->title,
	           argv[0]);
	return true;
}
