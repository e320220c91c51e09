/* payload/stack.c - reads a stack.ini by the table of its sections and keys
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/nearest.h"
#include "payload/stack_private.h"

#define GENERATED_BYTES 32 /* 256 bits, when [key] names no size */

/* One parse. */
typedef struct {
	GBytes *text;
	Stack *stack;
} Reading;

/* The struct of a named section starts with its name. */
static void *field_at(void *base, gsize offset)
{
	return (char *)base + offset;
}

static const char *skip_blanks(const char *text, const char *end)
{
	while (text < end && g_ascii_isspace(*text))
		text++;

	return text;
}

static bool is_name_before_bracket(const char *at, const char *end, const char *name)
{
	gsize length = strlen(name);

	if ((gsize)(end - at) <= length || memcmp(at, name, length) != 0)
		return false;

	at = skip_blanks(at + length, end);
	return at < end && *at == ']';
}

/* Returns: the line of "[@section]" in @text; 1 when it has none. */
static guint find_section_line(GBytes *text, const char *section)
{
	gsize size_bytes = 0;
	const char *at = g_bytes_get_data(text, &size_bytes);
	const char *end = at + size_bytes;

	for (guint line = 1; at && at < end; line++) {
		const char *eol = memchr(at, '\n', (gsize)(end - at));
		const char *stop = eol ? eol : end;
		const char *name = skip_blanks(at, stop);

		if (name < stop && *name == '[') {
			name = skip_blanks(name + 1, stop);
			if (is_name_before_bracket(name, stop, section))
				return line;
		}
		at = stop + 1;
	}

	return 1;
}

bool stack_fail_section(GBytes *text, const char *name, const char *section, GError **error,
                        const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	fault_set(error, STATUS_CONFIG, NULL, "%s:%u:1: %s", name, find_section_line(text, section),
	          why);
	return false;
}

/* Returns: (nullable): the kind of section that "[@full]" is; @which: (out): its name, "" without. */
static const StackSection *find_section(const char *full, const char **which)
{
	const char *blank = strpbrk(full, " \t");
	gsize length = blank ? (gsize)(blank - full) : strlen(full);

	*which = blank ? blank + strspn(blank, " \t") : "";
	for (gsize i = 0; i < stack_section_count; i++) {
		const StackSection *section = &stack_section_table[i];

		if (strlen(section->name) == length && strncmp(section->name, full, length) == 0 &&
		    (section->form == STACK_SINGLE) == (**which == '\0'))
			return section;
	}

	return NULL;
}

static bool unknown_section(const Reading *reading, const char *full, GError **error)
{
	g_autofree char *word = g_strndup(full, strcspn(full, " \t"));
	Nearest nearest = { .word = word };

	for (gsize i = 0; i < stack_section_count; i++)
		nearest_try(&nearest, stack_section_table[i].name);
	if (nearest.best && g_str_equal(nearest.best, word))
		return stack_fail_section(reading->text, reading->stack->ini_name, full, error,
		                          strchr(full, ' ') ? "[%s] takes no name"
		                                            : "[%s] needs a name, as in [tool git]",
		                          word);

	g_autofree char *hint = nearest_hint(&nearest);
	return stack_fail_section(reading->text, reading->stack->ini_name, full, error,
	                          "unknown section [%s]%s", full, hint);
}

static bool unknown_key(const Stack *stack, const StackSection *section, const IniEntry *entry,
                        GError **error)
{
	Nearest nearest = { .word = entry->key };

	for (gsize i = 0; i < section->row_count; i++)
		nearest_try(&nearest, section->rows[i].name);

	g_autofree char *hint = nearest_hint(&nearest);
	return ini_fail(stack->ini, entry, error, "unknown key \"%s\" in [%s]%s", entry->key,
	                entry->section, hint);
}

static void clear_rows(const StackSection *section, void *base)
{
	for (gsize i = 0; i < section->row_count; i++) {
		void *field = field_at(base, section->rows[i].offset);

		if (section->rows[i].type->field == STACK_FIELD_TEXT)
			g_clear_pointer((char **)field, g_free);
		else if (section->rows[i].type->field == STACK_FIELD_LIST)
			g_clear_pointer((char ***)field, g_strfreev);
	}
}

static void fill_lists(const StackSection *section, void *base)
{
	for (gsize i = 0; i < section->row_count; i++) {
		char ***list = field_at(base, section->rows[i].offset);

		if (section->rows[i].type->field == STACK_FIELD_LIST && !*list)
			*list = g_new0(char *, 1);
	}
}

static bool read_rows(const Reading *reading, const StackSection *section, const char *full,
                      void *base, GError **error)
{
	const Stack *stack = reading->stack;

	for (const IniEntry *entry = ini_section(stack->ini, full); entry->key; entry++) {
		const StackRow *row = stack_section_row(section, entry->key);

		if (!row && !section->is_open)
			return unknown_key(stack, section, entry, error);
		if (row && !row->type->read(stack->ini, entry, field_at(base, row->offset), error))
			return false;
	}
	for (gsize i = 0; i < section->row_count; i++)
		if (section->rows[i].is_required &&
		    !ini_find(stack->ini, full, section->rows[i].name))
			return stack_fail_section(reading->text, stack->ini_name, full, error,
			                          "[%s] has no %s", full, section->rows[i].name);

	fill_lists(section, base);
	return true;
}

