/* tests/drive_installer_step.c - one step alone, for the tests/scenario_*.sh
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "installer/package_manager.h"
#include "installer/privilege.h"
#include "installer/undo.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)

static void report(const StepRun *run G_GNUC_UNUSED, double fraction, const char *detail)
{
	g_printerr("%3.0f%% %s\n", fraction < 0 ? 0 : fraction * 100, detail);
}

static bool save(const char *dir, const char *name, const json_t *value, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *text = json_pretty(value);

	return file_write(path, text, strlen(text), 0600, error);
}

static json_t *load(const char *dir, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return json_read(path, FILE_MAX_BYTES, error);
}

/** A step as the words KIND DIR INPUTS.json say: DIR is its transaction and keeps its receipt. */
typedef struct {
	Step step;
	StepRun run;
	json_t *receipt;
} Drive;

static void drive_clear(Drive *drive)
{
	json_decref(drive->step.inputs);
	json_decref(drive->receipt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Drive, drive_clear)

static bool drive_init(Drive *drive, char **words, GError **error)
{
	drive->step.id = words[0];
	drive->step.kind = step_kind_find(words[0]);
	drive->step.inputs = json_read(words[2], FILE_MAX_BYTES, error);
	drive->receipt = load(words[1], "receipt.json", NULL);
	drive->run = (StepRun){
		.step = &drive->step,
		.txn_dir = words[1],
		.receipt = drive->receipt,
		.report = report,
	};
	return drive->step.kind && drive->step.inputs;
}

/* probe KIND DIR INPUTS.json */
static bool probe(char **words, GError **error)
{
	static const char *const names[] = { "absent", "ours",    "partial",
		                             "beside", "foreign", "edited" };
	g_auto(Drive) drive = { 0 };
	Probe found = PROBE_ABSENT;

	if (!drive_init(&drive, words, error) || !drive.step.kind->probe(&drive.run, &found, error))
		return false;
	g_print("%s\n", names[found]);
	return true;
}

/* apply KIND DIR INPUTS.json */
static bool apply(char **words, GError **error)
{
	g_auto(Drive) drive = { 0 };
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(json_t) receipt = NULL;
	json_t *result;

	if (!file_make_dirs(words[1], 0700, NULL, error) || !drive_init(&drive, words, error))
		return false;
	recipe = drive.step.kind->prepare(&drive.run, error);
	if (!recipe || !save(words[1], "recipe.json", recipe, error))
		return false;
	result = drive.step.kind->apply(&drive.run, error);
	if (!result)
		return false;
	receipt = json_pack("{s:o}", "result", result);
	return save(words[1], "receipt.json", receipt, error);
}

/* undo DIR */
static bool undo(char **words, GError **error)
{
	g_autoptr(json_t) recipe = load(words[0], "recipe.json", error);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	const StepHost host = { 0 };
	UndoReport undone = { .left = left };

	if (!recipe || !undo_run(recipe, &host, words[0], &undone, error))
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
	{ "probe", 3, probe },     { "apply", 3, apply },       { "undo", 1, undo },
	{ "acquire", 1, acquire }, { "commands", 1, commands },
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
		g_printerr("error: %s\n", fault ? fault->message : "no such step kind");
		return fault ? (int)fault_status(fault) : STATUS_USAGE;
	}
	return STATUS_USAGE;
}
