/* installer/compose_undo.c - takes a container project back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/process.h"
#include "installer/compose.h"
#include "installer/engine.h"

#define REMOVE_MS 60000

/* A container that has just ended may still be counted: so often, and so long, a network is tried. */
#define TRIES 4
#define TRY_MS 1000

json_t *compose_volumes(const ComposeProject *project, GError **error)
{
	g_autoptr(json_t) object = compose_list(project, "/volumes", error);
	const json_t *volumes = json_object_get(object, "Volumes");
	json_t *names = object ? json_array() : NULL;

	for (gsize i = 0; names && i < json_array_size(volumes); i++)
		json_array_append(names, json_object_get(json_array_get(volumes, i), "Name"));
	return names;
}

static bool is_among(const json_t *names, const char *name)
{
	for (gsize i = 0; i < json_array_size(names); i++)
		if (g_strcmp0(json_string_value(json_array_get(names, i)), name) == 0)
			return true;
	return false;
}

/* Data outlives the project that made it; what a run made that did not end is no data yet. */
static bool settle_volumes(const ComposeProject *project, const json_t *before, GPtrArray *left,
                           GError **error)
{
	g_autoptr(json_t) names = compose_volumes(project, before ? error : NULL);

	for (gsize i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		g_autofree char *path = g_strconcat("/volumes/", name, NULL);

		if (!before || is_among(before, name))
			g_ptr_array_add(left, g_strdup_printf("volume %s: data is kept", name));
		else if (!engine_do(project->engine, "DELETE", path, REMOVE_MS, error))
			return false;
	}
	return names || !before;
}

/* Returns: (transfer full) (nullable): why the engine does not let a network go, which it said by
 * @cause; NULL: not because of what is on it. */
static char *why_it_stays(const ComposeProject *project, const char *path, const char *name,
                          const GError *cause)
{
	g_autoptr(json_t) network = engine_get(project->engine, path, NULL);
	json_t *containers = json_object_get(network, "Containers");
	void *first = json_object_iter(containers);

	if (first)
		return g_strdup_printf("container %s is on it",
		                       json_text_or(json_object_iter_value(first), "Name", "?"));
	/* Fixed in 28.1: moby/moby#42119. */
	if (network && strstr(cause->message, "active endpoints"))
		return g_strdup_printf(
			"the engine counts a container on it that is gone; once the engine was "
			"restarted, \"docker network rm %s\" removes it",
			name);
	return NULL;
}

static bool remove_network(const ComposeProject *project, const json_t *network, GPtrArray *left,
                           GError **error)
{
	const char *name = json_text_or(network, "Name", "?");
	g_autofree char *path = g_strconcat("/networks/", json_text_or(network, "Id", name), NULL);
	g_autoptr(GError) cause = NULL;
	g_autofree char *why = NULL;

	for (guint i = 0; i < TRIES; i++) {
		if (i > 0 && !cancel_pause(TRY_MS, error))
			return false;
		g_clear_error(&cause);
		if (engine_do(project->engine, "DELETE", path, REMOVE_MS, &cause))
			return true;
	}
	why = why_it_stays(project, path, name, cause);
	if (!why) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	g_ptr_array_add(left, g_strdup_printf("network %s: %s", name, why));
	return true;
}

/* What compose could not remove, or left on purpose. */
static bool settle_networks(const ComposeProject *project, GPtrArray *left, GError **error)
{
	g_autoptr(json_t) networks = compose_list(project, "/networks", error);

	for (gsize i = 0; i < json_array_size(networks); i++)
		if (!remove_network(project, json_array_get(networks, i), left, error))
			return false;
	return networks != NULL;
}

/* "down" fails as a whole because of one network, and may not have come to the volumes then. */
static bool settle(const ComposeProject *project, bool has_volumes, GPtrArray *left, GError **error)
{
	g_autoptr(json_t) none = json_array();

	return settle_networks(project, left, error) &&
	       (!has_volumes || settle_volumes(project, none, left, error));
}

static bool has_containers(const ComposeProject *project)
{
	g_auto(ComposeState) state = { 0 };

	return !compose_ask(project, &state, NULL) || state.containers > 0;
}

bool compose_take_down(const ComposeProject *project, bool has_volumes, GPtrArray *left,
                       GError **error)
{
	const char *words = has_volumes ? "--remove-orphans --volumes" : "--remove-orphans";
	g_auto(GStrv) options = g_strsplit(words, " ", -1);
	g_autoptr(GError) cause = NULL;

	if (!compose_tell(project, "down", options, &cause) &&
	    (!cancel_check(NULL) || has_containers(project))) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	return settle(project, has_volumes, left, error);
}

bool compose_undo(const json_t *primitive, const StepHost *host G_GNUC_UNUSED,
                  const char *txn_dir G_GNUC_UNUSED, GPtrArray *left, GError **error)
{
	g_autoptr(ComposeProject) project = compose_project_new(primitive, error);
	g_autofree char *docker = process_find("docker");
	g_auto(ComposeState) state = { 0 };

	if (!project)
		return false;
	if (!docker)
		return true; /* nothing could have been started without it */
	if (!compose_ask(project, &state, error))
		return false;
	if (state.foreign > 0) {
		g_ptr_array_add(left,
		                g_strdup_printf("containers of project %s: made from other files",
		                                project->project));
		return true;
	}
	return compose_take_down(project, false, left, error) &&
	       settle_volumes(project, json_object_get(primitive, "volumes"), left, error);
}
