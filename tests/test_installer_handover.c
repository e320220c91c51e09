/* tests/test_installer_handover.c - keys for containers: what is planned, rendered, made and taken back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/secret.h"
#include "installer/handover.h"
#include "installer/secret_files.h"
#include "tests/installer_fixture.h"

#define CANARY "canary-0123456789abcdef"

static const char definition[] = "[stack]\n"
				 "schema = 1\nname = demo\ntitle = Demo\nversion = 1\n"
				 "summary = a demo\nprefix = ~/.demo\n"
				 "[profile all]\ntitle = all\ndefault = yes\n"
				 "[profile some]\ntitle = some\n"
				 "[key DB_PASSWORD]\nkind = generated\ntitle = the database\n"
				 "file-variable = DB_PASSWORD_FILE\nservices = db app\n"
				 "[key API_KEY]\nkind = optional\ntitle = a vendor\n"
				 "variable = VENDOR_KEY\nservices = app reader\n"
				 "[key HOST_KEY]\nkind = optional\ntitle = for no container\n"
				 "[key WATCH]\nkind = required\ntitle = for one profile\n"
				 "services = watch\nprofiles = all\n"
				 "[key OTHER_KEY]\nkind = optional\ntitle = another vendor\n"
				 "services = watch\nprofiles = all\none-of = vendor\n"
				 "[service db]\nrole = keeps\n"
				 "[service app]\nrole = works\nentry-point = run-app --now\n"
				 "[service reader]\nrole = reads files by itself\n"
				 "[service watch]\nrole = watches\nprofiles = all\n";

static json_t *plan(const char *profile)
{
	g_autoptr(GBytes) text = g_bytes_new_static(definition, sizeof(definition) - 1);
	g_autoptr(GError) error = NULL;
	g_autoptr(Stack) stack = stack_parse(text, "demo/stack.ini", &error);

	g_assert_no_error(error);
	return handover_plan(stack, profile, "demo", "/state");
}

static void assert_json(const json_t *found, const char *expected)
{
	g_autoptr(json_t) value = json_loads(expected, 0, NULL);
	g_autofree char *text = json_canonical(found);
	g_autofree char *wanted = json_canonical(value);

	g_assert_cmpstr(text, ==, wanted);
}

static void test_plan(void)
{
	g_autoptr(json_t) some = plan("some");

	assert_json(some, "{\"directory\": \"/state/compose/demo\", \"keys\": ["
	                  "{\"name\": \"DB_PASSWORD\", \"is_needed\": true, \"variable\": "
	                  "\"DB_PASSWORD\", \"file_variable\": \"DB_PASSWORD_FILE\", "
	                  "\"services\": [\"db\", \"app\"]},"
	                  "{\"name\": \"API_KEY\", \"is_needed\": false, \"variable\": "
	                  "\"VENDOR_KEY\", \"services\": [\"app\", \"reader\"]}],"
	                  "\"entry_points\": {\"app\": [\"run-app\", \"--now\"]}}");

	g_autoptr(json_t) all = plan("all");
	const json_t *keys = json_object_get(all, "keys");
	g_assert_cmpuint(json_array_size(keys), ==, 4);
	g_assert_cmpstr(json_text(json_array_get(keys, 3), "one_of"), ==, "vendor");
}

static void test_render(void)
{
	static const char *const both[] = { "DB_PASSWORD", "API_KEY", NULL };
	static const char *const one[] = { "DB_PASSWORD", NULL };
	g_autoptr(json_t) handover = plan("some");
	g_autoptr(json_t) files = handover_render(handover, "/run/us$er/demo", both);

	assert_json(json_object_get(files, "secrets"),
	            "{\"DB_PASSWORD\": {\"file\": \"/run/us$$er/demo/DB_PASSWORD\"},"
	            "\"API_KEY\": {\"file\": \"/run/us$$er/demo/API_KEY\"}}");
	assert_json(json_object_get(files, "services"),
	            "{\"db\": {\"secrets\": [\"DB_PASSWORD\"], \"environment\": "
	            "{\"DB_PASSWORD_FILE\": \"/run/secrets/DB_PASSWORD\"}},"
	            "\"app\": {\"secrets\": [\"DB_PASSWORD\", \"API_KEY\"], \"environment\": "
	            "{\"DB_PASSWORD_FILE\": \"/run/secrets/DB_PASSWORD\"}, \"entrypoint\": "
	            "[\"/bin/sh\", \"/run/slipway/with-keys\", \"VENDOR_KEY=API_KEY\", \"--\", "
	            "\"run-app\", \"--now\"], \"volumes\": [{\"type\": \"bind\", \"source\": "
	            "\"/state/compose/demo/with-keys\", \"target\": \"/run/slipway/with-keys\", "
	            "\"read_only\": true}]},"
	            "\"reader\": {\"secrets\": [\"API_KEY\"]}}");

	/* An optional key that is not there is in nothing. */
	g_autoptr(json_t) less = handover_render(handover, NULL, one);
	assert_json(json_object_get(less, "secrets"),
	            "{\"DB_PASSWORD\": {\"environment\": \"DB_PASSWORD\"}}");
	g_assert_null(json_object_get(json_object_get(less, "services"), "reader"));
}

