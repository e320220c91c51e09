/* tests/test_installer_lifecycle.c - what engine and compose say, and what that means for a service
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/compose_fault.h"
#include "installer/engine_logs.h"
#include "installer/lifecycle_board.h"
#include "installer/lifecycle_services.h"
#include "installer/lifecycle_stats.h"
#include "installer/lifecycle_trouble.h"
#include "installer/plan_private.h"

/** What compose wrote before it failed, word for word from real runs, and what becomes of it. */
static const struct {
	const char *said;
	ExitStatus status;
	const char *words;
} fault_cases[] = {
	{ " Container a-web-1  Starting\nError response from daemon: driver failed programming "
	  "external "
	  "connectivity on endpoint a-web-1: Error starting userland proxy: listen tcp4 "
	  "127.0.0.1:80: bind: "
	  "address already in use\n",
	  STATUS_FAILED, "another program has the port" },
	{ "Bind for 127.0.0.1:80 failed: port is already allocated", STATUS_FAILED,
	  "another container" },
	{ "container a-store-1 is unhealthy", STATUS_UNVERIFIED, "a service is not healthy" },
	{ "#5 warning: network is unreachable\ncontainer a-store-1 is unhealthy", STATUS_UNVERIFIED,
	  "a service is not healthy" },
	{ "container a-store-1 exited (3)", STATUS_UNVERIFIED, "a service ended" },
	{ "application not healthy after 20s", STATUS_UNVERIFIED, "in time" },
	{ "Error response from daemon: Get \"https://registry.invalid/v2/\": dial tcp: lookup "
	  "registry.invalid on 1.1.1.1:53: no such host",
	  STATUS_UNAVAILABLE, "name is not known" },
	{ "Error response from daemon: No such image: nothing:1", STATUS_UNAVAILABLE,
	  "an image is not there" },
	{ "write /var/lib/docker/tmp/x: no space left on device", STATUS_IO, "disk is full" },
	{ "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
	  STATUS_UNAVAILABLE, "the engine does not answer" },
	{ "permission denied while trying to connect to the Docker daemon socket", STATUS_DENIED,
	  "" },
	{ "required variable PASS is missing a value: x", STATUS_CONFIG, "has no value" },
	{ "could not find an available, non-overlapping IPv4 address pool among the defaults",
	  STATUS_UNAVAILABLE, "no address range" },
	{ "#8 0.7 ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate "
	  "verify failed: unable to get local issuer certificate (_ssl.c:992)",
	  STATUS_UNAVAILABLE, "a build does not trust the certificate" },
	{ "something else", STATUS_UNAVAILABLE, "something else" },
	{ "", STATUS_UNAVAILABLE, "failed:" },
};

static void test_faults(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(fault_cases); i++) {
		g_autoptr(GError) error = NULL;

		compose_fault_set(&error, "up", "a", fault_cases[i].said);
		g_test_message("%s", error->message);
		g_assert_cmpint(fault_status(error), ==, fault_cases[i].status);
		g_assert_nonnull(strstr(error->message, fault_cases[i].words));
	}
}

static void keep(gpointer to, LogEntry *entry)
{
	g_ptr_array_add(to, entry);
}

/* Feeds the bytes in pieces of @piece; returns what came, "stream:time:text" joined by "/". */
static char *read_log(const char *data, gsize size, gsize piece, bool is_terminal)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(log_entry_free);
	g_autoptr(LogReader) reader = log_reader_new(is_terminal, keep, entries);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (gsize at = 0; at < size; at += piece) {
		g_assert_true(log_reader_feed(reader, data + at, MIN(piece, size - at), &error));
		g_assert_no_error(error);
	}
	log_reader_end(reader);
	for (guint i = 0; i < entries->len; i++) {
		const LogEntry *entry = entries->pdata[i];
		g_string_append_printf(out, "%s%d:%s:%s", i > 0 ? "/" : "", entry->is_error,
		                       entry->time, entry->text);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

#define T "2026-01-31T12:00:00.123456789Z"

/* Frames come in any pieces. */
static void test_frames(void)
{
	static const char data[] = "\1\0\0\0\0\0\0\x23" T " one\n"
				   "\2\0\0\0\0\0\0\x23" T " two\n"
				   "\1\0\0\0\0\0\0\x00"
				   "\1\0\0\0\0\0\0\x21" T " th"
				   "\1\0\0\0\0\0\0\x04"
				   "ree\n";

	for (gsize piece = 1; piece <= sizeof(data); piece++) {
		g_autofree char *all = read_log(data, sizeof(data) - 1, piece, false);
		g_assert_cmpstr(all, ==, "0:" T ":one/1:" T ":two/0:" T ":three");
	}
}

static void test_terminal_bytes(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ T " plain\r\n", "0:" T ":plain" },
		{ T " \033[1;31mred\033[0m\n", "0:" T ":red" },
		{ T " a\033]0;title\007b\n", "0:" T ":a0;titleb" },
		{ T " \302\233"
		    "31mc1\n",
		  "0:" T ":31mc1" },
		{ T " back\b\b\bspace\n", "0:" T ":backspace" },
		{ T " tab\there\n", "0:" T ":tab\there" },
		{ T " \033[\n" T " next\n", "0:" T ":/0:" T ":next" },
		{ "no time\n", "0::no time" },
		{ T " no end", "0:" T ":no end" },
		{ T " \377\n", "0:" T ":\357\277\275" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *all = read_log(cases[i].in, strlen(cases[i].in), 1, true);
		g_assert_cmpstr(all, ==, cases[i].out);
	}
}

