/* installer/step.c - the table of step kinds, and steps as JSON
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/step.h"

#include "base/fault.h"

const StepKind *const step_kind_table[] = {
	&step_kind_packages,   &step_kind_source,  &step_kind_directory, &step_kind_file,
	&step_kind_wrapper,    &step_kind_python,  &step_kind_key,       &step_kind_archive,
	&step_kind_compose,    &step_kind_unit,    &step_kind_ollama,    &step_kind_model,
	&step_kind_repository, &step_kind_block,   &step_kind_link,      &step_kind_sysctl,
	&step_kind_group,      &step_kind_desktop,
};
const gsize step_kind_count = G_N_ELEMENTS(step_kind_table);

bool probe_is_due(Probe probe)
{
	return probe == PROBE_ABSENT || probe == PROBE_PARTIAL || probe == PROBE_BESIDE;
}

const StepKind *step_kind_find(const char *name)
{
	for (gsize i = 0; i < step_kind_count; i++)
		if (g_strcmp0(step_kind_table[i]->name, name) == 0)
			return step_kind_table[i];

	return NULL;
}

void step_free(Step *step)
{
	if (!step)
		return;

	g_free(step->id);
	g_free(step->text);
	g_free(step->why);
	g_strfreev(step->after);
	json_decref(step->inputs);
	g_strfreev(step->commands);
	g_strfreev(step->sources);
	g_free(step->irreversible);
	g_free(step);
}

json_t *step_to_json(const Step *step)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:O, s:i}", "id", step->id, "kind",
	                           step->kind->name, "text", step->text, "why", step->why, "inputs",
	                           step->inputs, "weight", (int)step->weight);

	json_object_set_new(object, "after", json_from_strv((const char *const *)step->after));
	json_object_set_new(object, "commands",
	                    json_from_strv((const char *const *)step->commands));
	json_object_set_new(object, "sources", json_from_strv((const char *const *)step->sources));
	json_put(object, "irreversible", step->irreversible);
	return object;
}

Step *step_from_json(const json_t *object, GError **error)
{
	const StepKind *kind = step_kind_find(json_text(object, "kind"));
	const char *id = json_text(object, "id");
	json_t *inputs = json_object_get(object, "inputs");

	if (!kind || !id || !json_is_object(inputs)) {
		fault_set(error, STATUS_FOREIGN, "Use the version of slipway that wrote it.",
		          "the journal has a step of the kind \"%s\", which this version does not "
		          "know",
		          json_text_or(object, "kind", "?"));
		return NULL;
	}

	Step *step = g_new0(Step, 1);
	step->id = g_strdup(id);
	step->kind = kind;
	step->text = g_strdup(json_text_or(object, "text", id));
	step->why = g_strdup(json_text_or(object, "why", ""));
	step->after = json_to_strv(json_object_get(object, "after"));
	step->inputs = json_incref(inputs);
	step->commands = json_to_strv(json_object_get(object, "commands"));
	step->sources = json_to_strv(json_object_get(object, "sources"));
	step->irreversible = g_strdup(json_text(object, "irreversible"));
	step->weight = (guint)json_integer_value(json_object_get(object, "weight"));
	return step;
}

char **step_places(const Step *step, const char *place)
{
	const json_t *mirrors = json_object_get(step->inputs, "mirrors");
	g_auto(GStrv) others = json_to_strv(json_object_get(mirrors, place));
	g_autoptr(GPtrArray) places = g_ptr_array_new();

	g_ptr_array_add(places, g_strdup(place));
	for (char **other = others; *other; other++)
		g_ptr_array_add(places, g_strdup(*other));
	g_ptr_array_add(places, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&places), FALSE);
}

/* Where a step loads from and how long it waits does not change what it makes; the variables do
 * only where they are written into a file. */
char *step_digest(const Step *step)
{
	static const char *const passing[] = { "url",     "urls",       "sums",
		                               "index",   "vars",       "packages",
		                               "service", "find_links", "lock_timeout_s",
		                               "machine", "manifest",   "reversible_only",
		                               "mirrors" };
	g_autoptr(json_t) inputs = json_copy(step->inputs);
	bool is_template = g_strcmp0(json_text(inputs, "template"), "yes") == 0;

	for (gsize i = 0; i < G_N_ELEMENTS(passing); i++)
		if (!is_template || !g_str_equal(passing[i], "vars"))
			json_object_del(inputs, passing[i]);

	g_autoptr(json_t) whole =
		json_pack("{s:s, s:O}", "kind", step->kind->name, "inputs", inputs);
	return json_digest(whole);
}
