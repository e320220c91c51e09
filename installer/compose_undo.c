/* installer/compose_undo.c - takes a container project back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "base/process.h"
#include "installer/compose.h"
#include "installer/engine.h"

#define REMOVE_MS 60000

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
	return compose_take_down(project, false, error) &&
	       settle_volumes(project, json_object_get(primitive, "volumes"), left, error);
}