static void test_no_frames(void)
{
	static const char *const bad[] = { "\3\0\0\0\0\0\0\1x", "\1x\0\0\0\0\0\1x", "HTTP/1.1" };

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(log_entry_free);
		g_autoptr(LogReader) reader = log_reader_new(false, keep, entries);
		g_autoptr(GError) error = NULL;

		g_assert_false(log_reader_feed(reader, bad[i], 8, &error));
		g_assert_error(error, FAULT, STATUS_DATA);
	}
}

/* A line has its bound; what is behind it is still read. */
static void test_long_line(void)
{
	gsize size = LOG_LINE_MAX_BYTES * 2;
	g_autofree char *text = g_strnfill(size + 1, 'x');

	text[size] = '\n';
	g_autofree char *all = read_log(text, size + 1, 4096, true);
	g_assert_cmpuint(strlen(all), ==, LOG_LINE_MAX_BYTES + strlen("0::"));
}

static void test_board_lines(void)
{
	static const struct {
		const char *line, *service, *word;
	} cases[] = {
		{ " Container life-web-1  Started", "web", "Started" },
		{ " Container life-a-b-12  Healthy", "a-b", "Healthy" },
		{ " Container life_web_1  Waiting", "web", "Waiting" },
		{ " Container other-web-1  Started", NULL, NULL },
		{ " Container lifeweb-1  Started", NULL, NULL },
		{ " Container life-web-1", NULL, NULL },
		{ " Container life-1  Started", NULL, NULL },
		{ " Network life_default  Created", NULL, NULL },
		{ "", NULL, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *word = NULL;
		g_autofree char *service = board_read_line("life", cases[i].line, &word);

		g_assert_cmpstr(service, ==, cases[i].service);
		if (service)
			g_assert_cmpstr(word, ==, cases[i].word);
	}
}

static const char definition[] =
	"[stack]\nschema = 1\nname = life\ntitle = Life\nversion = 1\n"
	"summary = s\nprefix = ~/x\n"
	"[service web]\nrole = r\nhealth = http://127.0.0.1:${WEB_PORT}/h\n"
	"[service store]\nrole = k\nplaceholder = yes\n"
	"[port web]\nnumber = 8010\nvariable = WEB_PORT\nservice = web\n";

/** A stack with one project, of which the receipt knows three services. */
typedef struct {
	Lifecycle life;
	LifeProject project;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) text = g_bytes_new_static(definition, strlen(definition));
	g_autoptr(json_t) inputs =
		json_pack("{s:s, s:s, s:[s], s:s}", "project", "life", "directory", "/srv/life",
	                  "files", "c.yaml", "engine", "unix:///x");

	fixture->life.stack = stack_parse(text, "life/stack.ini", &error);
	g_assert_no_error(error);
	fixture->project.compose = compose_project_new(inputs, &error);
	g_assert_no_error(error);
	fixture->project.result = json_pack("{s:{s:s, s:s, s:s}}", "services", "web", "h1", "store",
	                                    "h2", "gone", "h3");
	fixture->project.ports = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(fixture->project.ports, (gpointer)(guintptr) "WEB_PORT",
	                    (gpointer)(guintptr) "8123");
}

static void tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	stack_free(fixture->life.stack);
	compose_project_free(fixture->project.compose);
	json_decref(fixture->project.result);
	g_hash_table_unref(fixture->project.ports);
}

