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

/* Returns: (transfer full): tests/data/facts/@name.json as a JSON object. */
static inline json_t *fixture_json(const char *name)
{
	const char *data = g_getenv("TEST_DATA");
	g_autofree char *path =
		g_strdup_printf("%s/facts/%s.json", data != NULL ? data : "tests/data", name);
	g_autoptr(GError) error = NULL;
	json_t *object = json_read(path, 1024 * 1024, &error);

	g_assert_no_error(error);
	return object;
}

static inline Facts *fixture_facts(const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = fixture_json(name);
	Facts *facts = facts_from_json(object, &error);

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