/* A project of this test alone, with its hand-over; the engine is not asked, as if there were a
 * record of the way. */
typedef struct {
	json_t *inputs;
	json_t *record;
	ComposeProject *project;
	Handover handover;
	char *generated;
} Run;

static void run_up(Run *run, const Fixture *fixture, bool has_files)
{
	g_autofree char *name = g_strdup_printf("slipway-test-%d", (int)getpid());
	g_autoptr(GError) error = NULL;

	*run = (Run){ .generated = g_build_filename(fixture->state, "compose", name, NULL) };
	g_autofree char *directory = secret_files_directory(name, &error);
	g_assert_no_error(error);
	run->record = json_object();
	json_put(run->record, "directory", has_files ? directory : NULL);
	json_t *handover = plan("some");
	json_put(handover, "directory", run->generated);
	run->inputs = json_pack("{s:s, s:s, s:[s], s:o}", "project", name, "directory",
	                        fixture->home, "files", "compose.yaml", "handover", handover);
	run->project = compose_project_new(run->inputs, &error);
	g_assert_no_error(error);
}

static bool run_make(Run *run, const Fixture *fixture, GError **error)
{
	handover_clear(&run->handover);
	return handover_make(run->inputs, run->record, &fixture->host, run->project, &run->handover,
	                     error);
}

static void run_down(Run *run)
{
	handover_clear(&run->handover);
	compose_project_free(run->project);
	json_decref(run->inputs);
	json_decref(run->record);
	g_free(run->generated);
}

static void save_key(const Fixture *fixture, const char *name, const char *value)
{
	g_autoptr(GBytes) secret = secret_new(value, strlen(value));
	g_autoptr(GError) error = NULL;

	if (!file_exists(fixture->key_file)) {
		g_autofree char *parent = g_path_get_dirname(fixture->key_file);
		g_assert_true(file_make_dirs(parent, 0700, NULL, &error));
		g_assert_true(keystore_make_key_file(fixture->key_file, &error));
	}
	g_assert_true(keystore_save(fixture->host.keystore, name, secret, &error));
	g_assert_no_error(error);
}

