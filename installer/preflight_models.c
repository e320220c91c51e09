/* installer/preflight_models.c - what a stack needs for its language models
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/preflight_private.h"

#include <string.h>

#define SECTION "model "

static const StackStep *find_step(const Stack *stack, const char *profile, const char *kind)
{
	for (guint i = 0; i < stack->steps->len; i++) {
		const StackStep *step = g_ptr_array_index(stack->steps, i);

		if (strcmp(step->kind, kind) == 0 && stack_in_profile(step->profiles, profile))
			return step;
	}
	return NULL;
}

/* Returns: whether the section is a model of this profile. */
static bool take_model(const Stack *stack, const char *section, const char *profile,
                       CheckModelNeed *model)
{
	const IniEntry *size = ini_find(stack->ini, section, "size");
	const char *profiles = ini_value(stack->ini, section, "profiles");
	g_auto(GStrv) list = profiles != NULL ? ini_list(profiles) : NULL;

	model->name = ini_value(stack->ini, section, "name");
	return model->name != NULL && size != NULL && stack_in_profile(list, profile) &&
	       ini_size(stack->ini, size, &model->bytes, NULL);
}

static void add_models(GArray *models, const Stack *stack, const char *profile)
{
	const GPtrArray *sections = ini_sections(stack->ini);
	const StackStep *step = find_step(stack, profile, "model");
	const char *loaded = step != NULL ? g_hash_table_lookup(step->values, "name") : NULL;

	for (guint i = 0; i < sections->len; i++) {
		const char *section = g_ptr_array_index(sections, i);
		CheckModelNeed model = { 0 };

		if (!g_str_has_prefix(section, SECTION) ||
		    !take_model(stack, section, profile, &model))
			continue;
		model.is_default =
			loaded != NULL ? strcmp(model.name, loaded) == 0 : models->len == 0;
		g_array_append_val(models, model);
	}
}

static bool has_service(GPtrArray *names, const char *name)
{
	return g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL);
}

void preflight_take_services(Preflight *preflight, const Stack *stack, const char *profile)
{
	for (guint i = 0; i < stack->services->len; i++) {
		const StackService *service = g_ptr_array_index(stack->services, i);

		if (stack_in_profile(service->profiles, profile))
			g_ptr_array_add(preflight->services, service->name);
	}
}

void preflight_take_models(Preflight *preflight, const Stack *stack, const char *profile)
{
	CheckNeeds *needs = &preflight->needs;

	needs->runs_models = find_step(stack, profile, "model") != NULL ||
	                     find_step(stack, profile, "ollama") != NULL;
	needs->has_user_unit = find_step(stack, profile, "unit") != NULL ||
	                       find_step(stack, profile, "ollama") != NULL;
	if (needs->runs_models || has_service(preflight->services, "ollama"))
		add_models(preflight->models, stack, profile);
}