static json_t *container(const char *service, const char *state, const char *status)
{
	return json_pack("{s:s, s:[s], s:s, s:s, s:s, s:[{s:s, s:i, s:i}, {s:s, s:i, s:i}, {s:i}], "
	                 "s:{s:s, s:s, s:s, s:s}}",
	                 "Id", service, "Names", "/life-x-1", "Image", "i:1", "State", state,
	                 "Status", status, "Ports", "IP", "127.0.0.1", "PublicPort", 8123,
	                 "PrivatePort", 80, "IP", "::1", "PublicPort", 8123, "PrivatePort", 80,
	                 "PrivatePort", 99, "Labels", "com.docker.compose.service", service,
	                 "com.docker.compose.config-hash", "h1",
	                 "com.docker.compose.project.working_dir", "/srv/life",
	                 "com.docker.compose.project.config_files", "/srv/life/c.yaml");
}

static void test_states(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *state, *status;
		ServiceState expected;
		bool is_well;
	} cases[] = {
		{ "running", "Up 3 minutes", SERVICE_RUNNING, true },
		{ "running", "Up 3 minutes (healthy)", SERVICE_HEALTHY, true },
		{ "running", "Up 3 seconds (health: starting)", SERVICE_STARTING, false },
		{ "running", "Up 1 hour (unhealthy)", SERVICE_UNHEALTHY, false },
		{ "restarting", "Restarting (1) 2 seconds ago", SERVICE_RESTARTING, false },
		{ "paused", "Up 3 minutes (Paused)", SERVICE_PAUSED, false },
		{ "created", "Created", SERVICE_CREATED, false },
		{ "exited", "Exited (0) 2 minutes ago", SERVICE_STOPPED, false },
		{ "exited", "Exited (137) 2 minutes ago", SERVICE_FAILED, false },
		{ "dead", "Dead", SERVICE_FAILED, false },
		{ "", "", SERVICE_FAILED, false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_t) list = json_array();
		json_array_append_new(list, container("web", cases[i].state, cases[i].status));
		g_autoptr(GPtrArray) services =
			services_parse(&fixture->life, &fixture->project, list);
		const LifeService *web = services_find(services, "web");

		g_assert_cmpint(web->state, ==, cases[i].expected);
		g_assert_cmpint(service_is_well(web), ==, cases[i].is_well);
		if (cases[i].expected == SERVICE_FAILED &&
		    g_str_has_prefix(cases[i].status, "Exited"))
			g_assert_cmpint(web->exit_code, ==, 137);
	}
}

