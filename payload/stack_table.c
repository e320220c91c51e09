/* payload/stack_table.c - every section and key that a stack.ini may have
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <string.h>

#include "payload/stack_private.h"

/* packaging/slipway-stack.5 documents each row; a test compares the two. */
/* clang-format off */
static const StackRow stack_rows[] = {
	{ "schema",   &stack_type_schema,  0,                         true },
	{ "name",     &stack_type_name,    offsetof(Stack, name),     true },
	{ "title",    &stack_type_text,    offsetof(Stack, title),    true },
	{ "version",  &stack_type_version, offsetof(Stack, version),  true },
	{ "summary",  &stack_type_text,    offsetof(Stack, summary),  true },
	{ "homepage", &stack_type_url,     offsetof(Stack, homepage), false },
	{ "license",  &stack_type_text,    offsetof(Stack, license),  false },
	{ "prefix",   &stack_type_prefix,  offsetof(Stack, prefix),   true },
};

static const StackRow source_rows[] = {
	{ "url",      &stack_type_source,   offsetof(Stack, source_url),      true },
	{ "revision", &stack_type_revision, offsetof(Stack, source_revision), true },
};

#define NEEDS_ROWS(at)                                                                             \
	{ "memory",             &stack_type_size,    at(memory_bytes),             false },        \
	{ "memory-recommended", &stack_type_size,    at(memory_recommended_bytes), false },        \
	{ "disk",               &stack_type_size,    at(disk_bytes),               false },        \
	{ "engine-disk",        &stack_type_size,    at(engine_disk_bytes),        false },        \
	{ "cpus",               &stack_type_count,   at(cpus),                     false },        \
	{ "engine",             &stack_type_minimum, at(engine),                   false },        \
	{ "compose",            &stack_type_minimum, at(compose),                  false },        \
	{ "architectures",      &stack_type_words,   at(architectures),            false }
#define IN_NEEDS(field) offsetof(StackNeeds, field)
#define IN_PROFILE_NEEDS(field) offsetof(StackProfileNeeds, needs.field)

static const StackRow needs_rows[] = { NEEDS_ROWS(IN_NEEDS) };
static const StackRow profile_needs_rows[] = { NEEDS_ROWS(IN_PROFILE_NEEDS) };

static const StackRow profile_rows[] = {
	{ "title",   &stack_type_text, offsetof(StackProfile, title),      true },
	{ "default", &stack_type_flag, offsetof(StackProfile, is_default), false },
	{ "preview", &stack_type_flag, offsetof(StackProfile, is_preview), false },
};

static const StackRow tool_rows[] = {
	{ "minimum",  &stack_type_minimum,  offsetof(StackTool, minimum),  false },
	{ "profiles", &stack_type_profiles, offsetof(StackTool, profiles), false },
};

static const StackRow key_rows[] = {
	{ "kind",     &stack_type_key_kind, offsetof(StackKey, kind),       true },
	{ "title",    &stack_type_text,     offsetof(StackKey, title),      true },
	{ "url",      &stack_type_url,      offsetof(StackKey, url),        false },
	{ "variable", &stack_type_variable, offsetof(StackKey, variable),   false },
	{ "services", &stack_type_services, offsetof(StackKey, services),   false },
	{ "size",     &stack_type_random,   offsetof(StackKey, size_bytes), false },
	{ "profiles", &stack_type_profiles, offsetof(StackKey, profiles),   false },
};

static const StackRow port_rows[] = {
	{ "number",   &stack_type_port,     offsetof(StackPort, number),   true },
	{ "variable", &stack_type_variable, offsetof(StackPort, variable), true },
	{ "service",  &stack_type_service,  offsetof(StackPort, service),  false },
	{ "profiles", &stack_type_profiles, offsetof(StackPort, profiles), false },
};

static const StackRow service_rows[] = {
	{ "role",        &stack_type_text,     offsetof(StackService, role),           true },
	{ "health",      &stack_type_health,   offsetof(StackService, health),         false },
	{ "placeholder", &stack_type_flag,     offsetof(StackService, is_placeholder), false },
	{ "profiles",    &stack_type_profiles, offsetof(StackService, profiles),       false },
};

static const StackRow step_rows[] = {
	{ "kind",     &stack_type_text,     offsetof(StackStep, kind),     true },
	{ "title",    &stack_type_note,     0,                             false },
	{ "after",    &stack_type_steps,    offsetof(StackStep, after),    false },
	{ "profiles", &stack_type_profiles, offsetof(StackStep, profiles), false },
};

/* Sections that are only kept: the values are read into this and dropped. */
typedef struct {
	char *name;
	char *title;
	guint64 size_bytes;
	char **profiles;
} Kept;

static const StackRow model_rows[] = {
	{ "title",    &stack_type_text,     offsetof(Kept, title),      false },
	{ "size",     &stack_type_size,     offsetof(Kept, size_bytes), false },
	{ "profiles", &stack_type_profiles, offsetof(Kept, profiles),   false },
};

static const StackRow test_rows[] = {
	{ "title",    &stack_type_text,     offsetof(Kept, title),    false },
	{ "profiles", &stack_type_profiles, offsetof(Kept, profiles), false },
};

#define ROWS(array) .rows = (array), .row_count = G_N_ELEMENTS(array)
#define NAMED(type, array)                                                                         \
	.form = STACK_NAMED, .struct_size = sizeof(type), .offset = offsetof(Stack, array)
#define KEPT .form = STACK_KEPT, .struct_size = sizeof(Kept)
#define NAME_RULE                                                                                  \
	.name_is_good = stack_name_is_good,                                                        \
	.name_rule = "a letter or digit, then A-Z, a-z, 0-9, \".\", \"_\", \"-\", 64 bytes at most"

const StackSection stack_section_table[] = {
	{ "stack",   ROWS(stack_rows) },
	{ "source",  ROWS(source_rows) },
	{ "needs",   ROWS(needs_rows), .offset = offsetof(Stack, needs) },
	{ "needs",   ROWS(profile_needs_rows), NAMED(StackProfileNeeds, profile_needs) },
	{ "profile", ROWS(profile_rows), NAMED(StackProfile, profiles), NAME_RULE },
	{ "tool",    ROWS(tool_rows), NAMED(StackTool, tools) },
	{ "key",     ROWS(key_rows), NAMED(StackKey, keys),
	  .name_is_good = stack_variable_is_good,
	  .name_rule = "the name of an environment variable, 64 bytes at most" },
	{ "port",    ROWS(port_rows), NAMED(StackPort, ports), NAME_RULE },
	{ "service", ROWS(service_rows), NAMED(StackService, services), NAME_RULE },
	{ "step",    ROWS(step_rows), NAMED(StackStep, steps), NAME_RULE, .is_open = true },
	{ "model",   ROWS(model_rows), KEPT, .is_open = true },
	{ "test",    ROWS(test_rows), KEPT, .is_open = true },
};
/* clang-format on */

const gsize stack_section_count = G_N_ELEMENTS(stack_section_table);

const StackRow *stack_section_row(const StackSection *section, const char *key)
{
	for (gsize i = 0; i < section->row_count; i++)
		if (strcmp(section->rows[i].name, key) == 0)
			return &section->rows[i];

	return NULL;
}
