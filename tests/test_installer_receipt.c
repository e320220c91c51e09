/* tests/test_installer_receipt.c - receipts that are whole, damaged, of another version or half written
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tree.h"
#include "installer/receipt.h"

#define STEP "{\"id\": \"a\", \"kind\": \"file\", \"undo\": [{\"do\": \"unlink_if_hash\"}]}"
#define STACK(steps)                                                                      \
	"{\"schema\": 1, \"generation\": 1, \"stacks\": {\"demo\": {\"prefix\": \"/p\", " \
	"\"stack_dir\": \"/s\", \"steps\": " steps "}}}"

typedef struct {
	char *dir;
	char *current;
	char *receipt; /* of generation 1 */
} Fixture;

static void set_up(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	it->dir = g_dir_make_tmp("slipway-receipt-XXXXXX", NULL);
	it->current = g_build_filename(it->dir, "current", NULL);
	it->receipt = g_build_filename(it->dir, "gen", "1", "receipt.json", NULL);
}

static void tear_down(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(tree_remove(it->dir, NULL));
	g_free(it->receipt);
	g_free(it->current);
	g_free(it->dir);
}

static void put_current(const Fixture *it, const char *text)
{
	g_autofree char *directory = g_path_get_dirname(it->receipt);

	g_assert_true(file_make_dirs(directory, 0700, NULL, NULL));
	g_assert_true(file_write(it->receipt, text, strlen(text), 0600, NULL));
	g_assert_true(receipt_switch(it->dir, 1, NULL));
}

static json_t *load(const Fixture *it)
{
	g_autoptr(GError) error = NULL;
	json_t *receipt = receipt_load(it->dir, &error);

	g_assert_no_error(error);
	g_assert_nonnull(receipt);
	return receipt;
}

static gint64 generation_of(const json_t *receipt)
{
	return json_integer_value(json_object_get(receipt, "generation"));
}

static void assert_generations(const Fixture *it, const char *expected)
{
	g_autofree char *path = g_build_filename(it->dir, "gen", NULL);
	g_autoptr(GString) names = g_string_new(NULL);

	for (int i = 1; i < 9; i++) {
		g_autofree char *one = g_strdup_printf("%s/%d", path, i);
		if (file_exists(one))
			g_string_append_printf(names, "%d", i);
	}
	g_assert_cmpstr(names->str, ==, expected);
	g_assert_true(file_exists(path) == (*expected != '\0'));
}

static void test_nothing_yet(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) receipt = load(it);

	g_assert_cmpint(generation_of(receipt), ==, 0);
	g_assert_null(receipt_stack(receipt, "demo"));
	g_assert_null(receipt_step(NULL, "a"));
}

static void test_there_and_back(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	put_current(it, STACK("[" STEP "]"));

	g_autoptr(json_t) receipt = load(it);
	const json_t *stack = receipt_stack(receipt, "demo");
	g_assert_cmpstr(json_text(receipt_step(stack, "a"), "kind"), ==, "file");
	g_assert_null(receipt_step(stack, "b"));
	receipt_sweep(it->dir, receipt); /* something is installed: it stays */
	assert_generations(it, "1");
	json_object_set_new(receipt, "of-a-later-version", json_true());
	g_assert_true(receipt_write(it->dir, receipt, NULL));
	g_assert_cmpint(generation_of(receipt), ==, 2);

	g_autoptr(json_t) before = load(it);
	g_assert_cmpint(generation_of(before), ==, 1);
	for (int i = 0; i < 2; i++) { /* once more, as resume does */
		g_assert_true(receipt_switch(it->dir, 2, NULL));
		g_autoptr(json_t) after = load(it);
		g_assert_true(json_equal(after, receipt));
	}
	assert_generations(it, "12");
	receipt_sweep(it->dir, receipt);
	receipt_sweep(it->dir, receipt);
	assert_generations(it, "2");
}

/* The last stack is gone, and so is what only said so. */
static void test_sweep_of_nothing(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) receipt = load(it);

	g_assert_true(receipt_write(it->dir, receipt, NULL));
	g_assert_true(receipt_switch(it->dir, 1, NULL));
	assert_generations(it, "1");
	json_object_set_new(receipt, "of-a-later-version", json_true());
	receipt_sweep(it->dir, receipt);
	assert_generations(it, "1");
	json_object_del(receipt, "of-a-later-version");
	receipt_sweep(it->dir, receipt);
	assert_generations(it, "");
	g_assert_false(file_exists(it->current));
	receipt_sweep(it->dir, receipt);
}

