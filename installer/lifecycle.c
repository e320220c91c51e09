/* installer/lifecycle.c - an installed stack and its compose projects
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/receipt.h"
#include "installer/txn.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)

static void project_free(gpointer data)
{
	LifeProject *project = data;

	compose_project_free(project->compose);
	g_hash_table_unref(project->ports);
	g_free(project);
}

void lifecycle_free(Lifecycle *life)
{
	if (!life)
		return;
	g_ptr_array_unref(life->projects);
	g_ptr_array_unref(life->left);
	stack_free(life->stack);
	json_decref(life->receipt);
	g_free(life->name);
	g_free(life);
}

/* "NAME=8010": the last line that assigns it wins, as it does for compose. */
static void read_line(GHashTable *ports, char *line)
{
	char *value = strchr(g_strstrip(line), '=');

	if (!value || *line == '#')
		return;
	*value++ = '\0';
	if (g_hash_table_contains(ports, line) && *value)
		g_hash_table_insert(ports, g_strdup(line), g_strdup(value));
}

/* The definition's numbers, and those that the env file puts in their place. */
static GHashTable *read_ports(const Stack *stack, const char *profile, const char *env_file)
{
	GHashTable *ports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GBytes) bytes = env_file ? file_read(env_file, FILE_MAX_BYTES, NULL) : NULL;
	gsize size = 0;
	const char *text = bytes ? g_bytes_get_data(bytes, &size) : "";
	g_autofree char *copy = g_strndup(text, size);
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);

	for (guint i = 0; stack && i < stack->ports->len; i++) {
		const StackPort *port = stack->ports->pdata[i];
		if (port->variable && stack_in_profile(port->profiles, profile))
			g_hash_table_insert(ports, g_strdup(port->variable),
			                    g_strdup_printf("%" G_GUINT64_FORMAT, port->number));
	}
	for (char **line = lines; *line; line++)
		read_line(ports, *line);
	return ports;
}

static bool add_project(Lifecycle *life, json_t *step, GError **error)
{
	const json_t *inputs = json_object_get(step, "inputs");
	json_t *result = json_object_get(step, "result");

	if (!json_is_object(result)) {
		result = json_object();
		json_object_set_new(step, "result", result);
	}
	ComposeProject *compose = compose_project_recorded(inputs, result, error);
	if (!compose)
		return false;

	LifeProject *project = g_new0(LifeProject, 1);
	*project = (LifeProject){ step, inputs, result, compose,
		                  read_ports(life->stack, json_text_or(life->entry, "profile", ""),
		                             compose->env_file) };
	g_ptr_array_add(life->projects, project);
	return true;
}

static Stack *read_stack(const json_t *entry)
{
	g_autofree char *path =
		g_build_filename(json_text_or(entry, "stack_dir", "/"), "stack.ini", NULL);
	g_autoptr(GBytes) text = file_read(path, FILE_MAX_BYTES, NULL);

	return text ? stack_parse(text, path, NULL) : NULL;
}

Lifecycle *lifecycle_open(App *app, const char *name, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);

	return receipt ? lifecycle_of_receipt(app, name, receipt, error) : NULL;
}

Lifecycle *lifecycle_of_receipt(App *app, const char *name, json_t *receipt, GError **error)
{
	json_t *entry = receipt_stack(receipt, name);

	if (!entry) {
		(void)receipt_fail_absent(receipt, name, error);
		return NULL;
	}

	g_autoptr(Lifecycle) life = g_new0(Lifecycle, 1);
	life->app = app;
	life->name = g_strdup(name);
	life->receipt = json_incref(receipt);
	life->entry = entry;
	life->title = json_text_or(entry, "title", name);
	life->stack = read_stack(entry);
	life->projects = g_ptr_array_new_with_free_func(project_free);
	life->left = g_ptr_array_new_with_free_func(g_free);

	json_t *steps = json_object_get(entry, "steps");
	for (gsize i = 0; i < json_array_size(steps); i++) {
		json_t *step = json_array_get(steps, i);
		if (g_strcmp0(json_text(step, "kind"), "compose") == 0 &&
		    !json_flag(json_object_get(step, "inputs"), "is_retired") &&
		    !add_project(life, step, error))
			return NULL;
	}
	return g_steal_pointer(&life);
}

Lifecycle *lifecycle_open_containers(App *app, const char *name, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open(app, name, error);

	if (!life || life->projects->len > 0)
		return g_steal_pointer(&life);

	fault_set(error, STATUS_CONFIG, NULL, "%s (%s) has no containers", name,
	          json_text_or(life->entry, "profile", "no profile"));
	return NULL;
}

bool lifecycle_is_settled(const Lifecycle *life, GError **error)
{
	g_autofree char *unfinished = txn_find_unfinished(life->app->paths->state);

	if (unfinished)
		fault_set(error, STATUS_BUSY,
		          "Run \"slipway resume\" to finish it, or \"slipway rollback\".",
		          "an earlier run was interrupted");
	return !unfinished;
}

static bool write_receipt(Lifecycle *life, GError **error)
{
	const char *state = life->app->paths->state;

	return receipt_write(state, life->receipt, error) &&
	       receipt_switch(state,
	                      json_integer_value(json_object_get(life->receipt, "generation")),
	                      error);
}

bool lifecycle_mark(Lifecycle *life, const LifeProject *project, bool is_down, GError **error)
{
	if (json_flag(project->result, "is_down") == is_down)
		return true;
	json_object_set_new(project->result, "is_down", json_boolean(is_down));
	return write_receipt(life, error);
}

bool lifecycle_restoring(Lifecycle *life, const LifeProject *project, const char *directory,
                         GError **error)
{
	if (directory)
		json_put(project->result, "restoring", directory);
	else
		json_object_del(project->result, "restoring");
	return write_receipt(life, error);
}

bool lifecycle_is_whole(const Lifecycle *life, const LifeProject *project, GError **error)
{
	const char *directory = json_text(project->result, "restoring");

	if (!directory)
		return true;
	g_autofree char *hint =
		g_strdup_printf("Run \"slipway restore %s %s\" again, or \"slipway reset %s\".",
	                        life->name, directory, life->name);
	fault_set(error, STATUS_FAILED, hint,
	          "a restore was interrupted, and the data is not whole");
	return false;
}

bool lifecycle_record(Lifecycle *life, const LifeProject *project, json_t *result, GError **error)
{
	g_autoptr(json_t) before = json_deep_copy(project->result);

	json_object_update(project->result, result);
	json_object_del(project->result, "is_down");
	return json_equal(before, project->result) || write_receipt(life, error);
}

char *lifecycle_expand(const LifeProject *project, const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const char *at = text;

	for (const char *start = strstr(at, "${"); start; start = strstr(at, "${")) {
		const char *end = strchr(start, '}');
		g_autofree char *name = end ? g_strndup(start + 2, (gsize)(end - start) - 2) : NULL;
		const char *value = name ? g_hash_table_lookup(project->ports, name) : NULL;

		if (!value)
			return NULL;
		g_string_append_len(out, at, start - at);
		g_string_append(out, value);
		at = end + 1;
	}
	g_string_append(out, at);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

const StackService *lifecycle_service(const Lifecycle *life, const char *name)
{
	for (guint i = 0; life->stack && i < life->stack->services->len; i++) {
		const StackService *service = life->stack->services->pdata[i];
		if (g_str_equal(service->name, name))
			return service;
	}
	return NULL;
}
