/* tests/installer_fixture.h - a throw-away machine for step kinds: a home, a state and a stack
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "base/tree.h"
#include "installer/recipe.h"
#include "installer/undo.h"
#include "keystore/keystore.h"

/** Everything lies below @root; the steps write to @home and @state only. */
typedef struct {
	char *root;
	char *home;
	char *state;
	char *stack;
	char *txn_dir;
	const char *token;
	char *keystore_path;
	char *key_file;
	GMutex mutex;
	StepHost host;
	GPtrArray *left; /* of the last undo */
} Fixture;

static inline void set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *made = g_dir_make_tmp("slipway-XXXXXX", &error);

	g_assert_no_error(error);
	fixture->root = g_canonicalize_filename(made, NULL);
	fixture->home = g_build_filename(fixture->root, "home", NULL);
	fixture->state = g_build_filename(fixture->root, "state", NULL);
	fixture->stack = g_build_filename(fixture->root, "stack", NULL);
	fixture->txn_dir = g_build_filename(fixture->root, "txn", NULL);
	fixture->keystore_path = g_build_filename(fixture->state, "keys", "keystore", NULL);
	fixture->key_file = g_build_filename(fixture->state, "keys", "key", NULL);
	fixture->token = "cafe0001";
	for (char **path = (char *[]){ fixture->home, fixture->state, fixture->stack,
	                               fixture->txn_dir, NULL };
	     *path; path++)
		g_assert_true(file_make_dirs(*path, 0755, NULL, &error));

	KeystoreOptions options = { .path = fixture->keystore_path,
		                    .passphrase_fd = -1,
		                    .default_key_file = fixture->key_file };
	g_mutex_init(&fixture->mutex);
	fixture->host = (StepHost){
		.keystore = keystore_open(&options),
		.keystore_mutex = &fixture->mutex,
		.keystore_path = fixture->keystore_path,
		.keystore_new_key_file = fixture->key_file,
	};
	fixture->left = g_ptr_array_new_with_free_func(g_free);
}

static inline void tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	keystore_free(fixture->host.keystore);
	g_mutex_clear(&fixture->mutex);
	g_ptr_array_unref(fixture->left);
	g_assert_true(tree_remove(fixture->root, &error));
	g_assert_no_error(error);
	for (char **path = (char *[]){ fixture->root, fixture->home, fixture->state, fixture->stack,
	                               fixture->txn_dir, fixture->keystore_path, fixture->key_file,
	                               NULL };
	     *path; path++)
		g_free(*path);
}

static inline void add(const char *path, void (*test)(Fixture *fixture, gconstpointer data))
{
	g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

/** Returns: (transfer full): the absolute path of something in the home. */
static inline char *at(const Fixture *fixture, const char *name)
{
	return g_build_filename(fixture->home, name, NULL);
}

/** Writes a file, with its directories. */
static inline void put_path(const char *path, const char *text, mode_t mode)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autoptr(GError) error = NULL;

	g_assert_true(file_make_dirs(parent, 0755, NULL, &error));
	g_assert_true(file_write(path, text, strlen(text), mode, &error));
	g_assert_no_error(error);
}

static inline void put(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = at(fixture, name);

	put_path(path, text, 0644);
}

static inline void put_member(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(fixture->stack, name, NULL);

	put_path(path, text, 0644);
}

static inline bool is_there(const Fixture *fixture, const char *name)
{
	g_autofree char *path = at(fixture, name);

	return file_exists(path);
}

