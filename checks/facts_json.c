/* checks/facts_json.c - facts as JSON, and back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "checks/facts_fields.h"
#include "checks/facts_private.h"

static json_t *optional_text(const char *text)
{
	json_t *value = text != NULL ? json_string(text) : NULL;

	return value != NULL ? value : json_null(); /* not UTF-8: not said */
}

static json_t *field_to_json(gconstpointer object, const Field *field)
{
	const void *member = (const char *)object + field->offset;
	guint64 number = FACTS_UNKNOWN;

	switch (field->kind) {
	case FIELD_NUMBER:
		number = *(const guint64 *)member;
		return number <= G_MAXINT64 ? json_integer((json_int_t)number) : json_null();
	case FIELD_TEXT:
		return optional_text(*(char *const *)member);
	case FIELD_FACT:
		return *(const Fact *)member == FACT_UNKNOWN
		               ? json_null()
		               : json_boolean(*(const Fact *)member == FACT_YES);
	case FIELD_WORD:
		return json_string(field->words[*(const guint *)member]);
	}
	return NULL;
}

/* The object that members of @group stand in. */
static json_t *group_of(json_t *object, const char *group)
{
	json_t *inner = group != NULL ? json_object_get(object, group) : object;

	if (inner == NULL) {
		inner = json_object();
		(void)json_object_set_new(object, group, inner);
	}
	return inner;
}

static json_t *fields_to_json(gconstpointer object, const Fields *fields)
{
	json_t *result = json_object();

	for (gsize i = 0; i < fields->count; i++) {
		const Field *field = &fields->rows[i];

		(void)json_object_set_new(group_of(result, field->group), field->name,
		                          field_to_json(object, field));
	}
	return result;
}

static json_t *list_to_json(const GPtrArray *list, const Fields *fields)
{
	json_t *result = json_array();

	for (guint i = 0; i < list->len; i++)
		(void)json_array_append_new(result,
		                            fields_to_json(g_ptr_array_index(list, i), fields));

	return result;
}

json_t *facts_to_json(const Facts *facts)
{
	json_t *result = json_object();
	g_autoptr(json_t) members = fields_to_json(facts, &facts_fields);

	(void)json_object_set_new(result, "schema", json_integer(FACTS_SCHEMA));
	(void)json_object_update(result, members);
	(void)json_object_set_new(result, "cards", list_to_json(facts->cards, &card_fields));
	(void)json_object_set_new(result, "directories",
	                          list_to_json(facts->directories, &directory_fields));
	(void)json_object_set_new(result, "ports", list_to_json(facts->ports, &port_fields));
	(void)json_object_set_new(result, "servers", list_to_json(facts->servers, &server_fields));
	(void)json_object_set_new(result, "secrets", list_to_json(facts->secrets, &secret_fields));
	return result;
}

static bool take_number(const json_t *value, guint64 *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;

	*number = (guint64)json_integer_value(value);
	return true;
}

static bool take_word(const json_t *value, const char *const *words, guint *word)
{
	const char *text = json_string_value(value);

	for (guint i = 0; text != NULL && words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*word = i;
			return true;
		}
	}
	return false;
}

static bool field_from_json(gpointer object, const Field *field, const json_t *value)
{
	void *member = (char *)object + field->offset;

	switch (field->kind) {
	case FIELD_NUMBER:
		return take_number(value, member);
	case FIELD_TEXT:
		g_free(*(char **)member);
		*(char **)member = g_strdup(json_string_value(value));
		return json_is_string(value);
	case FIELD_FACT:
		*(Fact *)member = json_is_true(value) ? FACT_YES : FACT_NO;
		return json_is_boolean(value);
	case FIELD_WORD:
		return take_word(value, field->words, member);
	}
	return false;
}

static bool fields_from_json(const json_t *from, gpointer object, const Fields *fields,
                             GError **error)
{
	for (gsize i = 0; i < fields->count; i++) {
		const Field *field = &fields->rows[i];
		const json_t *group =
			field->group != NULL ? json_object_get(from, field->group) : from;
		const json_t *value = json_object_get(group, field->name);

		if (value == NULL || json_is_null(value))
			continue;
		if (!field_from_json(object, field, value)) {
			fault_set(error, STATUS_DATA, NULL,
			          "facts: %s%s%s has a value of a wrong type or range",
			          field->group != NULL ? field->group : "",
			          field->group != NULL ? "." : "", field->name);
			return false;
		}
	}
	return true;
}

/** A list of the facts: an array of objects in JSON. */
typedef struct {
	const char *name;
	GPtrArray *into;
	const Fields *fields;
	gpointer (*make)(void);
} List;

static gpointer make_card(void)
{
	return facts_card_new();
}

static gpointer make_directory(void)
{
	return facts_directory_new(NULL);
}

static gpointer make_port(void)
{
	return facts_port_new(FACTS_UNKNOWN);
}

static gpointer make_server(void)
{
	return facts_server_new(NULL);
}

static gpointer make_secret(void)
{
	return facts_secret_new(NULL);
}

static bool list_from_json(const json_t *object, const List *list, GError **error)
{
	const json_t *array = json_object_get(object, list->name);

	for (gsize i = 0; i < json_array_size(array); i++) {
		gpointer element = list->make();

		g_ptr_array_add(list->into, element);
		if (!fields_from_json(json_array_get(array, i), element, list->fields, error))
			return false;
	}
	return true;
}

static bool lists_from_json(const json_t *object, Facts *facts, GError **error)
{
	const List lists[] = {
		{ "cards", facts->cards, &card_fields, make_card },
		{ "directories", facts->directories, &directory_fields, make_directory },
		{ "ports", facts->ports, &port_fields, make_port },
		{ "servers", facts->servers, &server_fields, make_server },
		{ "secrets", facts->secrets, &secret_fields, make_secret },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		if (!list_from_json(object, &lists[i], error))
			return false;

	return true;
}

Facts *facts_from_json(const json_t *object, GError **error)
{
	g_autoptr(Facts) facts = facts_new();
	const json_t *schema = json_object_get(object, "schema");

	if (!json_is_integer(schema) || json_integer_value(schema) != FACTS_SCHEMA) {
		fault_set(error, STATUS_DATA, "Make the file with `slipway facts`.",
		          "facts: not a document of schema %d", FACTS_SCHEMA);
		return NULL;
	}
	if (!fields_from_json(object, facts, &facts_fields, error) ||
	    !lists_from_json(object, facts, error))
		return NULL;

	return g_steal_pointer(&facts);
}
