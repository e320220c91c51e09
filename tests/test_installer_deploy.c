/* tests/test_installer_deploy.c - the texts and the state of a deployment
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_files.h"
#include "installer/deploy_state.h"
#include "installer/env_lines.h"
#include "installer_fixture.h"

static void test_env_lines(void)
{
	static const struct {
		const char *text, *got, *set;
	} rows[] = {
		{ "", NULL, "A=x\n" },
		{ "A=1\n", "1", "A=x\n" },
		{ "# A=0\nA=1\nB=2", "1", "# A=0\nA=x\nB=2" },
		{ "A=1\nA=2\n", "2", "A=x\nA=x\n" },
		{ "AA=1\nB=A=2\n", NULL, "AA=1\nB=A=2\nA=x\n" },
		{ " A=\"1 2\"\n", "1 2", "A=x\n" },
		{ "A='1'\n", "1", "A=x\n" },
		{ "A=\n", "", "A=x\n" },
		{ "B=1", NULL, "B=1\nA=x\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = env_lines_get(rows[i].text, "A");
		g_autofree char *set = env_lines_set(rows[i].text, "A", "x");

		g_assert_cmpstr(got, ==, rows[i].got);
		g_assert_cmpstr(set, ==, rows[i].set);
	}
}

static void test_weigh(void)
{
	static const struct {
		const char *text, *weighed;
	} rows[] = {
		{ "backend app\n\tserver blue localagent-blue:8000 weight 100\n",
		  "backend app\n\tserver blue localagent-blue:8000 weight 7\n" },
		{ "server blue h:1 weight 0 check inter 2s\r\nserver green h:2 weight 9\r\n",
		  "server blue h:1 weight 7 check inter 2s\r\nserver green h:2 weight 9\r\n" },
		{ "server   blue\th:1   weight   100", "server   blue\th:1   weight   7" },
		{ "server blue weight:1 weight 3 # weight 4",
		  "server blue weight:1 weight 7 # weight 4" },
		{ "server bluebird h:1 weight 1\n", NULL },
		{ "server green h:1 weight 1\n", NULL },
		{ "# server blue h:1 weight 1\n", NULL },
		{ "default-server blue h:1 weight 1\n", NULL },
		{ "server blue h:1 weight\n", NULL },
		{ "server blue h:1\n", NULL },
		{ "server\n", NULL },
		{ "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *weighed = deploy_weigh(rows[i].text, "blue", 7);

		g_assert_cmpstr(weighed, ==, rows[i].weighed);
	}
}

static void test_images(void)
{
	static const struct {
		const char *image;
		bool is_fixed;
	} rows[] = {
		{ "localagent:v2", true },
		{ "registry.example:5000/a/localagent:1.2.3", true },
		{ "localagent@sha256:abc", true },
		{ "localagent:v2@sha256:abc", true },
		{ "localagent", false },
		{ "localagent:latest", false },
		{ "registry.example:5000/localagent", false },
		{ "registry.example:5000/localagent:latest", false },
		{ "localagent:", false },
		{ ":v2", false },
		{ "", false },
		{ "-f:v2", false },
		{ "local agent:v2", false },
		{ "localagent:v2\nA=1", false },
		{ "localagent:${A}", false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(deploy_image_is_fixed(rows[i].image), ==, rows[i].is_fixed);
}

static void test_tunables(void)
{
	static const struct {
		const char *text, *why; /* why: NULL: good */
	} rows[] = {
		{ "", NULL },
		{ "TRAFFIC_STEPS=100\nAUTO_ROLLBACK=false\n", NULL },
		{ "TRAFFIC_STEPS= 1, 5 ,100\n", NULL },
		{ "TRAFFIC_STEPS=10,50\n", "no rising percentages" },
		{ "TRAFFIC_STEPS=50,10,100\n", "no rising percentages" },
		{ "TRAFFIC_STEPS=0,100\n", "no rising percentages" },
		{ "TRAFFIC_STEPS=10,,100\n", "no rising percentages" },
		{ "TRAFFIC_STEPS=10,101\n", "no rising percentages" },
		{ "TRAFFIC_STEPS=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,100\n",
		  "no rising percentages" },
		{ "TRAFFIC_STEP_SECONDS=0\n",
		  "TRAFFIC_STEP_SECONDS=0 is no number from 1 to 3600" },
		{ "MAX_STEP_ERRORS=-1\n", "MAX_STEP_ERRORS=-1 is no number" },
		{ "HEALTH_CHECK_TIMEOUT=5m\n", "HEALTH_CHECK_TIMEOUT=5m is no number" },
		{ "AUTO_ROLLBACK=yes\n", "AUTO_ROLLBACK=yes is neither" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		DeployTunables tunables = { 0 };
		g_autoptr(GError) error = NULL;
		bool is_read = deploy_tunables_read(rows[i].text, "env", &tunables, &error);

		g_assert_cmpint(is_read, ==, rows[i].why == NULL);
		if (!is_read) {
			g_assert_error(error, FAULT, STATUS_CONFIG);
			g_assert_nonnull(strstr(error->message, rows[i].why));
		}
	}
}