static void keep_values(const Stack *stack, StackStep *step, const char *full)
{
	step->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (const IniEntry *entry = ini_section(stack->ini, full); entry->key; entry++) {
		if (step->line == 0)
			step->line = entry->line;
		g_hash_table_insert(step->values, g_strdup(entry->key), g_strdup(entry->value));
	}
}

static void complete_key(StackKey *key)
{
	if (!key->variable)
		key->variable = g_strdup(key->name);
	if (key->size_bytes == 0)
		key->size_bytes = GENERATED_BYTES;
}

/* What a row of the table cannot say. */
static void complete(const Stack *stack, const StackSection *section, const char *full, void *item)
{
	if (section->offset == offsetof(Stack, steps))
		keep_values(stack, item, full);
	else if (section->offset == offsetof(Stack, keys))
		complete_key(item);
}

static void free_item(const StackSection *section, void *item)
{
	char **name = item;

	clear_rows(section, item);
	if (section->form == STACK_NAMED && section->offset == offsetof(Stack, steps) &&
	    ((StackStep *)item)->values)
		g_hash_table_unref(((StackStep *)item)->values);
	g_free(*name);
	g_free(item);
}

static bool read_named(const Reading *reading, const StackSection *section, const char *full,
                       const char *which, GError **error)
{
	void *item = NULL;
	bool is_good = false;

	if (section->name_is_good && !section->name_is_good(which))
		return stack_fail_section(reading->text, reading->stack->ini_name, full, error,
		                          "the name \"%s\" is not %s", which, section->name_rule);

	item = g_malloc0(section->struct_size);
	*(char **)item = g_strdup(which);
	is_good = read_rows(reading, section, full, item, error);
	if (!is_good || section->form == STACK_KEPT) {
		free_item(section, item);
		return is_good;
	}

	complete(reading->stack, section, full, item);
	g_ptr_array_add(*(GPtrArray **)field_at(reading->stack, section->offset), item);
	return true;
}

static bool read_all(const Reading *reading, GError **error)
{
	const GPtrArray *sections = ini_sections(reading->stack->ini);

	for (guint i = 0; i < sections->len; i++) {
		const char *full = g_ptr_array_index(sections, i);
		const char *which = NULL;
		const StackSection *section = find_section(full, &which);

		if (!section)
			return unknown_section(reading, full, error);
		if (section->form == STACK_SINGLE
		            ? !read_rows(reading, section, full,
		                         field_at(reading->stack, section->offset), error)
		            : !read_named(reading, section, full, which, error))
			return false;
	}
	if (!reading->stack->name)
		return stack_fail_section(reading->text, reading->stack->ini_name, "stack", error,
		                          "there is no [stack]");

	return true;
}

/* @ini: (transfer full) */
static Stack *new_stack(IniFile *ini, const char *name)
{
	Stack *stack = g_new0(Stack, 1);

	stack->ini = ini;
	stack->ini_name = g_strdup(name);
	for (gsize i = 0; i < stack_section_count; i++) {
		const StackSection *section = &stack_section_table[i];

		if (section->form == STACK_NAMED)
			*(GPtrArray **)field_at(stack, section->offset) = g_ptr_array_new();
	}

	return stack;
}

Stack *stack_read(GBytes *text, const char *name, GError **error)
{
	IniFile *ini = ini_parse_bytes(text, name, error);
	Reading reading = { .text = text };

	if (!ini)
		return NULL;

	reading.stack = new_stack(ini, name);
	if (!read_all(&reading, error)) {
		stack_free(reading.stack);
		return NULL;
	}
	if (!reading.stack->needs.architectures)
		reading.stack->needs.architectures = g_new0(char *, 1);

	return reading.stack;
}

Stack *stack_parse(GBytes *text, const char *name, GError **error)
{
	g_autoptr(Stack) stack = stack_read(text, name, error);

	return stack && stack_check(stack, text, error) ? g_steal_pointer(&stack) : NULL;
}

void stack_free(Stack *stack)
{
	if (!stack)
		return;

	for (gsize i = 0; i < stack_section_count; i++) {
		const StackSection *section = &stack_section_table[i];
		void *field = field_at(stack, section->offset);

		if (section->form == STACK_SINGLE)
			clear_rows(section, field);
		if (section->form != STACK_NAMED)
			continue;

		GPtrArray *items = *(GPtrArray **)field;
		for (guint j = 0; j < items->len; j++)
			free_item(section, g_ptr_array_index(items, j));
		g_ptr_array_unref(items);
	}
	g_free(stack->ini_name);
	ini_free(stack->ini);
	g_free(stack);
}
