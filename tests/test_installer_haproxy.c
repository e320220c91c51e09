/* tests/test_installer_haproxy.c - HAProxy's Runtime API: a real HAProxy, and what is none
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/process.h"
#include "base/tree.h"
#include "installer/haproxy.h"

#define WAIT_S 10

/* Returns: a socket that listens on a free port of loopback. */
static int listen_somewhere(guint16 *port)
{
	struct sockaddr_in place = { .sin_family = AF_INET,
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(place);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&place, sizeof(place)), ==, 0);
	g_assert_cmpint(listen(fd, 8), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&place, &size), ==, 0);
	*port = ntohs(place.sin_port);
	return fd;
}

static guint16 free_port(void)
{
	guint16 port = 0;

	close(listen_somewhere(&port));
	return port;
}

/** What answers once in the place of a proxy. */
typedef struct {
	int fd;
	const char *text;
	gsize size_bytes, times;
	bool is_silent; /* it answers nothing, and stays */
} Fake;

static gpointer answer(gpointer data)
{
	const Fake *fake = data;
	int client = accept(fake->fd, NULL, NULL);
	char line[256];

	if (recv(client, line, sizeof(line), 0) > 0)
		for (gsize i = 0; i < fake->times; i++)
			if (send(client, fake->text, fake->size_bytes, MSG_NOSIGNAL) < 0)
				break;
	while (fake->is_silent && recv(client, line, sizeof(line), 0) > 0)
		;
	close(client);
	return NULL;
}

static void test_hostile(void)
{
	static char large[64 * 1024];
	static const struct {
		const char *text;
		gsize size_bytes, times;
		bool is_silent;
		ExitStatus status;
	} rows[] = {
		{ "", 0, 0, false, STATUS_UNAVAILABLE },
		{ "a\0b", 3, 1, false, STATUS_DATA },
		{ large, sizeof(large), 64, false, STATUS_DATA },
		{ "", 0, 0, true, STATUS_DEADLINE },
		{ "\n", 1, 1, false, STATUS_OK },
	};

	memset(large, 'x', sizeof(large));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint16 port = 0;
		Fake fake = { listen_somewhere(&port), rows[i].text, rows[i].size_bytes,
			      rows[i].times, rows[i].is_silent };
		GThread *thread = g_thread_new("fake", answer, &fake);
		g_autoptr(GError) error = NULL;
		g_autofree char *said = haproxy_ask(port, "show stat", &error);

		g_assert_cmpint(said ? STATUS_OK : fault_status(error), ==, rows[i].status);
		g_thread_join(thread);
		close(fake.fd);
	}
}

static void test_absent(void)
{
	const Haproxy proxy = { free_port(), "app" };
	g_autoptr(GError) error = NULL;

	g_assert_false(haproxy_set_weight(&proxy, "blue", 10, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "the proxy does not answer at 127.0.0.1"));
}

#define STAT                                                                   \
	"# pxname,svname,scur,stot,econ,eresp,status,check_status,hrsp_5xx,\n" \
	"api,FRONTEND,1,2,,,OPEN,,0,\n"                                        \
	"app,blue,3,40,5,6,UP,* L7OK,7,\n"                                     \
	"app,green,0,0,0,0,UP,,0,\n"                                           \
	"app,old,0,0,0,0,DOWN,L4CON,0,\n"
#define STATE                                                       \
	"1\n# be_id be_name srv_id srv_name srv_addr srv_uweight\n" \
	"3 app 1 blue 172.18.0.5 90\n3 app 2 green - 10\n3 app 3 old 172.18.0.7 0\n"

static void test_parse(void)
{
	static const struct {
		const char *stat, *state, *server;
		ExitStatus status;
		bool is_up;
	} rows[] = {
		{ STAT, STATE, "blue", STATUS_OK, true },
		{ STAT, STATE, "green", STATUS_OK, false }, /* found, and not checked yet */
		{ STAT, STATE, "old", STATUS_OK, false },
		{ STAT, STATE, "FRONTEND", STATUS_CONFIG, false },
		{ STAT, STATE, "", STATUS_CONFIG, false },
		{ STAT, "1\n", "blue", STATUS_DATA, false },
		{ "HTTP/1.1 400 Bad Request\r\n\r\n", STATE, "blue", STATUS_DATA, false },
		{ "", "", "blue", STATUS_DATA, false },
		{ "# pxname,svname\napp,blue\n", STATE, "blue", STATUS_DATA, false },
		{ "# pxname,svname,status\n,,,,,,\napp\napp,blue\n", STATE, "blue", STATUS_DATA,
		  false },
	};
	const Haproxy proxy = { 1, "app" };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(HaproxyServer) server = { 0 };
		g_autoptr(GError) error = NULL;
		bool is_read = haproxy_parse(rows[i].stat, rows[i].state, &proxy, rows[i].server,
		                             &server, &error);

		g_assert_cmpint(is_read ? STATUS_OK : fault_status(error), ==, rows[i].status);
		g_assert_cmpint(server.is_up, ==, rows[i].is_up);
		if (i > 0)
			continue;
		g_assert_cmpuint(server.sessions, ==, 3);
		g_assert_cmpuint(server.responses, ==, 40);
		g_assert_cmpuint(server.errors, ==, 18);
		g_assert_cmpuint(server.weight, ==, 90);
		g_assert_cmpstr(server.address, ==, "172.18.0.5");
	}
}

