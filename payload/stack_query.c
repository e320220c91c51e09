/* payload/stack_query.c - questions to a parsed stack
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "payload/stack_private.h"

const char *stack_default_profile(const Stack *stack)
{
	for (guint i = 0; i < stack->profiles->len; i++) {
		const StackProfile *profile = g_ptr_array_index(stack->profiles, i);

		if (profile->is_default)
			return profile->name;
	}

	return NULL;
}

const StackProfile *stack_find_profile(const Stack *stack, const char *name)
{
	for (guint i = 0; name && i < stack->profiles->len; i++) {
		const StackProfile *profile = g_ptr_array_index(stack->profiles, i);

		if (strcmp(profile->name, name) == 0)
			return profile;
	}

	return NULL;
}

static guint64 number_or(guint64 number, guint64 fallback)
{
	return number ? number : fallback;
}

static void override(StackNeeds *needs, const StackNeeds *by)
{
	needs->memory_bytes = number_or(by->memory_bytes, needs->memory_bytes);
	needs->memory_recommended_bytes =
		number_or(by->memory_recommended_bytes, needs->memory_recommended_bytes);
	needs->disk_bytes = number_or(by->disk_bytes, needs->disk_bytes);
	needs->engine_disk_bytes = number_or(by->engine_disk_bytes, needs->engine_disk_bytes);
	needs->cpus = number_or(by->cpus, needs->cpus);
	needs->engine = by->engine ? by->engine : needs->engine;
	needs->compose = by->compose ? by->compose : needs->compose;
	needs->architectures = *by->architectures ? by->architectures : needs->architectures;
}

void stack_needs(const Stack *stack, const char *profile, StackNeeds *needs)
{
	*needs = stack->needs;
	for (guint i = 0; profile && i < stack->profile_needs->len; i++) {
		const StackProfileNeeds *own = g_ptr_array_index(stack->profile_needs, i);

		if (strcmp(own->profile, profile) == 0)
			override(needs, &own->needs);
	}
}

bool stack_in_profile(char *const *profiles, const char *profile)
{
	if (!profiles || !*profiles || !profile)
		return true;

	return g_strv_contains((const char *const *)profiles, profile);
}

/* Takes the next number off @version; a missing one counts as 0. */
static guint64 next_number(const char **version)
{
	char *end = NULL;
	guint64 number = g_ascii_isdigit(**version) ? g_ascii_strtoull(*version, &end, 10) : 0;

	if (!end) /* text: nothing behind it counts */
		*version = "";
	else
		*version = *end == '.' ? end + 1 : "";
	return number;
}

int stack_version_compare(const char *a, const char *b)
{
	a += *a == 'v';
	b += *b == 'v';
	while (*a || *b) {
		guint64 left = next_number(&a);
		guint64 right = next_number(&b);

		if (left != right)
			return left < right ? -1 : 1;
	}

	return 0;
}