static char *key_text(const Run *run, const char *name)
{
	g_autofree char *path = g_build_filename(run->handover.directory, name, NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static void test_make(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *before = snapshot(fixture);
	g_autoptr(json_t) recipe = json_array();
	g_autoptr(GError) error = NULL;
	Run run;

	run_up(&run, fixture, true);
	g_assert_true(handover_prepare(run.inputs, recipe, &error));
	g_assert_false(run_make(&run, fixture, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_nonnull(strstr(error->message, "DB_PASSWORD"));
	g_assert_nonnull(strstr(error->message, "db, app"));
	g_clear_error(&error);

	save_key(fixture, "DB_PASSWORD", CANARY);
	g_assert_true(run_make(&run, fixture, &error));
	g_assert_no_error(error);
	g_autofree char *value = key_text(&run, "DB_PASSWORD");
	g_assert_cmpstr(value, ==, CANARY);
	g_assert_cmpuint(g_strv_length(run.handover.names), ==, 1);
	g_assert_cmpuint(run.handover.environment->len, ==, 0);
	g_autoptr(json_t) record = handover_record(&run.handover);
	g_assert_true(handover_is_there(record));

	/* No generated file has the key; compose gets the list of them all. */
	g_autofree char *file = g_build_filename(run.generated, "keys.json", NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(file, &text, NULL, &error));
	g_assert_null(strstr(text, CANARY));
	g_assert_cmpstr(run.project->files[1], ==, file);
	g_autofree char *shim = g_build_filename(run.generated, "with-keys", NULL);
	g_assert_true(file_exists(shim));

	/* A kill anywhere: all of it goes, and what is not ours stays. */
	g_autofree char *foreign = g_build_filename(run.generated, "notes", NULL);
	put_path(foreign, "mine", 0644);
	undo_twice(fixture, recipe, "is not empty");
	g_assert_false(handover_is_there(record));
	g_assert_false(file_exists(file));
	g_assert_true(file_exists(foreign));
	g_assert_cmpint(unlink(foreign), ==, 0);
	g_assert_cmpint(rmdir(run.generated), ==, 0);
	undo_twice(fixture, recipe, NULL);
	g_autofree char *keys = g_path_get_dirname(fixture->keystore_path);
	g_assert_true(tree_remove(keys, &error));
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
	run_down(&run);
}

static void test_make_again(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe = json_array();
	g_autoptr(GError) error = NULL;
	Run run;

	run_up(&run, fixture, true);
	g_assert_true(handover_prepare(run.inputs, recipe, &error));
	save_key(fixture, "DB_PASSWORD", CANARY);
	g_assert_true(run_make(&run, fixture, &error));

	g_assert_true(g_setenv("API_KEY", "from-the-shell", true));
	g_assert_true(run_make(&run, fixture, &error));
	g_unsetenv("API_KEY");
	g_assert_cmpuint(run.handover.changed->len, ==, 1);
	g_assert_cmpstr(run.handover.passing->pdata[0], ==, "API_KEY");
	g_auto(GStrv) services = handover_services(run.inputs, run.handover.changed);
	g_autofree char *joined = g_strjoinv(" ", services);
	g_assert_cmpstr(joined, ==, "app reader");

	/* Without it, its file is empty while no container is made anew, and goes then. */
	run.handover.is_for_running = true;
	g_assert_true(run_make(&run, fixture, &error));
	g_autofree char *empty = key_text(&run, "API_KEY");
	g_assert_cmpstr(empty, ==, "");
	g_assert_cmpuint(g_strv_length(run.handover.names), ==, 2);
	g_assert_true(run_make(&run, fixture, &error));
	g_assert_cmpuint(run.handover.changed->len, ==, 0);
	run.handover.is_for_running = false;
	g_assert_true(run_make(&run, fixture, &error));
	g_assert_cmpstr(run.handover.changed->pdata[0], ==, "API_KEY");
	g_assert_null(key_text(&run, "API_KEY"));
	g_assert_no_error(error);
	undo_twice(fixture, recipe, NULL);
	run_down(&run);
}

static void test_make_one_of(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) recipe = json_array();
	g_autoptr(GError) error = NULL;
	Run run;

	run_up(&run, fixture, true);
	g_assert_true(handover_prepare(run.inputs, recipe, &error));
	json_t *keys = json_object_get(json_object_get(run.inputs, "handover"), "keys");
	json_put(json_array_get(keys, 1), "one_of", "vendor");
	json_array_append_new(keys, json_pack("{s:s, s:b, s:s, s:s, s:[s]}", "name", "OTHER_KEY",
	                                      "is_needed", 0, "variable", "OTHER_KEY", "one_of",
	                                      "vendor", "services", "app"));
	save_key(fixture, "DB_PASSWORD", CANARY);
	g_assert_false(run_make(&run, fixture, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_nonnull(strstr(error->message, "one is needed: API_KEY, OTHER_KEY"));
	g_clear_error(&error);

	save_key(fixture, "OTHER_KEY", CANARY);
	g_assert_true(run_make(&run, fixture, &error));
	g_assert_no_error(error);
	undo_twice(fixture, recipe, NULL);
	run_down(&run);
}

static void test_make_for_a_virtual_machine(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	Run run;

	run_up(&run, fixture, false);
	save_key(fixture, "DB_PASSWORD", CANARY);
	g_assert_true(run_make(&run, fixture, &error));
	g_assert_no_error(error);
	g_assert_null(run.handover.directory);
	g_assert_cmpuint(run.handover.environment->len, ==, 1);
	g_assert_cmpstr(secret_text(run.handover.environment->pdata[0]), ==, "DB_PASSWORD=" CANARY);
	g_assert_true(run.project->environment == run.handover.environment);
	run_down(&run);
}

static Step *unit_step(const Fixture *fixture, const char *systemd)
{
	g_autofree char *path = at(fixture, "units/demo.service");

	return make_step(fixture, &step_kind_unit,
	                 json_pack("{s:s, s:s, s:s, s:s}", "name", "demo", "run",
	                           "keys sync demo --at-boot", "path", path, "systemd", systemd));
}

static void test_unit(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Step) step = unit_step(fixture, "yes");
	g_autofree char *before = snapshot(fixture);
	g_autofree char *link = at(fixture, "units/default.target.wants/demo.service");
	g_autofree char *path = at(fixture, "units/demo.service");
	g_autofree char *text = NULL;

	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_autofree char *line = g_strdup_printf(
		"\nExecStart=\"slipway\" keys sync demo --at-boot --keystore \"%s\"\n",
		fixture->keystore_path);
	g_assert_nonnull(strstr(text, line));
	g_assert_nonnull(strstr(text, "\nBefore=docker.service\n"));
	g_autofree char *target = g_file_read_link(link, NULL);
	g_assert_cmpstr(target, ==, "../demo.service");
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);

	/* What a person changed stays. */
	g_autoptr(json_t) again = do_step(fixture, step, NULL);
	put(fixture, "units/demo.service", "mine");
	g_assert_cmpint(probe_step(fixture, step, again), ==, PROBE_EDITED);
	undo_twice(fixture, json_object_get(again, "undo"), "units");
	g_assert_true(is_there(fixture, "units/demo.service"));
	g_assert_false(file_exists(link));
}

static void test_unit_without_systemd(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Step) step = unit_step(fixture, "no");
	g_autofree char *before = snapshot(fixture);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_autofree char *after = snapshot(fixture);
	const char *note = json_text(json_object_get(record, "result"), "note");

	g_assert_cmpstr(before, ==, after);
	g_assert_nonnull(strstr(note, "slipway keys sync demo --at-boot"));
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/handover/plan", test_plan);
	g_test_add_func("/handover/render", test_render);
	add("/handover/make", test_make);
	add("/handover/make/again", test_make_again);
	add("/handover/make/one-of", test_make_one_of);
	add("/handover/make/virtual-machine", test_make_for_a_virtual_machine);
	add("/handover/unit", test_unit);
	add("/handover/unit/without-systemd", test_unit_without_systemd);
	return g_test_run();
}
