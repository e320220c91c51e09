/* installer/lifecycle_before.c - what the engine had of a project before a start, and back to that
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_before.h"

#include "base/fault.h"
#include "installer/engine.h"

#define LABEL "com.docker.compose."
#define REMOVE_MS 60000

void before_clear(Before *before)
{
	g_clear_pointer(&before->containers, g_hash_table_unref);
	g_clear_pointer(&before->services, g_hash_table_unref);
	g_clear_pointer(&before->volumes, g_hash_table_unref);
	g_clear_pointer(&before->networks, g_hash_table_unref);
}

static GHashTable *set_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static bool take_containers(const LifeProject *project, Before *before, GError **error)
{
	g_autoptr(json_t) list = compose_list(project->compose, "/containers/json?all=1", error);

	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *container = json_array_get(list, i);
		const json_t *labels = json_object_get(container, "Labels");

		g_hash_table_insert(before->containers, g_strdup(json_text_or(container, "Id", "")),
		                    g_strdup(json_text_or(container, "State", "")));
		g_hash_table_add(before->services,
		                 g_strdup(json_text_or(labels, LABEL "service", "")));
		if (compose_is_ours(project->compose, labels))
			continue;
		fault_set(error, STATUS_FAILED,
		          "Stop it with \"docker compose -p NAME down\", if it is not needed.",
		          "another project runs under the name %s, made from %s",
		          project->compose->project,
		          json_text_or(labels, LABEL "project.config_files", "other files"));
		return false;
	}
	return list != NULL;
}

/* @list: volumes or networks, whose name each object has as @key. */
static void take_names(const json_t *list, const char *key, GHashTable *names)
{
	for (gsize i = 0; i < json_array_size(list); i++)
		g_hash_table_add(names, g_strdup(json_text_or(json_array_get(list, i), key, "")));
}

bool before_take(const LifeProject *project, Before *before, GError **error)
{
	*before = (Before){ g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		            set_new(), set_new(), set_new() };
	if (!take_containers(project, before, error))
		return false;

	g_autoptr(json_t) volumes = compose_list(project->compose, "/volumes", error);
	g_autoptr(json_t) networks =
		volumes ? compose_list(project->compose, "/networks", error) : NULL;
	take_names(json_object_get(volumes, "Volumes"), "Name", before->volumes);
	take_names(networks, "Id", before->networks);
	return networks != NULL;
}

/* Goes on after a failure; the first one is kept. */
static bool do_and_note(const LifeProject *project, const char *method, const char *path,
                        GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (engine_do(project->compose->engine, method, path, REMOVE_MS, &cause))
		return true;
	if (error && !*error)
		g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static bool return_container(const LifeProject *project, const Before *before,
                             const json_t *container, GPtrArray *undone, GError **error)
{
	const char *id = json_text_or(container, "Id", "");
	const char *state = g_hash_table_lookup(before->containers, id);
	const char *service =
		json_text_or(json_object_get(container, "Labels"), LABEL "service", "?");
	bool is_running = g_str_equal(json_text_or(container, "State", ""), "running");
	bool was_there = g_hash_table_contains(before->services, service);

	if (state ? g_str_equal(state, "running") || !is_running : was_there)
		return true;

	g_autofree char *path = g_strdup_printf(
		state ? "/containers/%s/stop?t=10" : "/containers/%s?force=1&v=1", id);
	if (!do_and_note(project, state ? "POST" : "DELETE", path, error))
		return false;
	g_ptr_array_add(undone, g_strdup_printf("%s %s", service, state ? "stopped" : "removed"));
	return true;
}

static bool return_named(const LifeProject *project, const json_t *object, const char *kind,
                         GHashTable *names, GPtrArray *undone, GError **error)
{
	bool is_volume = g_str_equal(kind, "volume");
	const char *name = json_text_or(object, "Name", "?");
	const char *id = is_volume ? name : json_text_or(object, "Id", "");

	if (g_hash_table_contains(names, id))
		return true;

	g_autofree char *path = g_strdup_printf("/%ss/%s", kind, id);
	if (!do_and_note(project, "DELETE", path, error))
		return false;
	g_ptr_array_add(undone, g_strdup_printf("%s %s removed", kind, name));
	return true;
}

bool before_return(const LifeProject *project, const Before *before, GPtrArray *undone,
                   GError **error)
{
	g_autoptr(json_t) list = compose_list(project->compose, "/containers/json?all=1", error);
	bool is_done = list != NULL;

	for (gsize i = 0; i < json_array_size(list); i++)
		is_done &= return_container(project, before, json_array_get(list, i), undone,
		                            is_done ? error : NULL);
	if (!is_done)
		return false;

	g_autoptr(json_t) networks = compose_list(project->compose, "/networks", error);
	g_autoptr(json_t) answer =
		networks ? compose_list(project->compose, "/volumes", error) : NULL;
	const json_t *volumes = json_object_get(answer, "Volumes");
	for (gsize i = 0; is_done && i < json_array_size(networks); i++)
		is_done = return_named(project, json_array_get(networks, i), "network",
		                       before->networks, undone, error);
	for (gsize i = 0; is_done && i < json_array_size(volumes); i++)
		is_done = return_named(project, json_array_get(volumes, i), "volume",
		                       before->volumes, undone, error);
	return is_done && answer;
}
