/* tests/test_installer_steps.c - directory, file, wrapper, key; templates and edits
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/edit.h"
#include "installer/template.h"
#include "tests/installer_fixture.h"

static Step *directory_step(const Fixture *fixture, const char *name, const char *mode)
{
	g_autofree char *path = at(fixture, name);

	return make_step(fixture, &step_kind_directory,
	                 json_pack("{s:s, s:s*}", "path", path, "mode", mode));
}

static Step *file_step(const Fixture *fixture, const StepKind *kind, const char *name)
{
	g_autofree char *path = at(fixture, name);

	return make_step(
		fixture, kind,
		json_pack("{s:s, s:s, s:s}", "path", path, "from", "f.in", "template", "yes"));
}

static guint mode_of(const Fixture *fixture, const char *name)
{
	g_autofree char *path = at(fixture, name);
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_mode & 07777;
}

static void test_directory(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);
	g_autoptr(Step) step = directory_step(fixture, "a/b/c", "0700");

	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	g_assert_cmpuint(mode_of(fixture, "a/b"), ==, 0755);
	g_assert_cmpuint(mode_of(fixture, "a/b/c"), ==, 0700);
	undo_twice(fixture, json_object_get(record, "undo"), NULL);

	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);

	/* What somebody puts there keeps it. */
	g_autoptr(json_t) again = do_step(fixture, step, NULL);
	put(fixture, "a/b/c/notes", "mine");
	undo_twice(fixture, json_object_get(again, "undo"), "is not empty");
	g_assert_true(is_there(fixture, "a/b/c/notes"));
}

static void test_directory_in_the_way(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Step) step = directory_step(fixture, "a", "755");
	g_autoptr(Step) bad = directory_step(fixture, "b", "0999");
	g_autofree char *path = at(fixture, "a");
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir(path, 0711), ==, 0);
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_OURS);
	g_assert_cmpint(rmdir(path), ==, 0);
	put(fixture, "a", "a file");
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_FOREIGN);
	g_assert_null(try_step(fixture, bad, NULL, &recipe, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

/* The whole table: what we wrote last (b), what is there (c), what we want (w). */
static void test_three_ways(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *base, *current, *wanted;
		Probe probe;
		const char *after; /* apply, where the probe asks for it */
		const char *offer;
	} rows[] = {
		{ NULL, NULL, "one", PROBE_ABSENT, "one", NULL },
		{ NULL, NULL, "", PROBE_ABSENT, "", NULL },
		{ NULL, "", "", PROBE_OURS, NULL, NULL },
		{ "", "", "two", PROBE_PARTIAL, "two", NULL },
		{ NULL, "one", "one", PROBE_OURS, NULL, NULL },
		{ NULL, "other", "one", PROBE_FOREIGN, NULL, NULL },
		{ "one", NULL, "one", PROBE_EDITED, NULL, NULL },
		{ "one", NULL, "two", PROBE_EDITED, NULL, NULL },
		{ "one", "one", "one", PROBE_OURS, NULL, NULL },
		{ "one", "one", "two", PROBE_PARTIAL, "two", NULL },
		{ "one", "two", "two", PROBE_OURS, NULL, NULL },
		{ "one", "edited", "one", PROBE_EDITED, NULL, NULL },
		{ "one", "edited", "two", PROBE_BESIDE, "edited", "two" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(json_t) old = NULL;
		g_autofree char *path = at(fixture, "f");
		g_autofree char *offer = at(fixture, "f.slipway-new");

		if (rows[i].base) {
			put_member(fixture, "f.in", rows[i].base);
			g_autoptr(Step) step = file_step(fixture, &step_kind_file, "f");
			old = do_step(fixture, step, NULL);
			g_assert_cmpint(unlink(path), ==, 0);
		}
		if (rows[i].current)
			put(fixture, "f", rows[i].current);
		put_member(fixture, "f.in", rows[i].wanted);

		g_autofree char *before = snapshot(fixture);
		g_autoptr(Step) step = file_step(fixture, &step_kind_file, "f");
		g_assert_cmpint(probe_step(fixture, step, old), ==, rows[i].probe);
		if (rows[i].after) {
			g_autoptr(json_t) recipe = prepare_step(fixture, step, old);
			g_autoptr(json_t) record = do_step(fixture, step, old);
			Probe probe = rows[i].offer ? PROBE_EDITED : PROBE_OURS;

			assert_text(fixture, "f", rows[i].after);
			g_assert_cmpint(probe_step(fixture, step, record), ==, probe);
			if (rows[i].offer)
				assert_text(fixture, "f.slipway-new", rows[i].offer);
			g_assert_cmpint(file_exists(offer), ==, rows[i].offer != NULL);
			undo_twice(fixture, recipe, NULL);
		}

		g_autofree char *after = snapshot(fixture);
		g_assert_cmpstr(before, ==, after);
		g_assert_true(tree_remove(path, NULL));
	}
}

static void test_file_in_the_way(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = at(fixture, "f");

	put_member(fixture, "f.in", "text");
	g_autoptr(Step) step = file_step(fixture, &step_kind_wrapper, "f");
	g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_FOREIGN);
	g_assert_cmpint(rmdir(path), ==, 0);
	g_assert_cmpint(symlink("/nowhere", path), ==, 0);
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_FOREIGN);
	g_assert_cmpint(unlink(path), ==, 0);

	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_assert_cmpint(unlink(path), ==, 0);
	g_assert_cmpint(symlink("/nowhere", path), ==, 0);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_EDITED);
}