static void test_refused(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
		{ "", "" },
		{ "[]", "" },
		{ "{\"schema\": 1", "" },
		{ "{}", "not one of ours" },
		{ "{\"schema\": \"1\", \"stacks\": {}}", "not one of ours" },
		{ "{\"schema\": 0, \"stacks\": {}}", "not one of ours" },
		{ "{\"schema\": 1, \"stacks\": []}", "not one of ours" },
		{ "{\"schema\": 1}", "not one of ours" },
		{ "{\"schema\": 2, \"stacks\": {}}", "a later version" },
		{ "{\"schema\": 1, \"stacks\": {\"demo\": {}}}", "damaged" },
		{ "{\"schema\": 1, \"stacks\": {\"demo\": {\"steps\": []}}}", "damaged" },
		{ "{\"schema\": 1, \"stacks\": {\"demo\": {\"steps\": [], \"prefix\": \"/\"}}}",
		  "damaged" },
		{ STACK("{}"), "damaged" },
		{ STACK("[{}]"), "damaged" },
		{ STACK("[{\"id\": \"a\"}]"), "damaged" },
		{ STACK("[{\"id\": \"a\", \"kind\": \"file\"}]"), "damaged" },
		{ STACK("[{\"id\": \"a\", \"kind\": \"file\", \"undo\": {}}]"), "damaged" },
		{ STACK("[{\"id\": \"a\", \"kind\": \"file\", \"undo\": [{}]}]"), "damaged" },
		{ STACK("[{\"id\": \"a\", \"kind\": \"file\", \"undo\": [{\"do\": \"rm -rf\"}]}]"),
		  "damaged" },
		{ STACK("[" STEP ", {\"id\": \"b\", \"kind\": \"file\", \"undo\": [7]}]"),
		  "damaged" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_test_message("%s", rows[i].text);
		put_current(it, rows[i].text);
		g_assert_null(receipt_load(it->dir, &error));
		g_assert_error(error, FAULT, STATUS_FOREIGN);
		g_assert_nonnull(strstr(error->message, rows[i].why));
	}
}

/* What stands where the receipt should is left alone. */
static void test_links_that_lead_elsewhere(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *temporary = g_strconcat(it->current, ".new", NULL);

	g_assert_cmpint(symlink("/nonexistent", it->current), ==, 0);
	g_assert_null(receipt_load(it->dir, &error));
	g_assert_error(error, FAULT, STATUS_FOREIGN);
	g_clear_error(&error);

	g_assert_cmpint(symlink("left by a killed run", temporary), ==, 0);
	g_assert_true(receipt_switch(it->dir, 3, &error));
	g_assert_false(file_exists(temporary));

	g_assert_cmpint(g_mkdir(temporary, 0700), ==, 0);
	g_assert_false(receipt_switch(it->dir, 4, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);

	g_assert_false(receipt_switch("/nonexistent", 1, &error));
	g_assert_nonnull(error);
}

static void test_nowhere_to_write(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *gen = g_build_filename(it->dir, "gen", NULL);
	g_autoptr(json_t) receipt = load(it);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(gen, "", 0, NULL));
	g_assert_false(receipt_write(it->dir, receipt, &error));
	g_assert_nonnull(error);
}

/* A run that was killed before the switch left a generation of the number that comes next. */
static void test_left_by_a_killed_run(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *stray = g_build_filename(it->dir, "gen", "1", "stray", NULL);
	g_autoptr(json_t) receipt = load(it);

	put_current(it, "torn");
	g_assert_true(g_file_set_contents(stray, "", 0, NULL));
	g_assert_true(receipt_write(it->dir, receipt, NULL));
	g_assert_false(file_exists(stray));
	g_autoptr(json_t) back = load(it);
	g_assert_true(json_equal(back, receipt));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/receipt/nothing-yet", test_nothing_yet },
		{ "/receipt/there-and-back", test_there_and_back },
		{ "/receipt/sweep-of-nothing", test_sweep_of_nothing },
		{ "/receipt/refused", test_refused },
		{ "/receipt/links-that-lead-elsewhere", test_links_that_lead_elsewhere },
		{ "/receipt/nowhere-to-write", test_nowhere_to_write },
		{ "/receipt/left-by-a-killed-run", test_left_by_a_killed_run },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
	return g_test_run();
}