static void test_defaults(void)
{
	DeployTunables tunables = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_true(deploy_tunables_read("MAX_STEP_ERRORS=5\n", "env", &tunables, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(tunables.step_count, ==, 3);
	g_assert_cmpuint(tunables.steps[0], ==, 10);
	g_assert_cmpuint(tunables.steps[1], ==, 50);
	g_assert_cmpuint(tunables.steps[2], ==, 100);
	g_assert_cmpuint(tunables.step_s, ==, 30);
	g_assert_cmpuint(tunables.step_errors, ==, 5);
	g_assert_cmpuint(tunables.health_s, ==, 300);
	g_assert_cmpuint(tunables.rollback_s, ==, 600);
	g_assert_cmpuint(tunables.retention_days, ==, 7);
	g_assert_true(tunables.has_rollback);
}

static void test_state(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *directory = deploy_directory(fixture->state, "demo");
	g_autofree char *path = g_build_filename(directory, "state.json", NULL);
	DeployState state = { .active = 1, .has_previous = true, .weights = { 10, 90 } };
	DeployState again = { 0 };
	g_autoptr(GError) error = NULL;
	bool is_there = true;
	struct stat st = { 0 };

	g_assert_true(deploy_state_read(directory, &again, &is_there, &error));
	g_assert_false(is_there);
	deploy_colour_set(&state.colours[0], "a:1", NULL, "none");
	deploy_colour_set(&state.colours[1], "a:2", "sha256:2", "id-2");
	deploy_state_begin(&state, "deploy", "id-3", "a:3", 0);
	state.unfinished->is_committed = true;
	g_assert_true(deploy_state_write(directory, &state, &error));
	g_assert_true(deploy_state_read(directory, &again, &is_there, &error));
	g_assert_no_error(error);
	g_assert_true(is_there);
	g_assert_cmpuint(again.active, ==, 1);
	g_assert_true(again.has_previous);
	g_assert_cmpuint(again.weights[0], ==, 10);
	g_assert_cmpstr(again.colours[0].image, ==, "a:1");
	g_assert_null(again.colours[0].digest);
	g_assert_cmpstr(again.colours[1].digest, ==, "sha256:2");
	g_assert_cmpstr(again.unfinished->id, ==, "id-3");
	g_assert_cmpuint(again.unfinished->to, ==, 0);
	g_assert_cmpuint(again.unfinished->from, ==, 1);
	g_assert_true(again.unfinished->is_committed);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);

	deploy_state_end(&again);
	g_assert_true(deploy_state_write(directory, &again, &error));
	deploy_state_clear(&state);
	g_assert_true(deploy_state_read(directory, &state, &is_there, &error));
	g_assert_null(state.unfinished);
	deploy_state_clear(&state);
	deploy_state_clear(&again);
	for (int i = 0; i < 2; i++)
		g_assert_true(deploy_forget(fixture->state, "demo", &error));
	g_assert_no_error(error);
	g_autofree char *parent = g_path_get_dirname(directory);
	g_assert_false(file_exists(parent));
}

static void test_foreign_states(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
#define COLOUR "{\"image\":\"a:1\",\"id\":\"1\"}"
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"schema\":2,\"active\":\"blue\",\"blue\":" COLOUR ",\"green\":" COLOUR "}",
		"{\"schema\":1,\"active\":\"red\",\"blue\":" COLOUR ",\"green\":" COLOUR "}",
		"{\"schema\":1,\"active\":\"blue\",\"blue\":" COLOUR "}",
		"{\"schema\":1,\"active\":\"blue\",\"blue\":[],\"green\":" COLOUR "}",
		"{\"schema\":1,\"active\":\"blue\",\"blue\":" COLOUR ",\"green\":" COLOUR
		",\"unfinished\":{}}",
		"{\"schema\":1,\"active\":\"blue\",\"blue\":" COLOUR ",\"green\":" COLOUR
		",\"unfinished\":{\"from\":\"blue\",\"to\":\"blue\"}}",
	};
	g_autofree char *directory = deploy_directory(fixture->state, "demo");
	g_autofree char *path = g_build_filename(directory, "state.json", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		DeployState state = { 0 };
		g_autoptr(GError) error = NULL;
		bool is_there = false;

		put_path(path, rows[i], 0600);
		g_assert_false(deploy_state_read(directory, &state, &is_there, &error));
		g_assert_error(error, FAULT, STATUS_FOREIGN);
		deploy_state_clear(&state);
	}
}

