/* tests/test_installer_compose.c - what the engine says of a project's containers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "installer/compose.h"

static const struct {
	const char *text;
	const char *trouble; /* part of it; NULL: all is well */
} services[] = {
	{ "{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"healthy\",\"ExitCode\":0}\n"
	  "{\"Service\":\"b\",\"State\":\"running\",\"Health\":\"\",\"ExitCode\":0}\n",
	  NULL },
	{ "[{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"\"}]", NULL },
	{ "{\"Service\":\"once\",\"State\":\"exited\",\"ExitCode\":0}\n", NULL },
	{ "{\"Service\":\"a\",\"State\":\"exited\",\"ExitCode\":3}\n",
	  "service a ended with status 3" },
	{ "{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"unhealthy\"}\n",
	  "a is unhealthy" },
	{ "{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"starting\"}\n", "a is starting" },
	{ "{\"Service\":\"a\",\"State\":\"created\"}\n", "a is created" },
	{ "[{\"Service\":\"a\",\"State\":\"running\"},{\"Service\":\"b\",\"State\":\"dead\"}]",
	  "b is dead" },
	{ "", "no container" },
	{ "[]", "no container" },
	{ "not json", "no JSON" },
};

static void test_services(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
		g_autofree char *trouble = compose_find_trouble(services[i].text);

		g_test_message("%s", services[i].text);
		g_assert_true((trouble != NULL) == (services[i].trouble != NULL));
		if (trouble)
			g_assert_nonnull(strstr(trouble, services[i].trouble));
	}
}

static void test_containers(void)
{
	const char text[] =
		"[{\"State\":\"running\",\"Status\":\"Up 3 minutes (healthy)\",\"Labels\":{"
		"\"com.docker.compose.service\":\"a\",\"com.docker.compose.config-hash\":\"h1\","
		"\"com.docker.compose.project.working_dir\":\"/srv/p\","
		"\"com.docker.compose.project.config_files\":\"/srv/p/c.yml,/srv/x.yml\"}},"
		"{\"State\":\"running\",\"Status\":\"Up 1 second (health: starting)\",\"Labels\":{"
		"\"com.docker.compose.service\":\"b\","
		"\"com.docker.compose.project.working_dir\":\"/other\"}},"
		"{\"State\":\"running\",\"Status\":\"Up\",\"Labels\":{"
		"\"com.docker.compose.oneoff\":\"True\"}}]";
	g_autoptr(json_t) inputs =
		json_pack("{s:s, s:s, s:[s,s], s:s}", "project", "p", "directory", "/srv/p",
	                  "files", "c.yml", "/srv/x.yml", "wait_s", "7");
	g_autoptr(GError) error = NULL;
	g_autoptr(ComposeProject) project = compose_project_new(inputs, &error);
	g_autoptr(GBytes) answer = g_bytes_new_static(text, strlen(text));
	g_autoptr(GBytes) bad = g_bytes_new_static("{\"message\":\"x\"}", 15);
	g_auto(ComposeState) state = { 0 };
	g_auto(ComposeState) none = { 0 };

	g_assert_no_error(error);
	g_assert_cmpuint(project->wait_s, ==, 7);
	g_assert_cmpstr(project->files[0], ==, "/srv/p/c.yml");
	g_assert_true(compose_parse_containers(project, answer, &state, &error));
	g_assert_cmpuint(state.containers, ==, 2);
	g_assert_cmpuint(state.settled, ==, 1);
	g_assert_cmpuint(state.foreign, ==, 1);
	g_assert_cmpstr(json_text(state.hashes, "a"), ==, "h1");
	g_assert_false(compose_parse_containers(project, bad, &none, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

/* Whose containers they are, by the files that they were made from. */
static void test_ours(void)
{
	static const struct {
		const char *directory, *files;
		bool is_ours;
	} rows[] = {
		{ "/srv/p", "/srv/p/c.yml,/srv/p/keys.json", true },
		{ "/srv/p", "/srv/p/c.yml", true },
		{ "/srv/p", "/srv/p/c.yml,/srv/p/monitoring.yml", true },
		{ "/srv/p", "/srv/p/c.yml,/srv/p/mine.yml", false },
		{ "/srv/p", "", false },
		{ "/srv/p", NULL, false },
		{ "/srv/q", "/srv/p/c.yml", false },
		{ NULL, "/srv/p/c.yml", false },
	};
	g_autoptr(json_t) inputs =
		json_pack("{s:s, s:s, s:[s,s], s:[s]}", "project", "p", "directory", "/srv/p",
	                  "files", "c.yml", "keys.json", "earlier", "/srv/p/monitoring.yml");
	g_autoptr(ComposeProject) project = compose_project_new(inputs, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(json_t) labels = json_object();

		json_put(labels, "com.docker.compose.project.working_dir", rows[i].directory);
		json_put(labels, "com.docker.compose.project.config_files", rows[i].files);
		g_assert_true(compose_is_ours(project, labels) == rows[i].is_ours);
	}
}

static void test_project_is_checked(void)
{
	g_autoptr(json_t) relative = json_pack("{s:s, s:s, s:[s]}", "project", "p", "directory",
	                                       "srv", "files", "c.yml");
	g_autoptr(json_t) empty =
		json_pack("{s:s, s:s, s:[]}", "project", "p", "directory", "/srv", "files");
	g_autoptr(GError) error = NULL;

	g_assert_null(compose_project_new(relative, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_clear_error(&error);
	g_assert_null(compose_project_new(empty, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

static void set_variable(const char *name, const char *value)
{
	if (value)
		g_setenv(name, value, true);
	else
		g_unsetenv(name);
}

static void test_ca_bundle(void)
{
	g_autofree char *relative = g_canonicalize_filename("ca.pem", NULL);
	const struct {
		const char *curl;
		const char *ssl;
		const char *bundle;
	} rows[] = {
		{ NULL, NULL, NULL },
		{ "", "", NULL },
		{ NULL, "/etc/ca.pem", "/etc/ca.pem" },
		{ "", "/etc/ca.pem", "/etc/ca.pem" },
		{ "/srv/ca.pem", "/etc/ca.pem", "/srv/ca.pem" },
		{ "ca.pem", NULL, relative },
	};
	g_autoptr(json_t) inputs = json_pack("{s:s, s:s, s:[s]}", "project", "p", "directory",
	                                     "/srv/p", "files", "c.yml");

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		set_variable("CURL_CA_BUNDLE", rows[i].curl);
		set_variable("SSL_CERT_FILE", rows[i].ssl);
		g_autoptr(ComposeProject) project = compose_project_new(inputs, NULL);
		g_assert_nonnull(project);
		g_assert_cmpstr(project->ca_bundle, ==, rows[i].bundle);
	}
	set_variable("CURL_CA_BUNDLE", NULL);
	set_variable("SSL_CERT_FILE", NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/compose/services", test_services);
	g_test_add_func("/compose/containers", test_containers);
	g_test_add_func("/compose/ours", test_ours);
	g_test_add_func("/compose/project-is-checked", test_project_is_checked);
	g_test_add_func("/compose/ca-bundle", test_ca_bundle);
	return g_test_run();
}