/* In the definition's order; what was started and is gone is absent; a port once. */
static void test_services(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(json_t) list = json_array();
	json_t *oneoff = container("web", "exited", "Exited (1) now");
	g_autoptr(GError) error = NULL;

	json_object_set_new(json_object_get(oneoff, "Labels"), "com.docker.compose.oneoff",
	                    json_string("True"));
	json_array_append_new(list, oneoff);
	json_array_append_new(list, container("zeta", "running", "Up"));
	json_array_append_new(list, container("store", "running", "Up (healthy)"));
	json_array_append_new(list, container("web", "running", "Up (healthy)"));

	g_autoptr(GPtrArray) services = services_parse(&fixture->life, &fixture->project, list);
	static const char *const expected[] = { "web", "store", "gone", "zeta" };
	g_assert_cmpuint(services->len, ==, G_N_ELEMENTS(expected));
	for (guint i = 0; i < services->len; i++)
		g_assert_cmpstr(((const LifeService *)services->pdata[i])->name, ==, expected[i]);

	const LifeService *web = services->pdata[0];
	const LifeService *gone = services->pdata[2];
	g_assert_cmpuint(g_strv_length(web->ports), ==, 1);
	g_assert_cmpstr(web->ports[0], ==, "127.0.0.1:8123->80");
	g_assert_true(web->is_ours && web->numbers[0] == 8123 && web->numbers[1] == 0);
	g_assert_cmpint(gone->state, ==, SERVICE_ABSENT);
	g_assert_cmpuint(services_count_ill(services), ==, 1);
	g_assert_cmpuint(services_count_there(services), ==, 3);
	g_assert_null(services_need(services, "gone", &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_clear_error(&error);
	g_assert_null(services_need(services, "none", &error));
	g_assert_error(error, FAULT, STATUS_USAGE);
}

static void test_expand(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "http://127.0.0.1:${WEB_PORT}/h", "http://127.0.0.1:8123/h" },
		{ "plain", "plain" },
		{ "${WEB_PORT}${WEB_PORT}", "81238123" },
		{ "${NONE}", NULL },
		{ "${WEB_PORT", NULL },
		{ "$WEB_PORT", "$WEB_PORT" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *out = lifecycle_expand(&fixture->project, cases[i].in);
		g_assert_cmpstr(out, ==, cases[i].out);
	}
}

static void test_causes(void)
{
	static const struct {
		int exit_code;
		bool is_out_of_memory;
		const char *line, *cause;
	} cases[] = {
		{ 137, true, "", "more memory than its limit" },
		{ 137, false, "", "killed" },
		{ 127, false, "", "not in the image" },
		{ 1, false, "open /data/x: Permission denied", "container's user" },
		{ 1, false, "FATAL: password authentication failed for user", "another password" },
		{ 1, false, "who knows", NULL },
		{ 0, false, "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) log = g_ptr_array_new();
		g_ptr_array_add(log, (gpointer)(guintptr)cases[i].line);
		const char *cause =
			trouble_cause(cases[i].exit_code, cases[i].is_out_of_memory, log);

		g_assert_cmpint(!cause, ==, !cases[i].cause);
		if (cause)
			g_assert_nonnull(strstr(cause, cases[i].cause));
	}
}

static LifeStats parse_stats(const char *text)
{
	g_autoptr(json_t) answer = json_loads(text, 0, NULL);

	return stats_parse(answer);
}

static void test_stats(void)
{
	LifeStats v2 = parse_stats(
		"{\"memory_stats\":{\"usage\":3000,\"limit\":9000,\"stats\":{\"inactive_file\":"
		"1000}},"
		"\"pids_stats\":{\"current\":4},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":300},"
		"\"system_cpu_usage\":2000,\"online_cpus\":2},\"precpu_stats\":{\"cpu_usage\":"
		"{\"total_usage\":200},\"system_cpu_usage\":1000}}");
	LifeStats v1 = parse_stats("{\"memory_stats\":{\"usage\":3000,\"stats\":"
	                           "{\"total_inactive_file\":500,\"inactive_file\":9}}}");
	LifeStats none = parse_stats("{}");

	g_assert_true(v2.is_known && v2.memory_bytes == 2000 && v2.limit_bytes == 9000);
	g_assert_true(v2.processes == 4);
	g_assert_cmpfloat_with_epsilon(v2.cpu_percent, 20.0, 0.001);
	g_assert_true(v1.memory_bytes == 2500 && v1.cpu_percent == 0);
	g_assert_false(none.is_known);
}

static void test_tests(void)
{
	static const struct {
		const char *section;
		const char *json; /* NULL: CONFIG */
	} cases[] = {
		{ "run = /bin/true \"a b\"", "{\"argv\":[\"/bin/true\",\"a "
		                             "b\"],\"name\":\"t\",\"needs\":[],\"timeout_s\":60}" },
		{ "service = web\nrun = sh -c 'x'\nexpect = y\ntimeout = 5",
		  "{\"argv\":[\"sh\",\"-c\",\"x\"],\"expect\":\"y\",\"name\":\"t\",\"needs\":[],"
		  "\"service\":"
		  "\"web\",\"timeout_s\":5}" },
		{ "url = http://127.0.0.1:${WEB_PORT}/@name@\nneeds = a b",
		  "{\"name\":\"t\",\"needs\":[\"a\",\"b\"],\"timeout_s\":60,\"url\":"
		  "\"http://127.0.0.1:${WEB_PORT}/life\"}" },
		{ "run = true", NULL },
		{ "run = /bin/true 'open", NULL },
		{ "run = /bin/true\nurl = http://x/", NULL },
		{ "title = nothing", NULL },
		{ "run = /bin/true\ntimeout = 0", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			g_strconcat(definition, "[test t]\n", cases[i].section, "\n", NULL);
		g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
		g_autoptr(GError) error = NULL;
		g_autoptr(Stack) stack = stack_parse(bytes, "life/stack.ini", &error);
		g_autoptr(json_t) vars = json_pack("{s:s}", "name", "life");
		g_assert_no_error(error);
		g_autoptr(json_t) tests = plan_tests(stack, "", vars, &error);
		g_autofree char *json = tests ? json_canonical(json_array_get(tests, 0)) : NULL;

		g_assert_cmpstr(json, ==, cases[i].json);
		if (!cases[i].json)
			g_assert_error(error, FAULT, STATUS_CONFIG);
	}
}

static void add(const char *path, void (*test)(Fixture *fixture, gconstpointer data))
{
	g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/compose/faults", test_faults);
	g_test_add_func("/logs/frames", test_frames);
	g_test_add_func("/logs/terminal", test_terminal_bytes);
	g_test_add_func("/logs/no-frames", test_no_frames);
	g_test_add_func("/logs/long-line", test_long_line);
	g_test_add_func("/board/lines", test_board_lines);
	add("/services/states", test_states);
	add("/services/list", test_services);
	add("/services/expand", test_expand);
	g_test_add_func("/trouble/causes", test_causes);
	g_test_add_func("/stats/parse", test_stats);
	g_test_add_func("/tests/read", test_tests);
	return g_test_run();
}
