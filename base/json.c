/* base/json.c - JSON (jansson) that does not trust its input
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"

typedef struct {
	int line;
	int column;
} Place;

static json_t *fail_at(const char *name, Place place, const char *why, GError **error)
{
	fault_set(error, STATUS_DATA, NULL, "%s:%d:%d: %s", name, MAX(place.line, 1),
	          MAX(place.column, 1), why);
	return NULL;
}

/* Finds the first bracket that nests too deep, before jansson recurses into it.  What is no JSON at
 * all is left to jansson.  Returns: whether there is one; its place in @place. */
static bool is_too_deep(const char *text, gsize size_bytes, Place *place)
{
	guint depth = 0;
	bool is_in_string = false;

	*place = (Place){ .line = 1 };
	for (gsize i = 0; i < size_bytes; i++) {
		place->column++;
		if (text[i] == '\n')
			*place = (Place){ .line = place->line + 1 };
		if (is_in_string && text[i] == '\\') {
			i++;
			place->column++;
		} else if (text[i] == '"') {
			is_in_string = !is_in_string;
		} else if (!is_in_string && (text[i] == '[' || text[i] == '{')) {
			if (++depth > JSON_MAX_DEPTH)
				return true;
		} else if (!is_in_string && (text[i] == ']' || text[i] == '}') && depth > 0) {
			depth--;
		}
	}
	return false;
}

json_t *json_parse_bytes(GBytes *text, const char *name, GError **error)
{
	g_return_val_if_fail(text && name, NULL);

	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(text, &size_bytes);
	Place place = { 0 };
	json_error_t why = { 0 };

	if (!data)
		return fail_at(name, place, "empty", error);
	if (is_too_deep(data, size_bytes, &place))
		return fail_at(name, place, "nested deeper than 64", error);

	json_t *value =
		json_loadb(data, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (value)
		return value;
	/* jansson quotes the input there, which may be a secret. */
	char *quote = strstr(why.text, " near '");
	if (quote)
		*quote = '\0';
	return fail_at(name, (Place){ why.line, why.column }, why.text, error);
}

json_t *json_read(const char *path, gsize max_bytes, GError **error)
{
	g_autoptr(GBytes) text = file_read(path, max_bytes, error);

	return text ? json_parse_bytes(text, path, error) : NULL;
}

/* jansson fails to print only what cannot be printed: no memory, or a value that holds itself. */
static char *dump(const json_t *value, size_t flags, const char *end)
{
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	g_assert(text);
	char *copy = g_strconcat(text, end, NULL);
	free(text);
	return copy;
}

char *json_canonical(const json_t *value)
{
	return dump(value, JSON_COMPACT | JSON_SORT_KEYS, "");
}

char *json_pretty(const json_t *value)
{
	return dump(value, JSON_INDENT(2), "\n");
}

char *json_digest(const json_t *value)
{
	g_autofree char *text = json_canonical(value);

	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

const char *json_text_or(const json_t *object, const char *key, const char *fallback)
{
	const char *text = json_text(object, key);

	return text ? text : fallback;
}

bool json_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *json_need_text(const json_t *object, const char *key, GError **error)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member))
		fault_set(error, STATUS_DATA, NULL, "\"%s\" is %s", key,
		          member ? "not a string" : "missing");
	return json_string_value(member);
}

/* Text from outside (a path, a program's output) need not be UTF-8, and jansson drops what is
 * not. */
static json_t *new_string(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return json_string(valid);
}

void json_put(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, new_string(text));
}

json_t *json_from_strv(const char *const *strv)
{
	json_t *array = json_array();

	for (; strv && *strv; strv++)
		json_array_append_new(array, new_string(*strv));
	return array;
}

char **json_to_strv(const json_t *array)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new();

	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		if (text)
			g_ptr_array_add(texts, g_strdup(text));
	}
	g_ptr_array_add(texts, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}

const char *json_library(void)
{
	return jansson_version_str();
}
