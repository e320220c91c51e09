/* tests/test_installer_archive.c - programs from archives, and back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/installer_fixture.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* DEMO/bin/demo, DEMO/lib/libdemo.so -> libdemo.so.1, DEMO/lib/libdemo.so.1 */
static char *make_archive(const Fixture *fixture)
{
	g_autofree char *demo = g_build_filename(fixture->root, "make", "demo", NULL);
	g_autofree char *program = g_build_filename(demo, "bin", "demo", NULL);
	g_autofree char *library = g_build_filename(demo, "lib", "libdemo.so.1", NULL);
	g_autofree char *link = g_build_filename(demo, "lib", "libdemo.so", NULL);
	g_autofree char *make = g_path_get_dirname(demo);
	char *archive = g_build_filename(fixture->root, "demo-1.0.tar.gz", NULL);

	put_path(program, "#!/bin/sh\necho demo\n", 0755);
	put_path(library, "library", 0644);
	g_assert_cmpint(symlink("libdemo.so.1", link), ==, 0);
	g_autofree char *out G_GNUC_UNUSED = run_words(make, "tar", WORDS("-czf", archive, "demo"));
	return archive;
}

static Step *archive_step(const Fixture *fixture, const char *url, const char *key,
                          const char *value)
{
	g_autofree char *path = at(fixture, "opt/demo");

	return make_step(fixture, &step_kind_archive,
	                 json_pack("{s:s, s:s, s:s, s:s, s:s}", "path", path, "url", url, key,
	                           value, "strip", "1", "program", "no-such-program-here"));
}

static void test_unpacks(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *archive = make_archive(fixture);
	g_autofree char *digest = file_digest(archive, NULL);
	g_autofree char *before = snapshot(fixture);
	g_autofree char *url = g_strconcat("file://", archive, NULL);

	for (const char *const *from = WORDS(archive, url); *from; from++) {
		g_autoptr(Step) step = archive_step(fixture, *from, "sha256", digest);
		g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
		g_autoptr(json_t) record = do_step(fixture, step, NULL);
		g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
		g_autofree char *program = at(fixture, "opt/demo/bin/demo");
		g_assert_cmpint(access(program, X_OK), ==, 0);
		assert_text(fixture, "opt/demo/lib/libdemo.so", "library");

		undo_twice(fixture, json_object_get(record, "undo"), NULL);
		g_autofree char *after = snapshot(fixture);
		g_assert_cmpstr(before, ==, after);
	}
}

static void expect_failure(Fixture *fixture, const Step *step, int status)
{
	g_autofree char *before = snapshot(fixture);
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(try_step(fixture, step, NULL, &recipe, &error));
	g_assert_error(error, FAULT, status);
	undo_twice(fixture, recipe, NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

static void test_sums(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *format; /* %s: the digest */
		int status;
	} rows[] = {
		{ "%s  demo-1.0.tar.gz\n", STATUS_OK },
		{ "%s  ./demo-1.0.tar.gz\n", STATUS_OK },
		{ "%s *demo-1.0.tar.gz\r\n", STATUS_OK },
		{ "# sums\n\n%s  demo-1.0.tar.gz", STATUS_OK },
		{ "%s  demo-1.0.tar.gz.old\n", STATUS_UNTRUSTED },
		{ "%s  other/demo-1.0.tar.gz\n", STATUS_UNTRUSTED },
		{ "f%.63s  demo-1.0.tar.gz\n", STATUS_UNTRUSTED },
		{ "%.63s  demo-1.0.tar.gz\n", STATUS_UNTRUSTED },
		{ "%sdemo-1.0.tar.gz\n", STATUS_UNTRUSTED },
		{ "", STATUS_UNTRUSTED },
	};
	g_autofree char *archive = make_archive(fixture);
	g_autofree char *digest = file_digest(archive, NULL);
	g_autofree char *sums = g_build_filename(fixture->root, "sha256sum.txt", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) parts = g_strsplit(rows[i].format, "%.63s", -1);
		g_autofree char *cut = g_strndup(digest, 63);
		g_autofree char *first = g_strjoinv(cut, parts);
		g_auto(GStrv) rest = g_strsplit(first, "%s", -1);
		g_autofree char *text = g_strjoinv(digest, rest);

		put_path(sums, text, 0644);
		g_autoptr(Step) step = archive_step(fixture, archive, "sums", sums);
		if (rows[i].status != STATUS_OK) {
			expect_failure(fixture, step, rows[i].status);
			continue;
		}
		g_autoptr(json_t) record = do_step(fixture, step, NULL);
		g_assert_true(is_there(fixture, "opt/demo/bin/demo"));
		undo_twice(fixture, json_object_get(record, "undo"), NULL);
	}
}

static void test_failures(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char zeros[] = "00000000000000000000000000000000"
				    "00000000000000000000000000000000";
	g_autofree char *archive = make_archive(fixture);
	g_autofree char *digest = file_digest(archive, NULL);
	g_autofree char *rubbish = g_build_filename(fixture->root, "rubbish", NULL);

	put_path(rubbish, "no archive at all", 0644);
	g_autofree char *rubbish_digest = file_digest(rubbish, NULL);
	const struct {
		const char *url, *key, *value;
		int status;
	} rows[] = {
		{ archive, "sha256", zeros, STATUS_UNTRUSTED },
		{ archive, "sha256", "abc", STATUS_CONFIG },
		{ archive, "mode", "0644", STATUS_CONFIG },
		{ "/nowhere/demo.tar.gz", "sha256", zeros, STATUS_UNAVAILABLE },
		{ archive, "sums", "/nowhere/sha256sum.txt", STATUS_UNAVAILABLE },
		{ "https://127.0.0.1:1/demo.tar.gz", "sha256", zeros, STATUS_UNAVAILABLE },
		{ rubbish, "sha256", rubbish_digest, STATUS_DATA },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(Step) step =
			archive_step(fixture, rows[i].url, rows[i].key, rows[i].value);
		expect_failure(fixture, step, rows[i].status);
	}

	g_autoptr(Step) step = archive_step(fixture, archive, "sha256", digest);
	json_put(step->inputs, "max", "100");
	expect_failure(fixture, step, STATUS_DATA);
	json_put(step->inputs, "max", "lots");
	expect_failure(fixture, step, STATUS_CONFIG);
}

/* A program of the system does as well, and is not ours to take away. */
static void test_satisfied(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Step) step = archive_step(fixture, "/nowhere", "sha256", "abc");

	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	json_put(step->inputs, "program", "sh");
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_OURS);
	put(fixture, "opt/demo/mine", "x");
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_FOREIGN);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/archive/unpacks", test_unpacks);
	add("/archive/sums", test_sums);
	add("/archive/failures", test_failures);
	add("/archive/satisfied", test_satisfied);
	return g_test_run();
}