static void test_wrapper(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);

	put_member(fixture, "f.in", "#!/bin/sh\nexec @name@ \"$@\"\n");
	g_autoptr(Step) step = file_step(fixture, &step_kind_wrapper, "bin/demo");
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	assert_text(fixture, "bin/demo", "#!/bin/sh\nexec demo \"$@\"\n");
	g_assert_cmpuint(mode_of(fixture, "bin/demo"), ==, 0755);

	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

/* Uninstalling after an update goes through both recipes; an edit stays and is named. */
static void test_file_update_and_back(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);

	put_member(fixture, "f.in", "one");
	g_autoptr(Step) first = file_step(fixture, &step_kind_file, "etc/f");
	g_autoptr(json_t) old = do_step(fixture, first, NULL);
	put_member(fixture, "f.in", "two");
	fixture->token = "cafe0002";
	g_autoptr(Step) second = file_step(fixture, &step_kind_file, "etc/f");
	g_autoptr(json_t) record = do_step(fixture, second, old);
	assert_text(fixture, "etc/f", "two");

	g_autofree char *installed = snapshot(fixture);
	put(fixture, "etc/f", "edited");
	undo_twice(fixture, json_object_get(record, "undo"), "");
	assert_text(fixture, "etc/f", "edited");

	put(fixture, "etc/f", "two");
	g_autofree char *again = snapshot(fixture);
	g_assert_cmpstr(installed, ==, again);
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

/* Killed between any two system calls of apply: what can stand there then. */
static void test_file_killed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);

	put_member(fixture, "f.in", "text");
	g_autoptr(Step) step = file_step(fixture, &step_kind_file, "etc/f");
	g_autoptr(json_t) recipe = prepare_step(fixture, step, NULL);
	g_autofree char *stage = at(fixture, "etc/f.cafe0001.tmp");

	for (int state = 0; state < 4; state++) {
		put(fixture, "etc/f.cafe0001.tmp.cafe0001.new/.x", "");
		if (state >= 1)
			g_assert_true(undo_mark_tree(stage, fixture->token, NULL));
		if (state >= 2)
			put(fixture, "etc/f.cafe0001.tmp/.file.1234.tmp", "te");
		if (state >= 3)
			put(fixture, "etc/f", "text");
		undo_twice(fixture, recipe, NULL);
		g_autofree char *after = snapshot(fixture);
		g_assert_cmpstr(before, ==, after);
	}

	/* And it can simply be done again. */
	put(fixture, "etc/f.cafe0001.tmp/.file.1234.tmp", "te");
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	assert_text(fixture, "etc/f", "text");
	g_assert_false(file_exists(stage));
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
}

