/* tests/test_installer_recipe.c - inputs, members and recipes that the step kinds share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/installer_fixture.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* "hello" */

static void test_inputs(void)
{
	static const struct {
		const char *inputs;
		const char *key;
		const char *value; /* NULL: refused */
	} rows[] = {
		{ "{\"path\": \"/a\"}", "path", "/a" }, { "{\"path\": \"a\"}", "path", NULL },
		{ "{\"path\": \"\"}", "path", NULL },   { "{}", "path", NULL },
		{ "{\"name\": \"a\"}", "name", "a" },   { "{\"name\": \"\"}", "name", NULL },
		{ "{\"name\": 5}", "name", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char id[] = "s";
		Step step = { .id = id, .inputs = json_loads(rows[i].inputs, 0, NULL) };
		StepRun run = { .step = &step };
		g_autoptr(GError) error = NULL;

		g_test_message("%s", rows[i].inputs);
		g_assert_cmpstr(recipe_input(&run, rows[i].key, &error), ==, rows[i].value);
		if (!rows[i].value)
			g_assert_error(error, FAULT, STATUS_CONFIG);
		json_decref(step.inputs);
	}
}

static void test_modes(void)
{
	static const struct {
		const char *inputs;
		int mode; /* -1: refused */
	} rows[] = {
		{ "{}", 0640 },
		{ "{\"mode\": \"0755\"}", 0755 },
		{ "{\"mode\": \"1777\"}", -1 },
		{ "{\"mode\": \"0999\"}", -1 },
		{ "{\"mode\": \"\"}", -1 },
		{ "{\"mode\": \"-1\"}", -1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char id[] = "s";
		Step step = { .id = id, .inputs = json_loads(rows[i].inputs, 0, NULL) };
		StepRun run = { .step = &step };
		g_autoptr(GError) error = NULL;
		mode_t mode = 0;

		g_test_message("%s", rows[i].inputs);
		g_assert_true(recipe_mode(&run, 0640, &mode, &error) == (rows[i].mode >= 0));
		if (rows[i].mode >= 0)
			g_assert_cmpuint(mode, ==, (guint)rows[i].mode);
		else
			g_assert_error(error, FAULT, STATUS_CONFIG);
		json_decref(step.inputs);
	}
}

/* @from: the directory that the inputs name as the stack's; NULL: none. */
static char *read_member(const Fixture *fixture, const char *from, const char *digest, int *status)
{
	char id[] = "s";
	Step step = { .id = id,
		      .inputs = json_pack("{s:{s:s*}, s:{s:s*}}", "vars", "stack", from, "files",
		                          "note", digest) };
	StepRun run = { .step = &step, .txn_dir = fixture->txn_dir };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = recipe_member(&run, "note", &error);

	json_decref(step.inputs);
	*status = error ? error->code : 0;
	g_assert_true((bytes != NULL) == (error == NULL));
	return bytes ? recipe_text(bytes) : NULL;
}

static void test_members(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *unpacked = g_build_filename(fixture->txn_dir, "stack", "note", NULL);
	int status = 0;

	g_autofree char *nowhere = read_member(fixture, NULL, NULL, &status);
	g_assert_null(nowhere);
	g_assert_cmpint(status, ==, STATUS_CONFIG);
	g_autofree char *absent = read_member(fixture, fixture->stack, NULL, &status);
	g_assert_null(absent);
	g_assert_cmpint(status, !=, 0);

	put_member(fixture, "note", "hello");
	g_autofree char *kept = read_member(fixture, fixture->stack, HELLO, &status);
	g_assert_cmpstr(kept, ==, "hello");
	put_path(unpacked, "other", 0600); /* that of the transaction comes first */
	g_autofree char *changed = read_member(fixture, fixture->stack, HELLO, &status);
	g_assert_null(changed);
	g_assert_cmpint(status, ==, STATUS_UNTRUSTED);
	g_autofree char *free_one = read_member(fixture, NULL, NULL, &status);
	g_assert_cmpstr(free_one, ==, "other");
}

static void test_member_without_a_transaction(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	char id[] = "s";
	Step step = { .id = id, .inputs = json_pack("{s:{s:s}}", "vars", "stack", fixture->stack) };
	StepRun run = { .step = &step };

	put_member(fixture, "empty", "");
	g_autoptr(GBytes) bytes = recipe_member(&run, "empty", NULL);
	g_assert_nonnull(bytes);
	g_autofree char *text = recipe_text(bytes);
	g_assert_cmpstr(text, ==, "");
	g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
	g_autofree char *none = recipe_text(nothing);
	g_assert_cmpstr(none, ==, "");
	json_decref(step.inputs);
}

static void test_missing_directories(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *deep = at(fixture, "a/b");
	g_autofree char *outer = at(fixture, "a");
	g_autoptr(json_t) recipe = json_array();

	recipe_add_missing_dirs(recipe, fixture->home);
	g_assert_cmpuint(json_array_size(recipe), ==, 0);
	recipe_add_missing_dirs(recipe, deep);
	g_assert_cmpuint(json_array_size(recipe), ==, 2);
	g_assert_cmpstr(json_text(json_array_get(recipe, 0), "path"), ==, outer);
	g_assert_cmpstr(json_text(json_array_get(recipe, 1), "path"), ==, deep);
}

static void take_report(const StepRun *run, double fraction, const char *detail)
{
	g_assert_cmpfloat(fraction, ==, 0.5);
	g_string_append(run->scheduler, detail);
}

static void take_bytes(const StepRun *run, guint64 done_bytes, guint64 total_bytes)
{
	g_string_append_printf(run->scheduler, ", %u of %u", (guint)done_bytes, (guint)total_bytes);
}

static void test_reports(void)
{
	g_autoptr(GString) said = g_string_new(NULL);
	StepRun deaf = { 0 };
	StepRun run = { .report = take_report, .report_bytes = take_bytes, .scheduler = said };

	recipe_report(&deaf, 0.5, "to nobody");
	recipe_report(&run, 0.5, "half");
	recipe_report_bytes(1, 2, &deaf);
	recipe_report_bytes(1, 2, &run);
	g_assert_cmpstr(said->str, ==, "half, 1 of 2");
}

static void test_status_of_output(void)
{
	g_assert_cmpint(recipe_status_of(NULL, 7), ==, 7);
	g_assert_cmpint(recipe_status_of("", 7), ==, 7);
	g_assert_cmpint(recipe_status_of("fatal: it did not work", 7), ==, 7);
	g_assert_cmpint(recipe_status_of("tar: No space left on device\n", 7), ==, STATUS_IO);
	g_assert_cmpint(recipe_status_of("x\nConnection refused\n", 7), ==, STATUS_UNAVAILABLE);
	g_assert_cmpint(recipe_status_of("IncompleteRead(0 bytes)", 7), ==, STATUS_UNAVAILABLE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/recipe/inputs", test_inputs);
	g_test_add_func("/recipe/modes", test_modes);
	add("/recipe/members", test_members);
	add("/recipe/member-without-a-transaction", test_member_without_a_transaction);
	add("/recipe/missing-directories", test_missing_directories);
	g_test_add_func("/recipe/reports", test_reports);
	g_test_add_func("/recipe/status-of-output", test_status_of_output);
	return g_test_run();
}
