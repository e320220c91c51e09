/* tests/test_installer_python.c - a virtual environment from wheels of this test, and back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/installer_fixture.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Makes demo-1.0-py3-none-any.whl in the folder "wheels"; (transfer full): its digest. */
static char *make_wheel(const Fixture *fixture, char **wheels)
{
	static const char script[] =
		"import sys, zipfile\n"
		"w = zipfile.ZipFile(sys.argv[1] + '/demo-1.0-py3-none-any.whl', 'w')\n"
		"info = 'demo-1.0.dist-info/'\n"
		"w.writestr('demo.py', 'answer = 42\\n')\n"
		"w.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: demo\\nVersion: "
		"1.0\\n')\n"
		"w.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\n'\n"
		"           'Root-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
		"w.writestr(info + 'RECORD', 'demo.py,,\\n' + info + 'METADATA,,\\n'\n"
		"           + info + 'WHEEL,,\\n' + info + 'RECORD,,\\n')\n"
		"w.close()\n";

	*wheels = g_build_filename(fixture->root, "wheels", NULL);
	g_assert_cmpint(g_mkdir(*wheels, 0755), ==, 0);
	g_autofree char *out G_GNUC_UNUSED =
		run_words("/", "python3", WORDS("-c", script, *wheels));
	g_autofree char *path = g_build_filename(*wheels, "demo-1.0-py3-none-any.whl", NULL);
	return file_digest(path, NULL);
}

static Step *python_step(const Fixture *fixture, const char *digest, const char *key,
                         const char *value)
{
	g_autofree char *path = at(fixture, "app/venv");
	g_autofree char *text = g_strdup_printf("demo==1.0 --hash=sha256:%s\n", digest);

	put_member(fixture, "requirements.txt", text);
	put_member(fixture, "shims/shim.py", "import demo\nanswer = demo.answer + 1\n");
	return make_step(fixture, &step_kind_python,
	                 json_pack("{s:s, s:s, s:s, s:[s], s:s*}", "path", path, "requirements",
	                           "requirements.txt", "python", "3.8", "shims", "shims/shim.py",
	                           key, value));
}

static void test_installs_updates_and_back(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *wheels = NULL;
	g_autofree char *digest = make_wheel(fixture, &wheels);
	g_autofree char *before = snapshot(fixture);
	g_autoptr(Step) step = python_step(fixture, digest, "find_links", wheels);

	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);

	/* It works, and using it leaves nothing that stays. */
	g_autofree char *program = at(fixture, "app/venv/bin/python");
	const char *const argv[] = { program, "-c", "import shim; print(shim.answer)", NULL };
	ProcessSpec spec = { .argv = argv };
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = process_capture(&spec, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(answer, ==, "43");

	/* Without its interpreter it has to be made again. */
	g_autofree char *target = g_file_read_link(program, NULL);
	g_assert_cmpint(unlink(program), ==, 0);
	g_assert_cmpint(symlink("/nowhere/python", program), ==, 0);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_PARTIAL);
	g_assert_cmpint(unlink(program), ==, 0);
	g_assert_cmpint(symlink(target, program), ==, 0);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);

	/* Half an environment of a failed update; then the older whole one comes back. */
	g_autofree char *installed = snapshot(fixture);
	fixture->token = "cafe0002";
	g_autofree char *wrong = g_strreverse(g_strdup(digest));
	g_autoptr(Step) next = python_step(fixture, wrong, "find_links", wheels);
	g_autoptr(json_t) recipe = NULL;
	g_assert_cmpint(probe_step(fixture, next, record), ==, PROBE_PARTIAL);
	g_assert_null(try_step(fixture, next, record, &recipe, &error));
	g_assert_error(error, FAULT, STATUS_UNTRUSTED);
	g_assert_true(is_there(fixture, "app/venv/bin/pip"));

	undo_twice(fixture, recipe, NULL);
	g_autofree char *restored = snapshot(fixture);
	g_assert_cmpstr(installed, ==, restored);
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

static void test_unreachable(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);
	g_autofree char *digest = g_strnfill(64, '0');
	g_autoptr(Step) step = python_step(fixture, digest, "index", "http://127.0.0.1:1/simple");
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(try_step(fixture, step, NULL, &recipe, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	undo_twice(fixture, recipe, NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

static void test_too_old(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *digest = g_strnfill(64, '0');
	g_autoptr(Step) step = python_step(fixture, digest, "index", NULL);
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(GError) error = NULL;

	json_put(step->inputs, "python", "99.0");
	g_assert_null(try_step(fixture, step, NULL, &recipe, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	undo_twice(fixture, recipe, NULL);
	g_assert_false(is_there(fixture, "app"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/python/installs-updates-and-back", test_installs_updates_and_back);
	add("/python/unreachable", test_unreachable);
	add("/python/too-old", test_too_old);
	return g_test_run();
}
