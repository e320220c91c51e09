/* tests/checks_unknown.h - no check passes by a number that could not be read
 *
 * A number or a statement decides about a check when it can be such that the check is not met.  Then the
 * check does not pass where it is unknown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check.h"
#include "checks/facts_fields.h"
#include "tests/checks_fixture.h"

static const CheckDiskNeed unknown_disk[] = {
	{ "/home/ana/.stack", 10 * GIB },
	{ "/home/ana/.local/state/slipway", 64 * MIB },
};
static const CheckModelNeed unknown_models[] = {
	{ "large", 20 * GIB, true },
	{ "small", 1 * GIB, false },
};
static const char *const unknown_services[] = { "redis", "postgres", "qdrant", "ollama", NULL };

/* A stack of containers, and one without. */
static const CheckNeeds unknown_needs[] = {
	{ .source = "containers",
	  .memory_bytes = 8 * GIB,
	  .memory_recommended_bytes = 16 * GIB,
	  .disk = unknown_disk,
	  .disk_count = G_N_ELEMENTS(unknown_disk),
	  .engine_disk_bytes = 20 * GIB,
	  .cpus = 4,
	  .engine = "20.10",
	  .compose = "2.20",
	  .ports = fixture_ports,
	  .port_count = G_N_ELEMENTS(fixture_ports),
	  .models = unknown_models,
	  .model_count = G_N_ELEMENTS(unknown_models),
	  .services = unknown_services,
	  .needs_packages = true,
	  .needs_keyring = true },
	{ .source = "native",
	  .memory_bytes = 2 * GIB,
	  .disk = unknown_disk,
	  .disk_count = G_N_ELEMENTS(unknown_disk),
	  .cpus = 2,
	  .models = unknown_models,
	  .model_count = G_N_ELEMENTS(unknown_models),
	  .needs_packages = true,
	  .needs_keyring = true,
	  .runs_models = true,
	  .has_user_unit = true },
};

/* Members of which "unknown" says something by itself; each with what it says. */
static const struct {
	const char *group, *name; /* (nullable): of a list */
} unknown_says[] = {
	/* no control group limits it */
	{ "memory", "limit_bytes" },
	{ "cpu", "quota_milli" },
	/* this file system does not count them */
	{ NULL, "free_inodes" },
};

static inline bool unknown_is_a_value(const Field *field)
{
	for (gsize i = 0; i < G_N_ELEMENTS(unknown_says); i++)
		if (g_strcmp0(unknown_says[i].group, field->group) == 0 &&
		    strcmp(unknown_says[i].name, field->name) == 0)
			return true;

	return false;
}

/* Sets the member to its value number @i; 0 is unknown.  Returns: false when there are no more. */
static inline bool unknown_set(gpointer object, const Field *field, gsize i)
{
	static const guint64 numbers[] = {
		FACTS_UNKNOWN, 0, 1, 3, 1000, 10 * MIB, 3 * GIB, FACTS_UNLIMITED,
	};

	if (field->kind == FIELD_NUMBER && i < G_N_ELEMENTS(numbers))
		G_STRUCT_MEMBER(guint64, object, field->offset) = numbers[i];
	else if (field->kind == FIELD_FACT && i <= FACT_YES)
		G_STRUCT_MEMBER(Fact, object, field->offset) = (Fact)i;
	else
		return false;
	return true;
}

static inline bool unknown_is_bad(const GPtrArray *findings, const char *id)
{
	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = findings->pdata[i];

		if (strcmp(finding->id, id) == 0 &&
		    (finding->verdict == CHECK_FAIL || finding->verdict == CHECK_WARN))
			return true;
	}
	return false;
}

/* Returns: (nullable): the first check that passes with the member unknown, and does not with one of its
 * values.  All else stays as it is. */
static inline const char *unknown_that_passes(const Facts *facts, const CheckNeeds *needs,
                                              gpointer object, const Field *field)
{
	gsize size_bytes = field->kind == FIELD_FACT ? sizeof(Fact) : sizeof(guint64);
	guint64 before = 0;
	g_autoptr(GPtrArray) unknown = NULL;
	const char *found = NULL;

	memcpy(&before, (const char *)object + field->offset, size_bytes);
	for (gsize value = 0; found == NULL && unknown_set(object, field, value); value++) {
		g_autoptr(GPtrArray) findings = check_run_all(facts, needs, NULL);

		for (guint i = 0; unknown != NULL && i < unknown->len; i++) {
			const CheckFinding *finding = unknown->pdata[i];

			if (finding->verdict == CHECK_PASS &&
			    !unknown_is_bad(unknown, finding->id) &&
			    unknown_is_bad(findings, finding->id))
				found = finding->check->id;
		}
		if (unknown == NULL)
			unknown = g_steal_pointer(&findings);
	}
	memcpy((char *)object + field->offset, &before, size_bytes);
	return found;
}
