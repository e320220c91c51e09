/* payload/stack_check.c - what has to hold between the sections of a stack.ini
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "payload/catalogue.h"
#include "payload/stack_private.h"

static bool fail(const Stack *stack, GBytes *text, GError **error, const char *section,
                 const char *why)
{
	return stack_fail_section(text, stack->ini_name, section, error, "[%s] %s", section, why);
}

static bool has_section(const Stack *stack, const char *name)
{
	const GPtrArray *sections = ini_sections(stack->ini);

	for (guint i = 0; i < sections->len; i++)
		if (strcmp(g_ptr_array_index(sections, i), name) == 0)
			return true;

	return false;
}

/* Returns: (transfer full) (nullable): the first word of @value that no [@kind NAME] has. */
static char *find_stranger(const Stack *stack, const char *kind, const char *value)
{
	g_auto(GStrv) names = ini_list(value);

	for (gsize i = 0; names[i]; i++) {
		g_autofree char *section = g_strconcat(kind, " ", names[i], NULL);

		if (!has_section(stack, section))
			return g_strdup(names[i]);
	}

	return NULL;
}

static const StackRow *row_of(const IniEntry *entry)
{
	for (gsize i = 0; i < stack_section_count; i++) {
		const StackSection *section = &stack_section_table[i];

		if (strncmp(section->name, entry->section, strcspn(entry->section, " \t")) == 0)
			return stack_section_row(section, entry->key);
	}

	return NULL;
}

static bool references_are_good(const Stack *stack, GError **error)
{
	const GPtrArray *entries = ini_entries(stack->ini);

	for (guint i = 0; i < entries->len; i++) {
		const IniEntry *entry = g_ptr_array_index(entries, i);
		const StackRow *row = row_of(entry);
		const char *kind = row ? row->type->refers_to : NULL;
		g_autofree char *stranger = kind ? find_stranger(stack, kind, entry->value) : NULL;

		if (stranger)
			return ini_fail(stack->ini, entry, error, "there is no [%s %s]", kind,
			                stranger);
	}

	return true;
}

static bool profiles_are_good(const Stack *stack, GBytes *text, GError **error)
{
	const StackProfile *chosen = NULL;

	for (guint i = 0; i < stack->profiles->len; i++) {
		const StackProfile *profile = g_ptr_array_index(stack->profiles, i);
		g_autofree char *section = g_strconcat("profile ", profile->name, NULL);

		if (profile->is_default && chosen)
			return fail(stack, text, error, section, "is a second default profile");
		if (profile->is_default)
			chosen = profile;
	}
	if (stack->profiles->len > 0 && !chosen)
		return stack_fail_section(text, stack->ini_name, "stack", error,
		                          "no profile has \"default = yes\"");

	for (guint i = 0; i < stack->profile_needs->len; i++) {
		const StackProfileNeeds *needs = g_ptr_array_index(stack->profile_needs, i);
		g_autofree char *section = g_strconcat("needs ", needs->profile, NULL);

		if (!stack_find_profile(stack, needs->profile))
			return fail(stack, text, error, section,
			            "names a profile that does not exist");
	}

	return true;
}

static bool tools_are_good(const Stack *stack, GBytes *text, GError **error)
{
	for (guint i = 0; i < stack->tools->len; i++) {
		const StackTool *tool = g_ptr_array_index(stack->tools, i);
		g_autofree char *section = g_strconcat("tool ", tool->name, NULL);

		if (!catalogue_find(catalogue_get(), tool->name))
			return fail(stack, text, error, section, "is not in the tool catalogue");
	}

	return true;
}

static bool share_a_profile(char *const *a, char *const *b)
{
	if (!*a || !*b)
		return true;

	for (gsize i = 0; a[i]; i++)
		if (stack_in_profile(b, a[i]))
			return true;

	return false;
}

static bool pair_is_good(const Stack *stack, const StackPort *a, const StackPort *b, GError **error)
{
	g_autofree char *section = g_strconcat("port ", b->name, NULL);

	if (!share_a_profile(a->profiles, b->profiles))
		return true;
	if (a->number == b->number)
		return ini_fail(stack->ini, ini_find(stack->ini, section, "number"), error,
		                "port %" G_GUINT64_FORMAT " is that of [port %s] already",
		                b->number, a->name);
	if (strcmp(a->variable, b->variable) == 0)
		return ini_fail(stack->ini, ini_find(stack->ini, section, "variable"), error,
		                "%s moves [port %s] already", b->variable, a->name);

	return true;
}

static bool ports_are_good(const Stack *stack, GError **error)
{
	for (guint i = 0; i < stack->ports->len; i++)
		for (guint j = 0; j < i; j++)
			if (!pair_is_good(stack, g_ptr_array_index(stack->ports, j),
			                  g_ptr_array_index(stack->ports, i), error))
				return false;

	return true;
}

static bool is_ready(const StackStep *step, GHashTable *done)
{
	for (gsize i = 0; step->after[i]; i++)
		if (!g_hash_table_contains(done, step->after[i]))
			return false;

	return true;
}

static const StackStep *find_step(const Stack *stack, const char *id)
{
	for (guint i = 0; i < stack->steps->len; i++) {
		const StackStep *step = g_ptr_array_index(stack->steps, i);

		if (strcmp(step->id, id) == 0)
			return step;
	}

	return NULL;
}

/* What is not done waits, by way of others, for a step of a cycle: as many steps back as there are
 * lead into it. */
static const StackStep *walk_into_cycle(const Stack *stack, const StackStep *step, GHashTable *done)
{
	for (guint i = 0; i < stack->steps->len; i++) {
		gsize next = 0;

		while (g_hash_table_contains(done, step->after[next]))
			next++;
		step = find_step(stack, step->after[next]);
	}

	return step;
}

/* Takes away again and again what waits for nothing; what is left has a cycle in it. */
static bool order_is_good(const Stack *stack, GError **error)
{
	g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
	const StackStep *waiting = NULL;
	guint before = 0;

	do {
		before = g_hash_table_size(done);
		waiting = NULL;
		for (guint i = 0; i < stack->steps->len; i++) {
			const StackStep *step = g_ptr_array_index(stack->steps, i);

			if (is_ready(step, done))
				(void)g_hash_table_add(done, step->id);
			else if (!waiting)
				waiting = step;
		}
	} while (g_hash_table_size(done) > before);
	if (!waiting)
		return true;

	waiting = walk_into_cycle(stack, waiting, done);
	g_autofree char *section = g_strconcat("step ", waiting->id, NULL);
	return ini_fail(stack->ini, ini_find(stack->ini, section, "after"), error,
	                "[step %s] waits for itself, by way of its \"after\"", waiting->id);
}

bool stack_check(const Stack *stack, GBytes *text, GError **error)
{
	return references_are_good(stack, error) && profiles_are_good(stack, text, error) &&
	       tools_are_good(stack, text, error) && ports_are_good(stack, error) &&
	       order_is_good(stack, error) && stack_check_deploy(stack, error);
}
