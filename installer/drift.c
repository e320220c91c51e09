/* installer/drift.c - what became of the things that a receipt records
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/drift.h"

#include "base/file.h"
#include "base/tree.h"

/* A listing of 50,000 entries has about 10 MiB. */
#define LISTING_MAX_BYTES ((gsize)64 * 1024 * 1024)
#define NAMES_MAX 20

static const char *state_of(const json_t *record, const StepHost *host)
{
	static const char *const words[] = {
		[PROBE_ABSENT] = "missing",  [PROBE_OURS] = "ok",
		[PROBE_PARTIAL] = "changed", [PROBE_FOREIGN] = "replaced",
		[PROBE_EDITED] = "edited",   [PROBE_BESIDE] = "edited",
	};
	g_autoptr(Step) step = step_from_json(record, NULL);
	StepRun run = { .step = step, .receipt = record, .host = host };
	Probe probe = PROBE_ABSENT;

	return step && step->kind->probe(&run, &probe, NULL) ? words[probe] : "unknown";
}

/* Adds a name to the list @kind of @shown. */
static void add_name(json_t *shown, const char *kind, const char *name)
{
	json_t *names = json_object_get(shown, kind);

	if (!names) {
		names = json_array();
		json_object_set_new(shown, kind, names);
	}
	if (json_array_size(names) < NAMES_MAX)
		json_array_append_new(names, json_string(name));
}

/* The same mark and digest in each listing; git writes times into its index. */
static void compare_trees(json_t *shown, const json_t *made, const json_t *now)
{
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *)(guintptr)made, name, value)
	{
		const json_t *found = json_object_get(now, name);
		if (!found)
			add_name(shown, "missing", name);
		else if (!json_equal(value, found) && !g_str_equal(name, ".git/index"))
			add_name(shown, "changed", name);
	}
	json_object_foreach((json_t *)(guintptr)now, name, value) if (!json_object_get(made, name))
		add_name(shown, "added", name);
}

static void add_details(json_t *shown, const json_t *result)
{
	const char *path = json_text(result, "path");
	const char *listing = json_text(result, "listing");

	if (!path || !listing || !file_exists(path))
		return;

	g_autoptr(json_t) made = json_read(listing, LISTING_MAX_BYTES, NULL);
	g_autoptr(json_t) now = made ? tree_list(path, NULL) : NULL;
	if (!now) {
		json_put(shown, "state", "unknown");
		return;
	}

	gsize known = json_object_size(shown);
	compare_trees(shown, made, now);
	if (json_object_size(shown) > known && g_str_equal(json_text(shown, "state"), "ok"))
		json_put(shown, "state", "edited");
}

static json_t *report_step(const json_t *record, const StepHost *host, bool is_deep)
{
	json_t *shown = json_object();

	json_put(shown, "id", json_text_or(record, "id", ""));
	json_put(shown, "text", json_text_or(record, "text", ""));
	json_put(shown, "state", state_of(record, host));
	json_put(shown, "path", json_text(json_object_get(record, "inputs"), "path"));
	if (is_deep)
		add_details(shown, json_object_get(record, "result"));
	return shown;
}

json_t *drift_report(const json_t *entry, const StepHost *host, bool is_deep)
{
	json_t *report = json_array();
	gsize i = 0;
	json_t *record = NULL;

	json_array_foreach(json_object_get(entry, "steps"), i, record)
		json_array_append_new(report, report_step(record, host, is_deep));
	return report;
}

bool drift_is_clean(const json_t *report)
{
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(report, i,
	                   step) if (!g_str_equal(json_text(step, "state"), "ok")) return false;

	return true;
}
