/* base/json.h - JSON (jansson) that does not trust its input
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/** Deepest nesting that is accepted, ours; jansson's own limit is 2048. */
#define JSON_MAX_DEPTH 64

/** Parses one document; duplicate keys, trailing bytes, NUL bytes in strings are errors.
 *  Returns: (transfer full): the value, or NULL with DATA set: "NAME:LINE:COLUMN: why". */
json_t *json_parse_bytes(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads a file of at most @max_bytes and parses it. */
json_t *json_read(const char *path, gsize max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): compact text with sorted keys: the same value, the same bytes. */
char *json_canonical(const json_t *value);

/** Returns: (transfer full): indented text in insertion order, with a final line break. */
char *json_pretty(const json_t *value);

/** Returns: (transfer full): lower-case hex SHA-256 of json_canonical(). */
char *json_digest(const json_t *value);

/** Returns: (transfer none) (nullable): member @key of @object if it is a string; NULL else. */
const char *json_text(const json_t *object, const char *key);

/** Returns: (transfer none): as json_text(), or @fallback. */
const char *json_text_or(const json_t *object, const char *key, const char *fallback);

/** Returns: member @key as a bool; false when absent or of another type. */
bool json_flag(const json_t *object, const char *key);

/** Returns: (transfer none): member @key, which must be a string; or NULL with DATA set. */
const char *json_need_text(const json_t *object, const char *key, GError **error);

/** Sets a string member; NULL @text leaves the object alone. */
void json_put(json_t *object, const char *key, const char *text);

/** Returns: (transfer full): a JSON array of the strings; an empty one for NULL. */
json_t *json_from_strv(const char *const *strv);

/** Returns: (transfer full): NULL-terminated; members that are no strings are left out. */
char **json_to_strv(const json_t *array);

/** Returns: (transfer none): the version of jansson. */
const char *json_library(void);
