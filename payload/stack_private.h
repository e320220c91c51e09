/* payload/stack_private.h - the sections and keys of a stack.ini, as one table
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "payload/stack.h"

/** How a value is kept in its struct. */
typedef enum {
	STACK_FIELD_NONE,   /* it is only checked */
	STACK_FIELD_TEXT,   /* char * */
	STACK_FIELD_LIST,   /* char **, never NULL once parsed */
	STACK_FIELD_NUMBER, /* guint64 */
	STACK_FIELD_FLAG,   /* bool */
	STACK_FIELD_KEY_KIND,
} StackField;

/** A type of value: how it is read, and what people are told about it. */
typedef struct {
	StackField field;
	bool (*read)(const IniFile *ini, const IniEntry *entry, void *field, GError **error);
	const char *refers_to; /* (nullable): section whose names the list must have: "profile" */
} StackType;

extern const StackType stack_type_text, stack_type_note, stack_type_name, stack_type_version,
	stack_type_minimum, stack_type_schema, stack_type_url, stack_type_health, stack_type_source,
	stack_type_revision, stack_type_prefix, stack_type_size, stack_type_count, stack_type_port,
	stack_type_random, stack_type_flag, stack_type_variable, stack_type_key_kind,
	stack_type_words, stack_type_command, stack_type_profiles, stack_type_service,
	stack_type_services, stack_type_steps;

/** One key of a section. */
typedef struct {
	const char *name;
	const StackType *type;
	gsize offset; /* of the field in the section's struct */
	bool is_required;
	const char *about; /* whole sentences, for slipway-stack(5) */
} StackRow;

/** One kind of section. */
typedef struct {
	const char *name;
	enum {
		STACK_SINGLE, /* [name], at most once, @offset is that of its struct in Stack */
		STACK_NAMED,  /* [name WHICH], @offset is that of a GPtrArray of structs in Stack */
		STACK_KEPT,   /* [name WHICH], only checked and kept in the ini */
	} form;
	bool (*name_is_good)(const char *name); /* (nullable) */
	const char *name_rule;                  /* (nullable): for the message when it is not */
	bool is_open;                           /* has further keys, which are not judged here */
	const StackRow *rows;
	gsize row_count;
	gsize struct_size;
	gsize offset;
	const char *argument;   /* (nullable): what stands behind its name: "NAME" */
	const char *about;      /* (nullable): whole sentences; NULL: those of the row above */
	const char *about_rest; /* (nullable): of keys that have no row */
} StackSection;

extern const StackSection stack_section_table[];
extern const gsize stack_section_count;

/** [needs PROFILE] */
typedef struct {
	char *profile;
	StackNeeds needs;
} StackProfileNeeds;

/** Returns: (transfer none) (nullable): the row of @key. */
const StackRow *stack_section_row(const StackSection *section, const char *key);

/** Rules for names: a letter or digit, then [A-Za-z0-9._-], 64 bytes; [a-z][a-z0-9-]*, 2 to 32
 *  bytes; an environment variable. */
bool stack_name_is_good(const char *name);
bool stack_id_is_good(const char *name);
bool stack_variable_is_good(const char *name);

/** Sets CONFIG with the place of the line "[@section]" in @text (line 1 when there is none). */
bool stack_fail_section(GBytes *text, const char *name, const char *section, GError **error,
                        const char *format, ...) G_GNUC_PRINTF(5, 6);

/** Reads a stack.ini; says nothing of what has to hold between its sections.
 *  @name: stands in messages.  Returns: (transfer full) (nullable): NULL with CONFIG set. */
Stack *stack_read(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Checks [deploy], if there is one. */
bool stack_check_deploy(const Stack *stack, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Checks what holds between sections: references, ports, profiles, the order of steps. */
bool stack_check(const Stack *stack, GBytes *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
