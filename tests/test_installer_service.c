/* tests/test_installer_service.c - services: what their managers read, and a process of one's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>

#include "installer/service.h"
#include "installer/service_private.h"
#include "tests/installer_fixture.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static json_t *make_service(const Fixture *fixture, const char *manager, const char *const *argv,
                            const char *const *env)
{
	ServiceRequest request = { .name = "slipway-demo",
		                   .title = "Demo & Co",
		                   .argv = argv,
		                   .env = env,
		                   .state = fixture->state,
		                   .manager = manager };

	return service_new(&request);
}

static void test_quote(void)
{
	static const struct {
		const char *text, *in_command, *in_environment;
	} rows[] = {
		{ "plain", "\"plain\"", "\"plain\"" },
		{ "a b", "\"a b\"", "\"a b\"" },
		{ "50%", "\"50%%\"", "\"50%%\"" },
		{ "$HOME", "\"$$HOME\"", "\"$HOME\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\"" },
		{ "a\nExecStart=/bin/evil", "\"a\\nExecStart=/bin/evil\"",
		  "\"a\\nExecStart=/bin/evil\"" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *command = service_systemd_quote(rows[i].text, "$$");
		g_autofree char *environment = service_systemd_quote(rows[i].text, "$");
		g_assert_cmpstr(command, ==, rows[i].in_command);
		g_assert_cmpstr(environment, ==, rows[i].in_environment);
	}
}

static void test_files(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *manager, *path; /* end of it */
		guint mode;
		const char *lines[4];
	} rows[] = {
		{ "systemd",
		  "/etc/systemd/system/slipway-demo.service",
		  0644,
		  { "\nExecStart= \"/opt/demo\" \"serve\" \"a b\"\n",
		    "\nEnvironment=\"HOST=127.0.0.1:1\"\nEnvironment=\"X=50%% $y\"\n",
		    "\nRestart=always\n", "\nNoNewPrivileges=yes\n" } },
		{ "systemd-user",
		  "/systemd/user/slipway-demo.service",
		  0644,
		  { "\nExecStart= \"/opt/demo\" \"serve\" \"a b\"\n",
		    "\nWantedBy=default.target\n" } },
		{ "openrc",
		  "/etc/init.d/slipway-demo",
		  0755,
		  { "#!/sbin/openrc-run\n", "\nsupervisor=supervise-daemon\n",
		    "\nexport 'HOST=127.0.0.1:1' 'X=50% $y'\n", "\ncommand='/opt/demo'\n" } },
		{ "launchd",
		  "slipway-demo.plist",
		  0644,
		  { "<string>a b</string>", "<key>HOST</key>\n\t\t<string>127.0.0.1:1</string>",
		    "<key>KeepAlive</key>\n\t<true/>" } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(json_t) service =
			make_service(fixture, rows[i].manager, WORDS("/opt/demo", "serve", "a b"),
		                     WORDS("HOST=127.0.0.1:1", "X=50% $y"));
		g_autofree char *text = service_render(service);
		g_assert_true(g_str_has_suffix(json_text(service, "file"), rows[i].path));
		g_assert_cmpuint(service_file_mode(service), ==, rows[i].mode);
		for (gsize j = 0; j < G_N_ELEMENTS(rows[i].lines) && rows[i].lines[j]; j++)
			if (!strstr(text, rows[i].lines[j]))
				g_error("%s: no \"%s\" in\n%s", rows[i].manager, rows[i].lines[j],
				        text);
	}
}

/* The parsers of what would read them, as far as they are here. */
static void test_syntax(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const nasty[] = { "/opt/demo's",   "it's", "<&>\"",
		                             "$(id) `id` $x", "\\",   NULL };
	static const char *const env[] = { "A=it's <&> \"$x\" `id`", NULL };
	static const GMarkupParser parser = { 0 };
	g_autoptr(json_t) openrc = make_service(fixture, "openrc", nasty, env);
	g_autoptr(json_t) launchd = make_service(fixture, "launchd", nasty, env);
	g_autofree char *script = service_render(openrc);
	g_autofree char *plist = service_render(launchd);
	g_autofree char *path = at(fixture, "script");
	g_autoptr(GError) error = NULL;

	put_path(path, script, 0755);
	g_autofree char *out G_GNUC_UNUSED = run_words("/", "sh", WORDS("-n", path));
	/* What the shell makes of it is what we meant. */
	put_path(path, script, 0755);
	g_autofree char *command = g_strdup_printf("depend() { :; }; . %s; eval set -- "
	                                           "\"$command_args\"; printf '%%s|' \"$command\" "
	                                           "\"$@\" \"$A\"",
	                                           path);
	g_autofree char *words = run_words("/", "sh", WORDS("-c", command));
	g_assert_cmpstr(words, ==, "/opt/demo's|it's|<&>\"|$(id) `id` $x|\\|it's <&> \"$x\" `id`|");

	g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, NULL, NULL);
	g_assert_true(g_markup_parse_context_parse(context, plist, -1, &error));
	g_assert_true(g_markup_parse_context_end_parse(context, &error));
	g_assert_no_error(error);
}

