/* tests/test_installer_source.c - checkouts of real git repositories, and back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gio/gio.h>

#include "tests/installer_fixture.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* An upstream of three commits; its path and the ids. */
typedef struct {
	char *path;
	char *commits[3];
} Upstream;

static void upstream_clear(Upstream *upstream)
{
	g_free(upstream->path);
	for (int i = 0; i < 3; i++)
		g_free(upstream->commits[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Upstream, upstream_clear)

static void git(const char *cwd, const char *const *words)
{
	g_autofree char *out G_GNUC_UNUSED = run_words(cwd, "git", words);
}

static void make_upstream(const Fixture *fixture, Upstream *upstream)
{
	static const char *const texts[] = { "one\n", "two\n", "three\n" };

	upstream->path = g_build_filename(fixture->root, "upstream", NULL);
	g_assert_cmpint(g_mkdir(upstream->path, 0755), ==, 0);
	git(upstream->path, WORDS("init", "-q", "-b", "master", "."));
	for (int i = 0; i < 3; i++) {
		g_autofree char *file = g_build_filename(upstream->path, "app", "main.py", NULL);
		g_autofree char *script = g_build_filename(upstream->path, "run.sh", NULL);
		put_path(file, texts[i], 0644);
		put_path(script, "#!/bin/sh\n", 0755);
		git(upstream->path, WORDS("add", "."));
		git(upstream->path, WORDS("commit", "-q", "-m", texts[i]));
		upstream->commits[i] = run_words(upstream->path, "git", WORDS("rev-parse", "HEAD"));
	}
}

static Step *source_step(const Fixture *fixture, const char *url, const char *revision,
                         const char *edit)
{
	g_autofree char *path = at(fixture, "app/src");
	json_t *inputs =
		json_pack("{s:s, s:s, s:s}", "path", path, "url", url, "revision", revision);

	if (edit)
		json_object_set_new(inputs, "edits", json_pack("[s]", edit));
	return make_step(fixture, &step_kind_source, inputs);
}

static void put_edit(const Fixture *fixture, const char *find)
{
	g_autofree char *edit = g_strdup_printf("file: app/main.py\n--- find\n%s\n--- replace\n"
	                                        "mended\n--- end\n",
	                                        find);

	put_member(fixture, "main.edit", edit);
}

static void test_checks_out(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };
	g_autofree char *before = snapshot(fixture);
	g_autofree char *tree = at(fixture, "app/src");

	make_upstream(fixture, &upstream);
	put_edit(fixture, "one");
	g_autofree char *file_url = g_strconcat("file://", upstream.path, NULL);
	for (const char *const *url = WORDS(upstream.path, file_url); *url; url++) {
		g_autoptr(Step) step = source_step(fixture, *url, upstream.commits[0], "main.edit");
		g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
		g_autoptr(json_t) record = do_step(fixture, step, NULL);
		g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
		assert_text(fixture, "app/src/app/main.py", "mended\n");
		g_assert_false(is_there(fixture, "app/src/.git/FETCH_HEAD"));

		/* A person who looks changes nothing. */
		g_autofree char *status = run_words(tree, "git", WORDS("status", "--porcelain"));
		g_assert_cmpstr(status, ==, " M app/main.py");
		undo_twice(fixture, json_object_get(record, "undo"), NULL);
		g_autofree char *after = snapshot(fixture);
		g_assert_cmpstr(before, ==, after);
	}
}

static void test_keeps_edits(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };
	g_autofree char *tree = at(fixture, "app/src");

	make_upstream(fixture, &upstream);
	g_autoptr(Step) step = source_step(fixture, upstream.path, upstream.commits[2], NULL);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	put(fixture, "app/src/app/main.py", "my own\n");
	put(fixture, "app/src/notes", "my own\n");
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	undo_twice(fixture, json_object_get(record, "undo"), "");
	assert_text(fixture, "app/src/app/main.py", "my own\n");
	assert_text(fixture, "app/src/notes", "my own\n");
	g_assert_false(is_there(fixture, "app/src/run.sh"));
	g_assert_false(is_there(fixture, "app/src/.git"));
	g_assert_true(tree_remove(tree, NULL));

	/* At another revision: a person's choice. */
	g_autoptr(json_t) again = do_step(fixture, step, NULL);
	git(tree, WORDS("checkout", "-q", "-b", "mine"));
	g_assert_cmpint(probe_step(fixture, step, again), ==, PROBE_EDITED);
}

