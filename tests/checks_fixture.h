/* tests/checks_fixture.h - machines and needs for the tests of checks/
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "checks/check.h"

#define KIB (G_GUINT64_CONSTANT(1) << 10)
#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

static const CheckPortNeed fixture_ports[] = {
	{ "grafana", 3000, "GRAFANA_PORT" },
	{ "proxy", 8080, NULL },
};

/* The element of a list of objects that is about the same directory, port, ... as @like: its first member says so. */
static inline json_t *fixture_same(json_t *list, json_t *like)
{
	const char *key = json_object_iter_key(json_object_iter(like));
	json_t *element;
	size_t i;

	json_array_foreach(list, i,
	                   element) if (json_equal(json_object_get(element, key),
	                                           json_object_get(like, key))) return element;

	return NULL;
}

/* Puts @changes over @base: objects member by member, lists of objects element by element. */
static inline void fixture_merge(json_t *base, json_t *changes)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(changes, key, value)
	{
		json_t *old = json_object_get(base, key);
		json_t *element;

		if (json_is_object(old) && json_is_object(value)) {
			fixture_merge(old, value);
			continue;
		}
		if (!json_is_array(old) || !json_is_array(value)) {
			json_object_set(base, key, value);
			continue;
		}
		json_array_foreach(value, i, element)
		{
			json_t *same = fixture_same(old, element);

			if (same != NULL)
				fixture_merge(same, element);
			else
				json_array_append(old, element);
		}
	}
}

static inline char *fixture_path(const char *name)
{
	const char *data = g_getenv("TEST_DATA");

	return g_strdup_printf("%s/facts/%s", data != NULL ? data : "tests/data", name);
}

/* Returns: (transfer full): tests/data/facts/@name.json, put over the file that its "base" names. */
static inline json_t *fixture_json(const char *name)
{
	g_autofree char *file = g_strconcat(name, ".json", NULL);
	g_autofree char *path = fixture_path(file);
	g_autoptr(GError) error = NULL;
	json_t *object = json_read(path, 1024 * 1024, &error);
	const char *base = json_string_value(json_object_get(object, "base"));
	json_t *whole;

	g_assert_no_error(error);
	if (base == NULL)
		return object;

	whole = fixture_json(base);
	fixture_merge(whole, object);
	json_decref(object);
	return whole;
}

static inline Facts *fixture_facts(const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = fixture_json(name);
	Facts *facts = facts_from_json(object, &error);

	g_assert_no_error(error);
	return facts;
}

/* Returns: (transfer full): facts that say only what @text, where ' stands for ", says. */
static inline Facts *fixture_parse(const char *text)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	g_autoptr(GBytes) bytes = g_bytes_new(quoted, strlen(quoted));
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = json_parse_bytes(bytes, text, &error);
	Facts *facts;

	g_assert_no_error(error);
	json_object_set_new(object, "schema", json_integer(FACTS_SCHEMA));
	facts = facts_from_json(object, &error);
	g_assert_no_error(error);
	return facts;
}

/* The finding with that id; several directories may share one. */
static inline const CheckFinding *fixture_find(const GPtrArray *findings, const char *id)
{
	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);

		if (strcmp(finding->id, id) == 0)
			return finding;
	}
	return NULL;
}

/* Judges a machine that @text adds to nothing (fixture_parse()): the finding of @id is @want; @measured: (nullable). */
static inline void fixture_judge(const char *text, const CheckNeeds *needs, const char *id,
                                 CheckVerdict want, const char *measured)
{
	g_autoptr(Facts) facts = fixture_parse(text);
	g_autoptr(GPtrArray) findings = check_run_all(facts, needs, NULL);
	const CheckFinding *finding = fixture_find(findings, id);

	g_assert_nonnull(finding);
	g_assert_cmpstr(check_verdict_name(finding->verdict), ==, check_verdict_name(want));
	if (measured != NULL)
		g_assert_cmpstr(finding->measured, ==, measured);
	g_assert_true(g_str_has_suffix(finding->remedy, "."));
}