static void test_process(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *marker = at(fixture, "marker");
	g_autofree char *script =
		g_strdup_printf("echo said; echo \"$X\" >%s.$$ && mv %s.$$ %s; exec sleep 100",
	                        marker, marker, marker);
	g_autofree char *shell = process_find("sh");
	g_autoptr(json_t) service =
		make_service(fixture, "process", WORDS(shell, "-c", script), WORDS("X=a=b"));
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	g_assert_false(service_is_running(service));
	g_assert_true(service_stop(service, &error));
	for (int i = 0; i < 2; i++) { /* the second time anew */
		g_assert_true(service_start(service, &error));
		g_assert_no_error(error);
		g_assert_true(service_is_running(service));
	}
	for (int i = 0; i < 1000 && !file_exists(marker); i++)
		g_usleep(10000);
	assert_text(fixture, "marker", "a=b\n");
	g_assert_true(g_file_get_contents(json_text(service, "log"), &text, NULL, &error));
	g_assert_true(g_str_has_prefix(text, "said\n"));

	g_assert_true(service_stop(service, &error));
	g_assert_false(service_is_running(service));
	g_assert_true(service_sweep(service, &error));
	g_assert_false(file_exists(json_text(service, "log")));
	g_assert_false(file_exists(json_text(service, "pid")));
	g_assert_no_error(error);
}

/* A number in a file is not believed, nor is one that ended. */
static void test_stale_pid_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *truth = process_find("true");
	g_autoptr(json_t) service = make_service(fixture, "process", WORDS(truth), WORDS("X="));
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());
	g_autoptr(GError) error = NULL;

	put_path(json_text(service, "pid"), own, 0600);
	g_assert_false(service_is_running(service));
	g_assert_true(service_stop(service, &error));
	g_assert_true(service_start(service, &error));
	g_assert_no_error(error);
	for (int i = 0; i < 1000 && service_is_running(service); i++)
		g_usleep(10000);
	g_assert_false(service_is_running(service));
	g_assert_true(service_stop(service, &error));
}

static void test_process_fails(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *absent = at(fixture, "absent");
	g_autofree char *text = at(fixture, "text");
	const char *const programs[] = { absent, text, fixture->home };

	put_path(text, "no program", 0644);
	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autoptr(json_t) service =
			make_service(fixture, "process", WORDS(programs[i]), WORDS("X="));
		g_autoptr(GError) error = NULL;
		g_assert_false(service_start(service, &error));
		g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
		g_assert_false(service_is_running(service));
	}
}

/* A recipe that says more than we ever write is refused before anything happens. */
static void test_hostile_recipe(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const rows[] = {
		"{}",
		"{\"service\":7}",
		"{\"service\":{\"manager\":\"process\",\"name\":\"x\"}}",
		"{\"service\":{\"name\":\"x\",\"log\":\"/etc/passwd\",\"pid\":\"/etc/shadow\","
		"\"argv\":[\"/bin/true\"]}}",
		"{\"service\":{\"name\":\"x\",\"log\":\"/a/services/../x\",\"pid\":\"/a/services/"
		"p\","
		"\"argv\":[\"/bin/true\"]}}",
		"{\"service\":{\"name\":\"x\",\"log\":\"/a/services/l\",\"pid\":\"/a/services/p\","
		"\"argv\":[\"true\"]}}",
		"{\"service\":{\"manager\":\"other\",\"name\":\"x\",\"log\":\"/a/services/l\","
		"\"pid\":\"/a/services/p\",\"argv\":[\"/bin/true\"]}}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(json_t) part = json_loads(rows[i], 0, NULL);
		g_autoptr(json_t) recipe = json_array();
		g_autoptr(GError) error = NULL;
		json_put(part, "do", "service_stop");
		json_array_append(recipe, part);
		g_assert_false(try_undo(fixture, recipe, &error));
		g_assert_nonnull(error);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/service/quote", test_quote);
	add("/service/files", test_files);
	add("/service/syntax", test_syntax);
	add("/service/process", test_process);
	add("/service/stale-pid-file", test_stale_pid_file);
	add("/service/process-fails", test_process_fails);
	add("/service/hostile-recipe", test_hostile_recipe);
	return g_test_run();
}