static void test_update_and_back(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };
	g_autofree char *before = snapshot(fixture);

	make_upstream(fixture, &upstream);
	g_autoptr(Step) first = source_step(fixture, upstream.path, upstream.commits[0], NULL);
	g_autoptr(json_t) old = do_step(fixture, first, NULL);
	g_autofree char *installed = snapshot(fixture);

	/* Rolled back, the old tree is what it was; committed and uninstalled, nothing is left. */
	fixture->token = "cafe0002";
	g_autoptr(Step) second = source_step(fixture, upstream.path, upstream.commits[1], NULL);
	g_assert_cmpint(probe_step(fixture, second, old), ==, PROBE_PARTIAL);
	g_autoptr(json_t) recipe = prepare_step(fixture, second, old);
	g_autoptr(json_t) dropped G_GNUC_UNUSED = do_step(fixture, second, old);
	assert_text(fixture, "app/src/app/main.py", "two\n");
	undo_twice(fixture, recipe, NULL);
	g_autofree char *restored = snapshot(fixture);
	g_assert_cmpstr(installed, ==, restored);
	g_assert_cmpint(probe_step(fixture, first, old), ==, PROBE_OURS);

	g_autoptr(json_t) record = do_step(fixture, second, old);
	g_assert_cmpint(probe_step(fixture, second, record), ==, PROBE_OURS);
	g_assert_nonnull(json_object_get(json_object_get(record, "result"), "discard"));
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

/* An update does not take a person's work: the old tree stays beside the new one. */
static void test_update_keeps_edits(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };

	make_upstream(fixture, &upstream);
	g_autoptr(Step) first = source_step(fixture, upstream.path, upstream.commits[0], NULL);
	g_autoptr(json_t) old = do_step(fixture, first, NULL);
	put(fixture, "app/src/app/main.py", "my own\n");

	fixture->token = "cafe0002";
	g_autoptr(Step) second = source_step(fixture, upstream.path, upstream.commits[1], NULL);
	g_autoptr(json_t) record = do_step(fixture, second, old);
	g_assert_nonnull(json_object_get(json_object_get(record, "result"), "kept"));
	assert_text(fixture, "app/src/app/main.py", "two\n");
	assert_text(fixture, "app/src.cafe0002.old/app/main.py", "my own\n");

	undo_twice(fixture, json_object_get(record, "undo"), "");
	assert_text(fixture, "app/src/app/main.py", "my own\n");
	g_assert_false(is_there(fixture, "app/src/run.sh"));
	g_assert_false(is_there(fixture, "app/src.cafe0002.old"));
}

static void fail_step(Fixture *fixture, const Step *step, int status)
{
	g_autofree char *before = snapshot(fixture);
	g_autoptr(json_t) recipe = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(try_step(fixture, step, NULL, &recipe, &error));
	g_assert_error(error, FAULT, status);
	g_assert_nonnull(recipe);
	undo_twice(fixture, recipe, NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

static void test_failures(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };
	const char *nowhere = "1234567890123456789012345678901234567890";

	make_upstream(fixture, &upstream);
	put_edit(fixture, "not there");
	const char *head = upstream.commits[2];
	const struct {
		const char *url, *revision, *edit;
		int status;
	} rows[] = {
		{ "/nowhere/repository", head, NULL, STATUS_UNAVAILABLE },
		{ "http://127.0.0.1:1/x.git", head, NULL, STATUS_UNAVAILABLE },
		{ upstream.path, nowhere, NULL, STATUS_UNAVAILABLE },
		{ upstream.path, head, "main.edit", STATUS_DATA },
		{ "http://example.org/x.git", head, NULL, STATUS_CONFIG },
		{ "http://127.0.0.1.example.org/x.git", head, NULL, STATUS_CONFIG },
		{ "git://127.0.0.1/x.git", head, NULL, STATUS_CONFIG },
		{ "ssh://127.0.0.1/x.git", head, NULL, STATUS_CONFIG },
		{ "ext::sh -c false", head, NULL, STATUS_CONFIG },
		{ "--upload-pack=false", head, NULL, STATUS_CONFIG },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(Step) step =
			source_step(fixture, rows[i].url, rows[i].revision, rows[i].edit);
		fail_step(fixture, step, rows[i].status);
	}
}

static void test_bad_revisions(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const revisions[] = { "master", "abc123",
		                                 "1234567890123456789012345678901234567890x",
		                                 "ABCDEF7890123456789012345678901234567890",
		                                 "--upload-pack=x" };

	for (gsize i = 0; i < G_N_ELEMENTS(revisions); i++) {
		g_autoptr(Step) step = source_step(fixture, fixture->root, revisions[i], NULL);
		StepRun run = make_run(fixture, step, NULL);
		Probe probe = PROBE_ABSENT;
		g_autoptr(GError) error = NULL;

		g_assert_false(step->kind->probe(&run, &probe, &error));
		g_assert_error(error, FAULT, STATUS_CONFIG);
	}
}

static void test_foreign(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };

	make_upstream(fixture, &upstream);
	g_autoptr(Step) step = source_step(fixture, upstream.path, upstream.commits[0], NULL);
	put(fixture, "app/src/mine", "x");
	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_FOREIGN);
	fail_step(fixture, step, STATUS_CANNOT_CREATE);
	assert_text(fixture, "app/src/mine", "x");
}

