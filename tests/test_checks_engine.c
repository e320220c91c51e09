/* tests/test_checks_engine.c - engines, ports and buses that answer, refuse, or say nothing
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tree.h"
#include "checks/facts_endpoint.h"
#include "checks/facts_socket.h"

#define INFO                                                                                    \
	"{\"ServerVersion\":\"27.3.1\",\"OperatingSystem\":\"Debian GNU/Linux 12 (bookworm)\"," \
	"\"OSType\":\"linux\",\"DockerRootDir\":\"/\",\"Driver\":\"overlay2\","                 \
	"\"CgroupVersion\":\"2\",\"MemTotal\":8268021760,\"NCPU\":4,"                           \
	"\"SecurityOptions\":[\"name=seccomp,profile=builtin\",\"name=rootless\"]}"

#define DESKTOP "{\"ServerVersion\":\"27.3.1\",\"OperatingSystem\":\"Docker Desktop\"}"
#define SAID "{\"ApiVersion\":\"1.47\",\"MinAPIVersion\":\"1.24\"}"

/** What a fake engine says; NULL: it takes the connection and stays silent. */
typedef struct {
	const char *info, *version; /* bodies; a number in front of a space is the status */
} Script;

/** A fake engine on a socket of its own, on a thread of its own. */
typedef struct {
	const Script *script;
	char *directory, *path;
	int fd;
	int stop[2];
	GArray *silent; /* (element-type int): connections that get no answer, while others are served */
	GThread *thread;
} Server;

static const char *body_for(const Script *script, const char *request)
{
	if (g_str_has_prefix(request, "GET /info "))
		return script->info;
	return g_str_has_prefix(request, "GET /version ") ? script->version : "404 not found";
}

static void answer(int fd, const char *body)
{
	int status = g_ascii_isdigit(*body) ? (int)g_ascii_strtoull(body, NULL, 10) : 200;
	g_autofree char *text = g_strdup_printf("HTTP/1.1 %d Said\r\nConnection: close\r\n"
	                                        "Content-Length: %zu\r\n\r\n%s",
	                                        status, strlen(body), body);

	g_assert_true(file_write_all(fd, text, strlen(text), NULL));
}

/* Returns: false when the test is over. */
static bool wait_for(const Server *server, int fd)
{
	struct pollfd waits[] = { { fd, POLLIN, 0 }, { server->stop[0], POLLIN, 0 } };

	g_assert_cmpint(poll(waits, 2, -1), >, 0);
	return (waits[1].revents & POLLIN) == 0;
}

/* Returns: false when the test is over. */
static bool serve_one(const Server *server)
{
	char request[4096] = { 0 };
	g_auto(FileFd) client = accept(server->fd, NULL, NULL);
	const char *body;
	bool is_over = !wait_for(server, client);

	if (is_over || recv(client, request, sizeof(request) - 1, 0) <= 0)
		return !is_over; /* whoever only looks whether somebody listens sends nothing */
	body = body_for(server->script, request);
	if (body == NULL) {
		int held = file_fd_take(&client);

		g_array_append_val(server->silent, held);
		return true;
	}
	if (strcmp(body, "hang up") != 0)
		answer(client, body);
	return true;
}

static gpointer serve(gpointer data)
{
	const Server *server = data;

	while (wait_for(server, server->fd))
		if (!serve_one(server))
			break;

	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_assert_cmpuint(g_strlcpy(name.sun_path, path, sizeof(name.sun_path)), <,
	                 sizeof(name.sun_path));
	g_assert_cmpint(bind(fd, (const struct sockaddr *)&name, sizeof(name)), ==, 0);
	g_assert_cmpint(listen(fd, 8), ==, 0);
	return fd;
}

static void server_start(Server *server, const Script *script, const char *name)
{
	server->script = script;
	server->directory = g_dir_make_tmp("engine-XXXXXX", NULL);
	server->path = g_build_filename(server->directory, name, NULL);
	server->fd = listen_at(server->path);
	g_assert_cmpint(pipe(server->stop), ==, 0);
	server->silent = g_array_new(FALSE, FALSE, sizeof(int));
	server->thread = g_thread_new("engine", serve, server);
}