static void test_record(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *directory = deploy_directory(fixture->state, "demo");
	g_autofree char *path = g_build_filename(directory, "audit.log", NULL);
	g_autofree char *report = g_build_filename(directory, "reports", "1.json", NULL);
	g_autofree char *text = NULL;
	g_autoptr(json_t) record = json_pack("{s:s, s:s}", "id", "1", "result", "a\nb");
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < 2; i++)
		g_assert_true(deploy_record(directory, "1", record, &error));
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(path, &text, NULL, &error));
	g_assert_cmpstr(
		text, ==,
		"{\"id\":\"1\",\"result\":\"a\\nb\"}\n{\"id\":\"1\",\"result\":\"a\\nb\"}\n");
	g_autoptr(json_t) again = json_read(report, 4096, &error);
	g_assert_true(json_equal(again, record));
}

static json_t *mutable_inputs(const Fixture *fixture)
{
	g_autofree char *path = at(fixture, "servers.cfg");

	return json_pack("{s:s, s:s, s:s}", "path", path, "from", "servers.cfg", "mutable", "yes");
}

/* A file that "deploy" changes is as it should be, and goes with the stack. */
static void test_mutable_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	put_member(fixture, "servers.cfg", "weight 100\n");
	g_autoptr(Step) step = make_step(fixture, &step_kind_file, mutable_inputs(fixture));
	g_autofree char *before = snapshot(fixture);

	g_assert_cmpint(probe_step(fixture, step, NULL), ==, PROBE_ABSENT);
	g_autoptr(json_t) record = do_step(fixture, step, NULL);
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	put(fixture, "servers.cfg", "weight 0\n");
	g_assert_cmpint(probe_step(fixture, step, record), ==, PROBE_OURS);
	undo_twice(fixture, json_object_get(record, "undo"), NULL);
	g_autofree char *after = snapshot(fixture);
	g_assert_cmpstr(before, ==, after);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deploy/env-lines", test_env_lines);
	g_test_add_func("/deploy/weigh", test_weigh);
	g_test_add_func("/deploy/images", test_images);
	g_test_add_func("/deploy/tunables", test_tunables);
	g_test_add_func("/deploy/defaults", test_defaults);
	add("/deploy/state", test_state);
	add("/deploy/foreign-states", test_foreign_states);
	add("/deploy/record", test_record);
	add("/deploy/mutable-file", test_mutable_file);
	return g_test_run();
}
