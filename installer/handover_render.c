/* installer/handover_render.c - which service gets which key, and the compose file that says so
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/handover.h"

#define SHIM_TARGET "/run/slipway/with-keys"

static const StackService *find_service(const Stack *stack, const char *name)
{
	for (guint i = 0; i < stack->services->len; i++) {
		const StackService *service = stack->services->pdata[i];
		if (g_str_equal(service->name, name))
			return service;
	}

	return NULL;
}

/* The key's services that run in @profile. */
static json_t *services_of(const Stack *stack, const StackKey *key, const char *profile)
{
	json_t *services = json_array();

	for (char **name = key->services; *name; name++) {
		const StackService *service = find_service(stack, *name);
		if (service && stack_in_profile(service->profiles, profile))
			json_array_append_new(services, json_string(*name));
	}
	return services;
}

static json_t *plan_key(const StackKey *key, json_t *services)
{
	json_t *entry = json_pack("{s:s, s:b, s:s, s:o}", "name", key->name, "is_needed",
	                          key->kind != STACK_KEY_OPTIONAL, "variable", key->variable,
	                          "services", services);

	json_put(entry, "file_variable", key->file_variable);
	json_put(entry, "one_of", key->one_of);
	return entry;
}

static json_t *plan_entry_points(const Stack *stack, const char *profile)
{
	json_t *points = json_object();

	for (guint i = 0; i < stack->services->len; i++) {
		const StackService *service = stack->services->pdata[i];
		if (*service->entry_point && stack_in_profile(service->profiles, profile))
			json_object_set_new(
				points, service->name,
				json_from_strv((const char *const *)service->entry_point));
	}
	return points;
}

json_t *handover_plan(const Stack *stack, const char *profile, const char *project,
                      const char *state_dir)
{
	g_autofree char *directory = g_build_filename(state_dir, "compose", project, NULL);
	g_autoptr(json_t) keys = json_array();

	for (guint i = 0; i < stack->keys->len; i++) {
		const StackKey *key = stack->keys->pdata[i];
		json_t *services = services_of(stack, key, profile);
		if (json_array_size(services) > 0 && stack_in_profile(key->profiles, profile))
			json_array_append_new(keys, plan_key(key, services));
		else
			json_decref(services);
	}
	if (json_array_size(keys) == 0)
		return NULL;

	return json_pack("{s:s, s:O, s:o}", "directory", directory, "keys", keys, "entry_points",
	                 plan_entry_points(stack, profile));
}

/* Compose replaces variables in every text of its files; "$$" is one "$". */
static json_t *literal(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "$", -1);
	g_autofree char *escaped = g_strjoinv("$$", parts);

	return json_string(escaped);
}

static json_t *member(json_t *object, const char *name, json_t *fresh)
{
	json_t *value = json_object_get(object, name);

	if (value) {
		json_decref(fresh);
		return value;
	}
	json_object_set_new(object, name, fresh);
	return fresh;
}

/* Starts the image's own program through the shim. */
static void add_shim(json_t *service, const json_t *words, const char *directory)
{
	g_autofree char *path = g_build_filename(directory, "with-keys", NULL);
	json_t *entry = json_pack("[s, s, s]", "/bin/sh", SHIM_TARGET, "--");

	for (gsize i = 0; i < json_array_size(words); i++)
		json_array_append_new(entry, literal(json_string_value(json_array_get(words, i))));
	json_object_set_new(service, "entrypoint", entry);
	json_object_set_new(service, "volumes",
	                    json_pack("[{s:s, s:o, s:s, s:b}]", "type", "bind", "source",
	                              literal(path), "target", SHIM_TARGET, "read_only", true));
}

/* The variable that leads the service's program to the key, or that the shim sets. */
static void add_variable(json_t *service, const json_t *key)
{
	const char *name = json_text_or(key, "name", "");
	const char *file_variable = json_text(key, "file_variable");
	json_t *entry = json_object_get(service, "entrypoint");

	if (file_variable) {
		g_autofree char *path = g_strconcat("/run/secrets/", name, NULL);
		json_put(member(service, "environment", json_object()), file_variable, path);
	} else if (entry) {
		g_autofree char *word =
			g_strdup_printf("%s=%s", json_text_or(key, "variable", name), name);
		json_array_insert_new(entry, 2, json_string(word));
	}
}

static void add_key(json_t *services, const json_t *handover, const json_t *key)
{
	const json_t *points = json_object_get(handover, "entry_points");
	g_auto(GStrv) names = json_to_strv(json_object_get(key, "services"));

	for (char **name = names; *name; name++) {
		json_t *service = member(services, *name, json_object());
		const json_t *words = json_object_get(points, *name);

		if (words && !json_object_get(service, "entrypoint"))
			add_shim(service, words, json_text_or(handover, "directory", "/"));
		json_array_append_new(member(service, "secrets", json_array()),
		                      json_string(json_text_or(key, "name", "")));
		add_variable(service, key);
	}
}

json_t *handover_render(const json_t *handover, const char *directory, const char *const *names)
{
	const json_t *keys = json_object_get(handover, "keys");
	json_t *services = json_object();
	json_t *secrets = json_object();

	for (gsize i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *name = json_text_or(key, "name", "");
		g_autofree char *path = g_build_filename(directory ? directory : "", name, NULL);

		if (!g_strv_contains(names, name))
			continue;
		add_key(services, handover, key);
		json_object_set_new(secrets, name,
		                    directory ? json_pack("{s:o}", "file", literal(path))
		                              : json_pack("{s:s}", "environment", name));
	}
	return json_pack("{s:s, s:o, s:o}", "x-generated-by",
	                 "slipway, and written again by it: edits are lost", "services", services,
	                 "secrets", secrets);
}

static bool has_name(const GPtrArray *names, const char *name)
{
	for (guint i = 0; i < names->len; i++)
		if (g_str_equal(names->pdata[i], name))
			return true;

	return false;
}

char **handover_services(const json_t *inputs, const GPtrArray *names)
{
	const json_t *keys = json_object_get(json_object_get(inputs, "handover"), "keys");
	g_autoptr(GPtrArray) found = g_ptr_array_new();

	for (gsize i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		g_auto(GStrv) services = json_to_strv(json_object_get(key, "services"));

		if (!has_name(names, json_text_or(key, "name", "")))
			continue;
		for (char **service = services; *service; service++)
			if (!has_name(found, *service))
				g_ptr_array_add(found, g_strdup(*service));
	}
	g_ptr_array_add(found, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}