static void test_file_untrusted(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(GError) error = NULL;

	put_member(fixture, "f.in", "text");
	g_autoptr(Step) step = file_step(fixture, &step_kind_file, "f");
	put_member(fixture, "f.in", "swapped");
	g_assert_null(try_step(fixture, step, NULL, &recipe, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
	g_assert_false(is_there(fixture, "f"));
}

static void test_template(void)
{
	static const struct {
		const char *text, *expected; /* NULL: an error that names @missing@ */
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "@name@", "demo" },
		{ "a@name@b@prefix@c", "ademob/opt/xc" },
		{ "me@example.org", "me@example.org" },
		{ "a@@b", "a@b" },
		{ "@", "@" },
		{ "@name", "@name" },
		{ "@Name@", "@Name@" },
		{ "@name@@name@", "demodemo" },
		{ "x @missing@ y", NULL },
		{ "@name@ @missing@", NULL },
	};
	g_autoptr(json_t) vars = json_pack("{s:s, s:s}", "name", "demo", "prefix", "/opt/x");

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = template_expand(rows[i].text, vars, &error);

		g_assert_cmpstr(text, ==, rows[i].expected);
		if (rows[i].expected)
			continue;
		g_assert_error(error, FAULT, STATUS_CONFIG);
		g_assert_nonnull(strstr(error->message, "@missing@"));
	}
}

#define EDIT(path, find, replace) \
	"file: " path "\n--- find\n" find "--- replace\n" replace "--- end\n"

static void test_edits(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *edits;
		const char *expected; /* of f; NULL: an error, f as before */
		int status;
		const char *says;
	} rows[] = {
		{ EDIT("f", "two\n", "2\n"), "one\n2\nthree\nthree\n", 0, NULL },
		{ "# why\n\n" EDIT("f", "one\ntwo\n", "12\nmore\n"), "12\nmore\nthree\nthree\n", 0,
		  NULL },
		{ EDIT("f", "two\n", ""), "one\nthree\nthree\n", 0, NULL },
		{ EDIT("f", "one\n", "1\n") "--- find\n1\ntwo\n--- replace\n12\n--- end\n",
		  "12\nthree\nthree\n", 0, NULL },
		{ EDIT("f", "three\nthree\n", "3\n"), "one\ntwo\n3\n", 0, NULL },
		{ EDIT("f", "four\n", "4\n"), NULL, STATUS_DATA, "not there" },
		{ EDIT("f", "three\n", "3\n"), NULL, STATUS_DATA, "more than once" },
		{ EDIT("f", "thre\n", "3\n"), NULL, STATUS_DATA, "not there" },
		{ EDIT("f", "wo\n", "3\n"), NULL, STATUS_DATA, "not there" },
		{ EDIT("f", "one\n", "1\n") EDIT("f", "one\n", "1\n"), NULL, STATUS_DATA,
		  "edit 2" },
		{ EDIT("gone", "one\n", "1\n"), NULL, STATUS_DATA, "no such file" },
		{ EDIT("link", "one\n", "1\n"), NULL, STATUS_DATA, "no such file" },
		{ EDIT("out/f", "one\n", "1\n"), NULL, STATUS_CONFIG, "leaves the tree" },
		{ EDIT("../f", "one\n", "1\n"), NULL, STATUS_CONFIG, "leaves the tree" },
		{ EDIT("/etc/passwd", "one\n", "1\n"), NULL, STATUS_CONFIG, "leaves the tree" },
		{ EDIT("d/../f", "one\n", "1\n"), NULL, STATUS_CONFIG, "leaves the tree" },
		{ EDIT(".git/config", "one\n", "1\n"), NULL, STATUS_CONFIG, "leaves the tree" },
		{ EDIT("", "one\n", "1\n"), NULL, STATUS_CONFIG, "leaves the tree" },
		{ EDIT("f", "", "1\n"), NULL, STATUS_CONFIG, "nothing to find" },
		{ "--- find\none\n--- replace\n1\n--- end\n", NULL, STATUS_CONFIG, "before" },
		{ "file: f\n--- find\none\n", NULL, STATUS_CONFIG, "--- replace" },
		{ "file: f\n--- find\none\n--- replace\n", NULL, STATUS_CONFIG, "--- end" },
		{ "one\n", NULL, STATUS_CONFIG, "demo.edit:1" },
		{ "", NULL, STATUS_CONFIG, "no edit" },
	};
	g_autofree char *link = at(fixture, "link");
	g_autofree char *out = at(fixture, "out");

	g_assert_cmpint(symlink("f", link), ==, 0);
	g_assert_cmpint(symlink(".", out), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) edits = g_bytes_new_static(rows[i].edits, strlen(rows[i].edits));
		g_autoptr(GError) error = NULL;
		const char *original = "one\ntwo\nthree\nthree\n";

		put(fixture, "f", original);
		bool is_done = edit_apply(fixture->home, edits, "demo.edit", &error);
		assert_text(fixture, "f", rows[i].expected ? rows[i].expected : original);
		g_assert_cmpint(is_done, ==, rows[i].expected != NULL);
		if (rows[i].expected)
			continue;
		g_assert_error(error, FAULT, rows[i].status);
		g_assert_nonnull(strstr(error->message, rows[i].says));
		g_assert_nonnull(strstr(error->message, "demo.edit"));
	}

	/* A file keeps its mode, and lines that end in a half one match to the end of the file. */
	g_autofree char *script = at(fixture, "s");
	const char *edit = EDIT("s", "end\n", "END\n");
	g_autoptr(GBytes) edits = g_bytes_new_static(edit, strlen(edit));
	g_autoptr(GError) error = NULL;
	put_path(script, "start\nend", 0755);
	g_assert_true(edit_apply(fixture->home, edits, "demo.edit", &error));
	assert_text(fixture, "s", "start\nEND");
	g_assert_cmpuint(mode_of(fixture, "s"), ==, 0755);
}

