/* payload/stack_format.c - the format of stack.ini, described from its table
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/stack_format.h"

#include "base/json.h"
#include "payload/stack_private.h"

static json_t *describe_keys(const StackSection *section)
{
	json_t *keys = json_array();

	for (gsize i = 0; i < section->row_count; i++) {
		const StackRow *row = &section->rows[i];

		json_array_append_new(keys,
		                      json_pack("{s:s, s:b, s:s}", "name", row->name, "required",
		                                row->is_required, "about", row->about));
	}
	return keys;
}

static json_t *describe_section(const StackSection *section)
{
	json_t *object = json_pack("{s:s, s:[], s:s, s:o}", "name", section->name, "forms", "about",
	                           section->about, "keys", describe_keys(section));

	json_put(object, "rest", section->about_rest);
	return object;
}

json_t *stack_format(void)
{
	json_t *sections = json_array();

	for (gsize i = 0; i < stack_section_count; i++) {
		const StackSection *section = &stack_section_table[i];
		const char *argument = section->argument;
		g_autofree char *form = g_strdup_printf(
			"[%s%s%s]", section->name, argument ? " " : "", argument ? argument : "");

		if (section->about)
			json_array_append_new(sections, describe_section(section));
		json_array_append_new(
			json_object_get(json_array_get(sections, json_array_size(sections) - 1),
		                        "forms"),
			json_string(form));
	}
	return sections;
}