static inline void assert_text(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = at(fixture, name);
	g_autofree char *found = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_get_contents(path, &found, NULL, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(found, ==, text);
}

/** Returns: (transfer full): everything that is in home and state, to compare. */
static inline char *snapshot(const Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	json_t *home = tree_list(fixture->home, &error);
	g_assert_no_error(error);
	json_t *state = tree_list(fixture->state, &error);
	g_assert_no_error(error);
	g_autoptr(json_t) whole = json_pack("{s:o, s:o}", "home", home, "state", state);

	return json_canonical(whole);
}

/** Returns: (transfer full): a step; @inputs is taken.  "vars" and "files" are added. */
static inline Step *make_step(const Fixture *fixture, const StepKind *kind, json_t *inputs)
{
	Step *step = g_new0(Step, 1);
	json_t *files = json_object();
	g_autoptr(json_t) listing = tree_list(fixture->stack, NULL);
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach(listing, name, value)
	{
		g_autofree char *path = g_build_filename(fixture->stack, name, NULL);
		g_autofree char *digest = file_digest(path, NULL);
		json_put(files, name, digest);
	}
	g_assert_nonnull(inputs);
	json_object_set_new(inputs, "files", files);
	json_object_set_new(inputs, "vars",
	                    json_pack("{s:s, s:s, s:s, s:s}", "state", fixture->state, "stack",
	                              fixture->stack, "prefix", fixture->home, "name", "demo"));
	step->id = g_strdup(kind->name);
	step->kind = kind;
	step->inputs = inputs;
	step->after = g_new0(char *, 1);
	step->commands = g_new0(char *, 1);
	step->sources = g_new0(char *, 1);
	step->weight = 1;
	return step;
}

static inline StepRun make_run(const Fixture *fixture, const Step *step, const json_t *receipt)
{
	return (StepRun){
		.step = step,
		.txn_dir = fixture->txn_dir,
		.token = fixture->token,
		.receipt = receipt,
		.host = &fixture->host,
	};
}

static inline Probe probe_step(const Fixture *fixture, const Step *step, const json_t *receipt)
{
	StepRun run = make_run(fixture, step, receipt);
	g_autoptr(GError) error = NULL;
	Probe probe = PROBE_ABSENT;

	g_assert_true(step->kind->probe(&run, &probe, &error));
	g_assert_no_error(error);
	return probe;
}

static inline json_t *prepare_step(const Fixture *fixture, const Step *step, const json_t *receipt)
{
	StepRun run = make_run(fixture, step, receipt);
	g_autoptr(GError) error = NULL;
	json_t *recipe = step->kind->prepare(&run, &error);

	g_assert_no_error(error);
	g_assert_nonnull(recipe);
	return recipe;
}

/** As the scheduler and the commit do: (transfer full): the record for the receipt, the new recipe
 *  behind that of the run before; or NULL with @error set. */
static inline json_t *try_step(const Fixture *fixture, const Step *step, const json_t *receipt,
                               json_t **recipe, GError **error)
{
	StepRun run = make_run(fixture, step, receipt);
	g_autofree char *digest = step_digest(step);
	json_t *undo = json_array();

	*recipe = step->kind->prepare(&run, error);
	json_t *result = *recipe ? step->kind->apply(&run, error) : NULL;
	if (json_object_get(receipt, "undo"))
		json_array_extend(undo, json_object_get(receipt, "undo"));
	if (*recipe)
		json_array_extend(undo, *recipe);
	if (result)
		return json_pack("{s:s, s:o, s:o}", "digest", digest, "undo", undo, "result",
		                 result);

	json_decref(undo);
	return NULL;
}

static inline json_t *do_step(const Fixture *fixture, const Step *step, const json_t *receipt)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) recipe = NULL;
	json_t *record = try_step(fixture, step, receipt, &recipe, &error);

	g_assert_no_error(error);
	g_assert_nonnull(record);
	return record;
}

static inline bool try_undo(Fixture *fixture, const json_t *recipe, GError **error)
{
	UndoReport report = { .left = fixture->left };

	g_ptr_array_set_size(fixture->left, 0);
	bool is_done = undo_run(recipe, &fixture->host, fixture->txn_dir, &report, error);
	undo_report_settle(&report);
	return is_done;
}

/** Undoes twice: the second time finds everything done.  Nothing is left that @left does not say;
 *  NULL: nothing at all. */
static inline void undo_twice(Fixture *fixture, const json_t *recipe, const char *left)
{
	for (int i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(try_undo(fixture, recipe, &error));
		g_assert_no_error(error);
		for (guint j = 0; j < fixture->left->len; j++)
			if (!left || !strstr(fixture->left->pdata[j], left))
				g_error("left: %s", (char *)fixture->left->pdata[j]);
		if (left && i == 0)
			g_assert_cmpuint(fixture->left->len, >, 0);
	}
}

/** Runs a program of the system; words up to a NULL. */
static inline char *run_words(const char *cwd, const char *program, const char *const *words)
{
	static const char *const env[] = { "GIT_CONFIG_GLOBAL=/dev/null",
		                           "GIT_CONFIG_NOSYSTEM=1",
		                           "GIT_AUTHOR_NAME=a",
		                           "GIT_AUTHOR_EMAIL=a@example.org",
		                           "GIT_COMMITTER_NAME=a",
		                           "GIT_COMMITTER_EMAIL=a@example.org",
		                           NULL };
	g_autofree char *path = process_find(program);
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;

	g_assert_nonnull(path);
	g_ptr_array_add(argv, g_strdup(path));
	for (; *words; words++)
		g_ptr_array_add(argv, g_strdup(*words));
	g_ptr_array_add(argv, NULL);

	ProcessSpec spec = { .argv = (const char *const *)argv->pdata, .env = env, .cwd = cwd };
	char *out = process_capture(&spec, &error);
	g_assert_no_error(error);
	return out;
}