/** A real one; its server blue is a page of its own, green is nothing. */
typedef struct {
	Haproxy proxy;
	char *directory;
	GSubprocess *process;
} Real;

static void start_real(Real *real, gconstpointer data G_GNUC_UNUSED)
{
	guint16 page = free_port();
	g_autoptr(GError) error = NULL;
	g_autofree char *program = process_find("haproxy");

	real->proxy = (Haproxy){ free_port(), "app" };
	real->directory = g_dir_make_tmp("slipway-XXXXXX", &error);
	g_assert_no_error(error);
	g_autofree char *path = g_build_filename(real->directory, "haproxy.cfg", NULL);
	g_autofree char *text = g_strdup_printf(
		"global\n  stats socket ipv4@127.0.0.1:%u level admin\n"
		"defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n"
		"  timeout server 1s\n"
		"frontend page\n  bind 127.0.0.1:%u\n  monitor-uri /ready\n"
		"backend app\n  balance roundrobin\n  option httpchk GET /ready\n"
		"  server blue 127.0.0.1:%u check inter 100ms rise 1 weight 100\n"
		"  server green 127.0.0.1:1 check inter 100ms rise 1 fall 1 weight 0\n",
		real->proxy.port, page, page);

	g_assert_true(g_file_set_contents(path, text, -1, &error));
	g_assert_nonnull(program);
	real->process = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
	                                         G_SUBPROCESS_FLAGS_STDERR_SILENCE,
	                                 &error, program, "-f", path, NULL);
	g_assert_no_error(error);
}

static void stop_real(Real *real, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_subprocess_send_signal(real->process, SIGKILL);
	g_assert_true(g_subprocess_wait(real->process, NULL, &error));
	g_object_unref(real->process);
	g_assert_true(tree_remove(real->directory, &error));
	g_free(real->directory);
}

/* Both servers were checked. */
static void wait_until_known(const Real *real)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)WAIT_S * G_USEC_PER_SEC;
	bool is_known = false;

	while (!is_known && g_get_monotonic_time() < deadline_us) {
		g_auto(HaproxyServer) blue = { 0 };
		g_auto(HaproxyServer) green = { 0 };

		is_known = haproxy_look(&real->proxy, "blue", &blue, NULL) && blue.is_up &&
		           haproxy_look(&real->proxy, "green", &green, NULL) &&
		           g_str_has_prefix(green.status, "DOWN");
		g_usleep(20000);
	}
	g_assert_true(is_known);
}

static void test_real(Real *real, gconstpointer data G_GNUC_UNUSED)
{
	g_auto(HaproxyServer) blue = { 0 };
	g_auto(HaproxyServer) green = { 0 };
	g_autoptr(GError) error = NULL;

	wait_until_known(real);
	g_assert_true(haproxy_set_weight(&real->proxy, "blue", 90, &error));
	g_assert_true(haproxy_set_weight(&real->proxy, "green", 1000, &error));
	g_assert_true(haproxy_set_ready(&real->proxy, "green", &error));
	g_assert_no_error(error);
	g_assert_true(haproxy_look(&real->proxy, "blue", &blue, &error));
	g_assert_true(haproxy_look(&real->proxy, "green", &green, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(blue.weight, ==, 90);
	g_assert_cmpstr(blue.status, ==, "UP");
	g_assert_cmpstr(blue.address, ==, "127.0.0.1");
	g_assert_cmpuint(green.weight, ==, 256);
	g_assert_false(green.is_up);
	g_assert_true(g_str_has_prefix(green.status, "DOWN"));

	g_assert_true(haproxy_check_anew(&real->proxy, "blue", &error));
	g_assert_true(haproxy_check_anew(&real->proxy, "blue", &error));
	g_assert_no_error(error);
	wait_until_known(real);

	g_assert_false(haproxy_set_weight(&real->proxy, "red", 1, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_nonnull(strstr(error->message, "No such server"));
	g_clear_error(&error);
	g_assert_false(haproxy_look(&real->proxy, "red", &blue, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/haproxy/hostile", test_hostile);
	g_test_add_func("/haproxy/absent", test_absent);
	g_test_add_func("/haproxy/parse", test_parse);
	g_test_add("/haproxy/real", Real, NULL, start_real, test_real, stop_real);
	return g_test_run();
}
