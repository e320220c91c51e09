/* tests/drive_installer_packages.c - the packages step alone, for tests/scenario_packages.sh
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "installer/package_manager.h"
#include "installer/privilege.h"

#define RECIPE_MAX_BYTES ((gsize)1024 * 1024)

static void report(const StepRun *run G_GNUC_UNUSED, double fraction, const char *detail)
{
	g_printerr("%3.0f%% %s\n", fraction < 0 ? 0 : fraction * 100, detail);
}

/* Returns: (transfer full): words up to "--" are tools, "git" or "python:3.11"; then packages. */
static json_t *read_inputs(int lock_timeout_s, char **words)
{
	json_t *tools = json_array();
	json_t *packages = json_array();

	for (; *words && !g_str_equal(*words, "--"); words++) {
		g_auto(GStrv) parts = g_strsplit(*words, ":", 2);

		json_array_append_new(
			tools, json_pack("{s:s, s:s*}", "name", parts[0], "minimum", parts[1]));
	}
	for (words += *words ? 1 : 0; *words; words++)
		json_array_append_new(packages, json_string(*words));
	return json_pack("{s:s, s:o, s:o, s:i}", "manager", "apt", "tools", tools, "packages",
	                 packages, "lock_timeout_s", lock_timeout_s);
}

static bool save_recipe(const char *txn_dir, json_t *recipe, GError **error)
{
	g_autofree char *path = g_build_filename(txn_dir, "recipe.json", NULL);
	g_autofree char *text = json_pretty(recipe);

	return file_write(path, text, strlen(text), 0600, error);
}

/* apply DIR SECONDS [TOOL...] -- [PACKAGE...] */
static bool apply(char **words, GError **error)
{
	char id[] = "packages";
	g_autoptr(json_t) inputs = read_inputs((int)g_ascii_strtoll(words[1], NULL, 10), words + 2);
	Step step = { .id = id, .kind = &step_kind_packages, .inputs = inputs };
	const StepRun run = { .step = &step, .txn_dir = words[0], .report = report };
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(json_t) result = NULL;
	g_autofree char *text = NULL;
	Probe probe = PROBE_ABSENT;

	if (!file_make_dirs(words[0], 0700, NULL, error) || !step.kind->probe(&run, &probe, error))
		return false;
	g_print("probe: %d\n", probe);
	recipe = step.kind->prepare(&run, error);
	if (!recipe || !save_recipe(words[0], recipe, error))
		return false;
	result = step.kind->apply(&run, error);
	if (!result)
		return false;
	text = json_pretty(result);
	g_print("%s", text);
	return true;
}

/* undo DIR */
static bool undo(char **words, GError **error)
{
	g_autofree char *path = g_build_filename(words[0], "recipe.json", NULL);
	g_autoptr(json_t) recipe = json_read(path, RECIPE_MAX_BYTES, error);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);

	if (!recipe || !packages_undo(json_array_get(recipe, 0), NULL, words[0], left, error))
		return false;
	for (guint i = 0; i < left->len; i++)
		g_print("left: %s\n", (char *)left->pdata[i]);
	return true;
}

/* acquire LINE... */
static bool acquire(char **words, GError **error)
{
	const TermOptions options = { .is_yes = true };
	g_autoptr(Term) term = term_new(&options);

	return privilege_acquire(term, (const char *const *)words, error);
}

/* commands PACKAGE... */
static bool commands(char **words, GError **error G_GNUC_UNUSED)
{
	g_auto(GStrv) lines = packages_commands("apt", (const char *const *)words);

	for (char **line = lines; *line; line++)
		g_print("%s\n", *line);
	return true;
}

static const struct {
	const char *name;
	int min_words;
	bool (*run)(char **words, GError **error);
} verb_table[] = {
	{ "apply", 2, apply },
	{ "undo", 1, undo },
	{ "acquire", 1, acquire },
	{ "commands", 1, commands },
};

int main(int argc, char **argv)
{
	g_autoptr(GError) fault = NULL;

	cancel_init();
	for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(verb_table); i++) {
		if (!g_str_equal(argv[1], verb_table[i].name) || argc - 2 < verb_table[i].min_words)
			continue;
		if (verb_table[i].run(argv + 2, &fault))
			return STATUS_OK;
		g_printerr("error: %s\n", fault->message);
		return (int)fault_status(fault);
	}
	return STATUS_USAGE;
}
