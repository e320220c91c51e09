/* installer/stack_json.c - a stack's definition as JSON
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/stack_json.h"

#include <string.h>

static void put_number(json_t *object, const char *key, guint64 number)
{
	if (number > 0)
		json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void put_list(json_t *object, const char *key, char *const *list)
{
	json_object_set_new(object, key, json_from_strv((const char *const *)list));
}

static json_t *needs_to_json(const StackNeeds *needs)
{
	json_t *object = json_object();

	put_number(object, "memory_bytes", needs->memory_bytes);
	put_number(object, "memory_recommended_bytes", needs->memory_recommended_bytes);
	put_number(object, "disk_bytes", needs->disk_bytes);
	put_number(object, "engine_disk_bytes", needs->engine_disk_bytes);
	put_number(object, "cpus", needs->cpus);
	json_put(object, "engine", needs->engine);
	json_put(object, "compose", needs->compose);
	put_list(object, "architectures", needs->architectures);
	return object;
}

static json_t *profile_to_json(const Stack *stack, const StackProfile *profile)
{
	json_t *object = json_object();
	StackNeeds needs = { 0 };

	stack_needs(stack, profile->name, &needs);
	json_put(object, "name", profile->name);
	json_put(object, "title", profile->title);
	json_object_set_new(object, "default", json_boolean(profile->is_default));
	json_object_set_new(object, "preview", json_boolean(profile->is_preview));
	json_object_set_new(object, "needs", needs_to_json(&needs));
	return object;
}

static json_t *tool_to_json(gconstpointer item)
{
	const StackTool *tool = item;
	json_t *object = json_object();

	json_put(object, "name", tool->name);
	json_put(object, "minimum", tool->minimum);
	put_list(object, "profiles", tool->profiles);
	return object;
}

static json_t *key_to_json(gconstpointer item)
{
	static const char *const kinds[] = {
		[STACK_KEY_OPTIONAL] = "optional",
		[STACK_KEY_REQUIRED] = "required",
		[STACK_KEY_GENERATED] = "generated",
	};
	const StackKey *key = item;
	json_t *object = json_object();

	json_put(object, "name", key->name);
	json_put(object, "kind", kinds[key->kind]);
	json_put(object, "title", key->title);
	json_put(object, "url", key->url);
	json_put(object, "variable", key->variable);
	json_put(object, "one_of", key->one_of);
	put_list(object, "services", key->services);
	put_list(object, "profiles", key->profiles);
	return object;
}

static json_t *port_to_json(gconstpointer item)
{
	const StackPort *port = item;
	json_t *object = json_object();

	json_put(object, "name", port->name);
	put_number(object, "number", port->number);
	json_put(object, "variable", port->variable);
	json_put(object, "service", port->service);
	put_list(object, "profiles", port->profiles);
	return object;
}

static json_t *service_to_json(gconstpointer item)
{
	const StackService *service = item;
	json_t *object = json_object();

	json_put(object, "name", service->name);
	json_put(object, "role", service->role);
	json_put(object, "health", service->health);
	json_object_set_new(object, "placeholder", json_boolean(service->is_placeholder));
	put_list(object, "profiles", service->profiles);
	return object;
}

static json_t *step_to_json_brief(gconstpointer item)
{
	const StackStep *step = item;
	json_t *object = json_object();

	json_put(object, "id", step->id);
	json_put(object, "kind", step->kind);
	put_list(object, "after", step->after);
	put_list(object, "profiles", step->profiles);
	return object;
}

static json_t *array_of(const GPtrArray *items, json_t *(*convert)(gconstpointer item))
{
	json_t *array = json_array();

	for (guint i = 0; i < items->len; i++)
		json_array_append_new(array, convert(g_ptr_array_index(items, i)));

	return array;
}

/* [model] is kept as it was written. */
static json_t *models_to_json(const IniFile *ini)
{
	json_t *models = json_array();

	for (guint i = 0; i < ini_sections(ini)->len; i++) {
		const char *section = g_ptr_array_index(ini_sections(ini), i);
		json_t *model = NULL;

		if (!g_str_has_prefix(section, "model "))
			continue;
		model = json_object();
		json_put(model, "name", section + strlen("model "));
		for (const IniEntry *entry = ini_section(ini, section); entry->key; entry++)
			json_put(model, entry->key, entry->value);
		json_array_append_new(models, model);
	}

	return models;
}

json_t *stack_to_json(const StackBundle *bundle)
{
	const Stack *stack = stacks_definition(bundle);
	json_t *object = json_object();
	json_t *profiles = json_array();

	json_put(object, "name", stack->name);
	json_put(object, "title", stack->title);
	json_put(object, "version", stack->version);
	json_put(object, "summary", stack->summary);
	json_put(object, "homepage", stack->homepage);
	json_put(object, "license", stack->license);
	json_put(object, "prefix", stack->prefix);
	json_put(object, "source", stack->source_url);
	json_put(object, "revision", stack->source_revision);
	json_put(object, "origin", stacks_origin(bundle));
	json_put(object, "digest", stacks_digest(bundle));
	json_object_set_new(object, "needs", needs_to_json(&stack->needs));
	for (guint i = 0; i < stack->profiles->len; i++)
		json_array_append_new(
			profiles, profile_to_json(stack, g_ptr_array_index(stack->profiles, i)));
	json_object_set_new(object, "profiles", profiles);
	json_object_set_new(object, "tools", array_of(stack->tools, tool_to_json));
	json_object_set_new(object, "keys", array_of(stack->keys, key_to_json));
	json_object_set_new(object, "ports", array_of(stack->ports, port_to_json));
	json_object_set_new(object, "services", array_of(stack->services, service_to_json));
	json_object_set_new(object, "steps", array_of(stack->steps, step_to_json_brief));
	json_object_set_new(object, "models", models_to_json(stack->ini));
	return object;
}