static void server_clear(Server *server)
{
	g_assert_cmpint(write(server->stop[1], "x", 1), ==, 1);
	(void)g_thread_join(server->thread);
	for (guint i = 0; i < server->silent->len; i++)
		(void)close(g_array_index(server->silent, int, i));
	g_array_unref(server->silent);
	(void)close(server->stop[0]);
	(void)close(server->stop[1]);
	(void)close(server->fd);
	g_assert_true(tree_remove(server->directory, NULL));
	g_free(server->directory);
	g_free(server->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Server, server_clear)

static Facts *ask(const char *host, bool is_thorough)
{
	g_auto(GStrv) environment = g_environ_setenv(NULL, "DOCKER_HOST", host, TRUE);
	FactsRequest request = { .is_engine_asked = true,
		                 .is_thorough = is_thorough,
		                 .environment = environment,
		                 .timeout_ms = 300 };

	return facts_read(&request);
}

static Facts *ask_path(const char *path, bool is_thorough)
{
	g_autofree char *url = g_strconcat("unix://", path, NULL);

	return ask(url, is_thorough);
}

typedef struct {
	const char *path;
	Script script;
	EngineState state;
	guint64 memory_bytes;
	const char *version;
	const char *api_minimum; /* of /version, where that is asked */
	bool is_thorough;
} Case;

/* clang-format off */
static const Case cases[] = {
	{ "good", { INFO, NULL }, ENGINE_OK, 8268021760, "27.3.1" },
	{ "version-spared", { INFO, SAID }, ENGINE_OK, 8268021760, "27.3.1" },
	{ "version-asked", { INFO, SAID }, ENGINE_OK, 8268021760, "27.3.1", "1.24", true },
	{ "version-refused", { INFO, "500 oops" }, ENGINE_OK, 8268021760, "27.3.1", NULL, true },
	{ "version-strict", { "{\"ServerVersion\":\"29.0.1\"}", SAID }, ENGINE_OK, FACTS_UNKNOWN, "29.0.1", "1.24" },
	{ "version-desktop", { DESKTOP, SAID }, ENGINE_OK, FACTS_UNKNOWN, "27.3.1", "1.24" },
	{ "no-version", { "{\"NCPU\":2}", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "memory-0", { "{\"MemTotal\":0,\"ServerVersion\":\"1\"}", NULL }, ENGINE_OK, FACTS_UNKNOWN, "1" },
	{ "memory-negative", { "{\"MemTotal\":-1,\"ServerVersion\":\"1\"}", NULL }, ENGINE_OK, FACTS_UNKNOWN, "1" },
	{ "memory-text", { "{\"MemTotal\":\"8 GB\",\"ServerVersion\":\"1\"}", NULL }, ENGINE_OK, FACTS_UNKNOWN, "1" },
	{ "wrong-types", { "{\"ServerVersion\":\"1\",\"Driver\":[],\"SecurityOptions\":[1,null]}", NULL }, ENGINE_OK, FACTS_UNKNOWN, "1" },
	{ "silent", { NULL, NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "hangs-up", { "hang up", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "not-an-engine", { "<html>hello</html>", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "error", { "500 server error", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "paused", { "500 {\"message\":\"Docker Desktop is manually paused\"}", NULL }, ENGINE_PAUSED, FACTS_UNKNOWN, NULL },
	{ "garbage-info", { "{\"MemTotal\":", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "array-info", { "[]", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
	{ "empty-info", { "", NULL }, ENGINE_NO_ANSWER, FACTS_UNKNOWN, NULL },
};
/* clang-format on */

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_auto(Server) server = { 0 };
	g_autoptr(Facts) facts = NULL;

	server_start(&server, &c->script, "docker.sock");
	facts = ask_path(server.path, c->is_thorough);
	g_assert_cmpint(facts->engine.state, ==, c->state);
	g_assert_cmpstr(facts->engine.api_minimum, ==, c->api_minimum);
	g_assert_true((facts->engine.why != NULL) == (c->state != ENGINE_OK));
	g_assert_cmpuint(facts->engine.memory_bytes, ==, c->memory_bytes);
	g_assert_cmpstr(facts->engine.version, ==, c->version);
	g_assert_cmpuint(facts->elapsed_us, <, 1000000);
}

static void test_good_in_full(void)
{
	static const Script script = { INFO, NULL };
	g_auto(Server) server = { 0 };
	g_autoptr(Facts) facts = NULL;

	server_start(&server, &script, "docker.sock");
	facts = ask_path(server.path, false);
	g_assert_cmpuint(facts->engine.cpus, ==, 4);
	g_assert_cmpint(facts->engine.is_rootless, ==, FACT_YES);
	g_assert_cmpstr(facts->engine.storage_driver, ==, "overlay2");
	g_assert_cmpstr(facts->engine.cgroup_version, ==, "2");
	g_assert_cmpstr(facts->engine.endpoint_source, ==, "DOCKER_HOST");
	g_assert_cmpint(facts->engine.is_here, ==, FACT_YES); /* the server is a thread of ours */
	g_assert_cmpuint(facts->engine.root_free_bytes, !=, FACTS_UNKNOWN);
}

static void test_absent(void)
{
	g_autoptr(Facts) facts = ask_path("/nonexistent/docker.sock", false);

	g_assert_cmpint(facts->engine.state, ==, ENGINE_ABSENT);
	g_assert_nonnull(facts->engine.why);
}

/* A socket file whose server has gone. */
static void test_refused(void)
{
	g_autofree char *directory = g_dir_make_tmp("engine-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "docker.sock", NULL);
	g_autoptr(Facts) facts = NULL;

	(void)close(listen_at(path));
	facts = ask_path(path, false);
	g_assert_cmpint(facts->engine.state, ==, ENGINE_REFUSED);
	g_assert_true(tree_remove(directory, NULL));
}

/* Root may open every socket, so this runs as somebody else. */
static void test_denied(void)
{
	g_autofree char *directory = NULL;
	g_autofree char *path = NULL;

	if (g_test_subprocess()) {
		g_autoptr(Facts) facts = NULL;

		if (geteuid() == 0)
			g_assert_cmpint(setuid(65534), ==, 0);
		facts = ask_path(g_getenv("TEST_SOCKET"), false);
		g_assert_cmpint(facts->engine.state, ==, ENGINE_DENIED);
		return;
	}

	directory = g_dir_make_tmp("engine-XXXXXX", NULL);
	path = g_build_filename(directory, "docker.sock", NULL);
	(void)close(listen_at(path));
	g_assert_cmpint(g_chmod(path, 0), ==, 0);
	g_assert_cmpint(g_chmod(directory, 0755), ==, 0);
	g_setenv("TEST_SOCKET", path, TRUE);
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_unsetenv("TEST_SOCKET");
	g_assert_true(tree_remove(directory, NULL));
}

static void test_remote(gconstpointer data)
{
	g_autoptr(Facts) facts = ask(data, false);

	g_assert_cmpint(facts->engine.state, ==, ENGINE_REMOTE);
}

static void put_file(const char *home, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(home, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

typedef struct {
	const char *path;
	const char *host, *context,
		*config; /* DOCKER_HOST, DOCKER_CONTEXT, config.json; NULL: not set */
	const char *url, *source;
} Resolution;

static const Resolution resolutions[] = {
	{ "nothing", NULL, NULL, NULL, "unix:///var/run/docker.sock", "default" },
	{ "host", "tcp://10.0.0.1:2375", NULL, NULL, "tcp://10.0.0.1:2375", "DOCKER_HOST" },
	{ "host-before-context", "unix:///a", "mine", "{\"currentContext\":\"mine\"}", "unix:///a",
	  "DOCKER_HOST" },
	{ "context-variable", NULL, "mine", NULL, "unix:///mine.sock", "context mine" },
	{ "context-variable-first", NULL, "mine", "{\"currentContext\":\"gone\"}",
	  "unix:///mine.sock", "context mine" },
	{ "context-config", NULL, NULL, "{\"currentContext\":\"mine\"}", "unix:///mine.sock",
	  "context mine" },
	{ "context-gone", NULL, NULL, "{\"currentContext\":\"gone\"}", NULL, "context gone" },
	{ "context-default", NULL, "default", "{\"currentContext\":\"mine\"}",
	  "unix:///var/run/docker.sock", "default" },
	{ "config-broken", NULL, NULL, "{", "unix:///var/run/docker.sock", "default" },
	{ "config-wrong-type", NULL, NULL, "{\"currentContext\":7}", "unix:///var/run/docker.sock",
	  "default" },
};

static char **resolution_environment(const Resolution *c)
{
	char **environment = g_environ_setenv(NULL, "HOME", "/home/ana", TRUE);

	if (c->host != NULL)
		environment = g_environ_setenv(environment, "DOCKER_HOST", c->host, TRUE);
	if (c->context != NULL)
		environment = g_environ_setenv(environment, "DOCKER_CONTEXT", c->context, TRUE);
	return environment;
}

static void test_resolution(gconstpointer data)
{
	const Resolution *c = data;
	g_autofree char *root = g_dir_make_tmp("engine-XXXXXX", NULL);
	g_autofree char *home = g_build_filename(root, "home/ana", NULL);
	g_autoptr(GBytes) name = g_bytes_new_static("mine", 4);
	g_autofree char *digest = file_digest_bytes(name);
	g_autofree char *meta =
		g_build_filename(".docker/contexts/meta", digest, "meta.json", NULL);
	g_auto(GStrv) environment = resolution_environment(c);
	FactsSource source = { root, environment, G_MAXINT64, NULL };
	g_autofree char *url = NULL;
	g_auto(DockerConfig) config = { NULL };
	g_auto(Endpoint) endpoint = { NULL };

	put_file(home, meta, "{\"Endpoints\":{\"docker\":{\"Host\":\"unix:///mine.sock\"}}}");
	if (c->config != NULL)
		put_file(home, ".docker/config.json", c->config);
	docker_config_read(&source, &config);
	endpoint_resolve(&source, &config, &endpoint);

	/* The default socket lies in the test's tree. */
	if (g_str_equal(c->source, "default"))
		url = g_strdup_printf("unix://%s/var/run/docker.sock", root);
	g_assert_cmpstr(endpoint.url, ==, url != NULL ? url : c->url);
	g_assert_cmpstr(endpoint.source, ==, c->source);
	g_assert_true(tree_remove(root, NULL));
}

/* Nothing is configured and the default socket is dead, but a rootless engine is there. */
static void test_rootless_is_found(void)
{
	static const Script script = { INFO, NULL };
	g_auto(Server) server = { 0 };
	g_auto(GStrv) environment = NULL;
	FactsSource source = { .deadline_us = G_MAXINT64 };
	g_autofree char *url = NULL;
	g_auto(DockerConfig) config = { NULL };
	g_auto(Endpoint) endpoint = { NULL };

	server_start(&server, &script, "docker.sock");
	environment = g_environ_setenv(NULL, "XDG_RUNTIME_DIR", "/.", TRUE);
	source.root = server.directory;
	source.environment = environment;
	endpoint_resolve(&source, &config, &endpoint);
	url = g_strdup_printf("unix://%s/./docker.sock", server.directory);
	g_assert_cmpstr(endpoint.url, ==, url);
	g_assert_cmpstr(endpoint.source, ==, "found");
}

static int listen_on_port(in_addr_t address, guint16 *number)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	socklen_t size_bytes = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	g_assert_cmpint(bind(fd, (const struct sockaddr *)&name, sizeof(name)), ==, 0);
	g_assert_cmpint(listen(fd, 1), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&name, &size_bytes), ==, 0);
	*number = ntohs(name.sin_port);
	return fd;
}

static void test_port(gconstpointer data)
{
	in_addr_t address = (in_addr_t)GPOINTER_TO_UINT(data);
	guint16 number = 0;
	int fd = listen_on_port(address, &number);
	FactsRequest request = { .ports = &number, .port_count = 1 };
	g_autoptr(Facts) taken = facts_read(&request);
	g_autoptr(Facts) released = NULL;

	(void)close(fd);
	released = facts_read(&request);
	g_assert_cmpint(facts_port(taken, number)->is_free, ==, FACT_NO);
	g_assert_cmpint(facts_port(released, number)->is_free, ==, FACT_YES);
}

static FactsKeyring ask_keyring(const char *address)
{
	g_auto(GStrv) environment =
		g_environ_setenv(NULL, "DBUS_SESSION_BUS_ADDRESS", address, TRUE);
	FactsRequest request = { .is_keyring_asked = true, .environment = environment };
	g_autoptr(Facts) facts = facts_read(&request);

	g_assert_cmpuint(facts->elapsed_us, <, 1000000);
	return facts->keyring;
}

/* A bus that takes connections and never says a word holds nobody up. */
static void test_silent_bus(void)
{
	static const Script script = { NULL, NULL };
	g_auto(Server) server = { 0 };
	g_autofree char *address = NULL;
	FactsKeyring keyring;

	server_start(&server, &script, "bus");
	address = g_strconcat("unix:path=", server.path, NULL);
	keyring = ask_keyring(address);
	g_assert_cmpint(keyring.has_bus, ==, FACT_YES);
	g_assert_cmpint(keyring.has_service, ==, FACT_UNKNOWN);
}

/* Addresses that would run a program are not followed. */
static void test_no_bus(gconstpointer data)
{
	FactsKeyring keyring = ask_keyring(data);

	g_assert_cmpint(keyring.has_bus, ==, FACT_NO);
	g_assert_cmpint(keyring.has_service, ==, FACT_NO);
}

static void test_directories(void)
{
	g_autofree char *root = g_dir_make_tmp("engine-XXXXXX", NULL);
	g_autofree char *deep = g_build_filename(root, "a/b/c", NULL);
	const char *directories[] = { root, deep, NULL };
	FactsRequest request = { .directories = directories };
	g_autoptr(Facts) facts = facts_read(&request);
	const FactsDirectory *directory = facts_directory(facts, deep);

	g_assert_cmpstr(directory->path, ==, deep);
	g_assert_cmpstr(directory->existing, ==, root);
	g_assert_cmpuint(directory->free_bytes, !=, FACTS_UNKNOWN);
	g_assert_cmpint(directory->is_writable, ==, FACT_YES);
	g_assert_cmpuint(directory->device, ==, facts_directory(facts, root)->device);
	g_assert_true(tree_remove(root, NULL));
}

static void add_rows(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/engine/answers/", cases[i].path, NULL);
		g_test_add_data_func(path, &cases[i], test_case);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(resolutions); i++) {
		g_autofree char *path = g_strconcat("/engine/endpoint/", resolutions[i].path, NULL);
		g_test_add_data_func(path, &resolutions[i], test_resolution);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_rows();
	g_test_add_func("/engine/good-in-full", test_good_in_full);
	g_test_add_func("/engine/absent", test_absent);
	g_test_add_func("/engine/refused", test_refused);
	g_test_add_func("/engine/denied", test_denied);
	g_test_add_data_func("/engine/remote/ssh", "ssh://me@there", test_remote);
	g_test_add_data_func("/engine/remote/tcp", "tcp://192.0.2.1:2375", test_remote);
	g_test_add_data_func("/engine/remote/pipe", "npipe:////./pipe/docker_engine", test_remote);
	g_test_add_func("/engine/rootless-is-found", test_rootless_is_found);
	g_test_add_data_func("/port/loopback", GUINT_TO_POINTER(INADDR_LOOPBACK), test_port);
	g_test_add_data_func("/port/all", GUINT_TO_POINTER(INADDR_ANY), test_port);
	g_test_add_func("/keyring/silent-bus", test_silent_bus);
	g_test_add_data_func("/keyring/exec", "unixexec:path=/bin/false", test_no_bus);
	g_test_add_data_func("/keyring/launch", "autolaunch:", test_no_bus);
	g_test_add_data_func("/keyring/absent", "unix:path=/nonexistent/bus", test_no_bus);
	g_test_add_func("/directory", test_directories);
	return g_test_run();
}