static Step *key_step(const Fixture *fixture, const char *name, const char *bytes)
{
	return make_step(fixture, &step_kind_key,
	                 json_pack("{s:s, s:s*}", "name", name, "bytes", bytes));
}

static void test_key(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);
	g_autoptr(Step) step = key_step(fixture, "DEMO_PASSWORD", "16");
	g_autoptr(Step) other = key_step(fixture, "DEMO_OTHER", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	g_autoptr(json_t) second = do_step(fixture, other, NULL);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_OURS);

	/* The value has the length that was asked for, and stands in no record. */
	g_autoptr(GBytes) secret =
		keystore_lookup(fixture->host.keystore, "DEMO_PASSWORD", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(secret), ==, 32);
	g_autofree char *text = json_canonical(record);
	g_autofree char *value =
		g_strndup(g_bytes_get_data(secret, NULL), g_bytes_get_size(secret));
	g_assert_null(strstr(text, value));

	/* A second run takes the key that is there; a person who removed it gets a new one. */
	g_autoptr(json_t) again G_GNUC_UNUSED = do_step(fixture, step, NULL);
	g_autoptr(GBytes) same =
		keystore_lookup(fixture->host.keystore, "DEMO_PASSWORD", NULL, &error);
	g_assert_true(g_bytes_equal(secret, same));
	g_assert_true(keystore_remove(fixture->host.keystore, "DEMO_PASSWORD", &error));
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_ABSENT);

	/* Both back, in both orders of ending. */
	undo_twice(fixture, json_object_get(record, "undo"), "is not empty");
	undo_twice(fixture, json_object_get(second, "undo"), NULL);
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

static void test_key_of_the_environment(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Step) step = key_step(fixture, "DEMO_FROM_ENV", NULL);

	g_assert_true(g_setenv("DEMO_FROM_ENV", "only for now", true));
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	g_unsetenv("DEMO_FROM_ENV");
}

static void test_key_refuses(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const sizes[] = { "0", "7", "1025", "-1", "many", "" };

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(Step) step = key_step(fixture, "DEMO_KEY", sizes[i]);
		g_autoptr(json_t) recipe = NULL;
		g_autoptr(GError) error = NULL;

		g_assert_null(try_step(fixture, step, NULL, &recipe, &error));
		g_assert_error(error, FAULT, STATUS_CONFIG);
	}
	g_assert_false(file_exists(fixture->keystore_path));
	g_assert_false(file_exists(fixture->key_file));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/step/directory", test_directory);
	add("/step/directory-in-the-way", test_directory_in_the_way);
	add("/step/file-three-ways", test_three_ways);
	add("/step/file-in-the-way", test_file_in_the_way);
	add("/step/file-update-and-back", test_file_update_and_back);
	add("/step/file-killed", test_file_killed);
	add("/step/file-untrusted", test_file_untrusted);
	add("/step/wrapper", test_wrapper);
	g_test_add_func("/template", test_template);
	add("/edit", test_edits);
	add("/step/key", test_key);
	add("/step/key-of-the-environment", test_key_of_the_environment);
	add("/step/key-refuses", test_key_refuses);
	return g_test_run();
}