/* A server of plain files cannot cut a history short: then all of it is fetched. */
static void test_plain_http(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char server[] = "import functools, http.server, sys\n"
				     "class Quiet(http.server.SimpleHTTPRequestHandler):\n"
				     "    def log_message(self, *words): pass\n"
				     "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0),\n"
				     "    functools.partial(Quiet, directory=sys.argv[1]))\n"
				     "print(s.server_port, flush=True)\n"
				     "s.serve_forever()\n";
	g_auto(Upstream) upstream = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *before = snapshot(fixture);
	g_autofree char *bare = g_build_filename(fixture->root, "mirror.git", NULL);
	g_autofree char *python = process_find("python3");

	make_upstream(fixture, &upstream);
	git(fixture->root, WORDS("clone", "-q", "--bare", upstream.path, bare));
	git(bare, WORDS("update-server-info"));

	GSubprocess *child = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, python, "-c",
	                                      server, fixture->root, NULL);
	g_assert_no_error(error);
	char line[16] = { 0 };
	g_assert_cmpint(g_input_stream_read(g_subprocess_get_stdout_pipe(child), line,
	                                    sizeof line - 1, NULL, &error),
	                >, 1);
	g_autofree char *url = g_strdup_printf("http://127.0.0.1:%s/mirror.git", g_strchomp(line));

	g_autoptr(Step) step = source_step(fixture, url, upstream.commits[1], NULL);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	assert_text(fixture, "app/src/app/main.py", "two\n");
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);

	g_subprocess_force_exit(child);
	g_assert_true(g_subprocess_wait(child, NULL, &error));
	g_object_unref(child);
}

/* Neither the user's git settings nor hooks run anything. */
static void test_runs_nothing_of_others(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };
	g_autofree char *own_home = g_build_filename(fixture->root, "user", NULL);
	g_autofree char *config = g_build_filename(own_home, ".gitconfig", NULL);
	g_autofree char *hook = g_build_filename(own_home, "hooks", "post-checkout", NULL);
	g_autofree char *trace = g_build_filename(fixture->root, "ran", NULL);
	g_autofree char *script = g_strdup_printf("#!/bin/sh\ntouch %s\n", trace);
	g_autofree char *text = g_strdup_printf("[core]\n\thooksPath = %s/hooks\n"
	                                        "[init]\n\ttemplateDir = %s\n",
	                                        own_home, own_home);
	g_autofree char *saved = g_strdup(g_getenv("HOME"));

	make_upstream(fixture, &upstream);
	put_path(config, text, 0644);
	put_path(hook, script, 0755);
	g_assert_true(g_setenv("HOME", own_home, true));
	g_autoptr(Step) step = source_step(fixture, upstream.path, upstream.commits[0], NULL);
	g_autoptr(json_t) record G_GNUC_UNUSED = do_step(fixture, step, NULL);
	g_assert_true(g_setenv("HOME", saved ? saved : "/", true));
	g_assert_false(file_exists(trace));
	g_assert_false(is_there(fixture, "app/src/.git/hooks"));
}

/* Killed behind the rename but in front of the record: resumed, or taken back. */
static void test_killed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(Upstream) upstream = { 0 };
	g_autofree char *before = snapshot(fixture);

	make_upstream(fixture, &upstream);
	g_autoptr(Step) step = source_step(fixture, upstream.path, upstream.commits[0], NULL);
	StepRun run = make_run(fixture, step, NULL);
	g_autoptr(json_t) recipe = prepare_step(fixture, step, NULL);

	for (int has_listing = 0; has_listing < 2; has_listing++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(json_t) result = step->kind->apply(&run, &error);
		g_assert_no_error(error);
		if (!has_listing)
			g_assert_cmpint(unlink(json_text(result, "listing")), ==, 0);
		g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_PARTIAL);

		/* Resumed: nothing is fetched again, the upstream may be away; what the tree was
		 * built in goes. */
		g_autofree char *stage = recipe_stage(&run, json_text(result, "path"));
		g_assert_cmpint(g_mkdir(stage, 0755), ==, 0);
		g_autofree char *away = g_strconcat(upstream.path, ".away", NULL);
		g_assert_cmpint(rename(upstream.path, away), ==, 0);
		g_autoptr(json_t) again = step->kind->apply(&run, &error);
		g_assert_no_error(error);
		g_assert_cmpint(rename(away, upstream.path), ==, 0);
		g_assert_false(file_exists(stage));
		if (!has_listing)
			g_assert_cmpint(unlink(json_text(again, "listing")), ==, 0);

		undo_twice(fixture, recipe, NULL);
		g_autofree char *after = snapshot(fixture);
		g_assert_cmpstr(before, ==, after);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/source/checks-out", test_checks_out);
	add("/source/keeps-edits", test_keeps_edits);
	add("/source/update-and-back", test_update_and_back);
	add("/source/update-keeps-edits", test_update_keeps_edits);
	add("/source/failures", test_failures);
	add("/source/bad-revisions", test_bad_revisions);
	add("/source/foreign", test_foreign);
	add("/source/plain-http", test_plain_http);
	add("/source/runs-nothing-of-others", test_runs_nothing_of_others);
	add("/source/killed", test_killed);
	return g_test_run();
}
