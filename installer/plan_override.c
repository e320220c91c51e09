/* installer/plan_override.c - "--set KEY=VALUE": values in the place of the definition's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/nearest.h"
#include "installer/plan_private.h"

const char *plan_key_name(const char *text)
{
	return text + strspn(text, "!@*");
}

const char *plan_override(const Settings *settings, const char *key, const char *fallback)
{
	gsize length = strlen(key);
	const char *value = fallback;

	for (char *const *rule = settings_list(settings, "set"); *rule; rule++)
		if (strncmp(*rule, key, length) == 0 && (*rule)[length] == '=')
			value = *rule + length + 1;

	return value;
}

/* Returns: (transfer container): each KEY that can stand before "=". */
static GPtrArray *known_keys(const Stack *stack)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

	if (stack->source_url) {
		g_ptr_array_add(keys, g_strdup("source.url"));
		g_ptr_array_add(keys, g_strdup("source.revision"));
	}
	for (guint i = 0; i < stack->steps->len; i++) {
		const StackStep *step = stack->steps->pdata[i];
		const StepKind *kind = step_kind_find(step->kind);

		for (const char *const *text = kind ? kind->keys : NULL; text && *text; text++)
			g_ptr_array_add(keys, g_strdup_printf("step.%s.%s", step->id,
			                                      plan_key_name(*text)));
	}

	return keys;
}

bool plan_check_overrides(const Settings *settings, const Stack *stack, GError **error)
{
	g_autoptr(GPtrArray) keys = known_keys(stack);

	for (char *const *rule = settings_list(settings, "set"); *rule; rule++) {
		g_autofree char *key = g_strndup(*rule, strcspn(*rule, "="));
		Nearest nearest = { .word = key };

		for (guint i = 0; i < keys->len; i++)
			nearest_try(&nearest, keys->pdata[i]);
		if (g_strcmp0(nearest.best, key) == 0)
			continue;

		g_autofree char *hint = nearest_hint(&nearest);
		fault_set(error, STATUS_USAGE,
		          "It takes source.url, source.revision, and step.STEP.KEY of the "
		          "definition.",
		          "--set: %s has no \"%s\"%s", stack->name, key, hint);
		return false;
	}

	return true;
}
