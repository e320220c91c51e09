/* tests/test_base_http.c - base/http against a local server that behaves, and one that does not
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"

/* What the server does with a path. */
typedef enum {
	SAY,     /* writes the answer and closes */
	STALL,   /* writes the answer, then nothing, until it is told to stop */
	ENDLESS, /* writes the answer, then bytes without end */
} Behaviour;

static const struct {
	const char *path;
	Behaviour behaviour;
	const char *answer;
} route_table[] = {
	{ "/ok", SAY, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
	{ "/empty", SAY, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
	{ "/no-length", SAY, "HTTP/1.1 200 OK\r\n\r\nhello" },
	{ "/large", SAY, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nhello" },
	{ "/404", SAY, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n" },
	{ "/500", SAY, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n" },
	{ "/truncated", SAY, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello" },
	{ "/silent", SAY, "" },
	{ "/not-http", SAY, "SSH-2.0-OpenSSH\r\n" },
	{ "/stalled", STALL, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello" },
	{ "/stalled-head", STALL, "HTTP/1.1 200 OK\r\n" },
	{ "/mute", STALL, "" },
	{ "/endless", ENDLESS, "HTTP/1.1 200 OK\r\n\r\n" },
	{ "/endless-404", ENDLESS, "HTTP/1.1 404 Not Found\r\n\r\n" },
	{ "/to-ok", SAY, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 2\r\n\r\nxx" },
	{ "/to-loop", SAY, "HTTP/1.1 302 Found\r\nLocation: /to-loop\r\n\r\n" },
	{ "/to-file", SAY, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n" },
	{ "/to-ftp", SAY, "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n" },
	{ "/to-http", SAY, "HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.1/x\r\n\r\n" },
	{ "/no-location", SAY, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n" },
};

/* Listens on loopback and on a unix socket; a thread for each connection. */
static struct {
	int tcp_fd;
	int unix_fd;
	guint16 port;
	gint is_stopped;
	GThread *threads[2];
} server;

static char *directory;

static bool send_all(int fd, const char *text, gsize size_bytes)
{
	while (size_bytes > 0) {
		ssize_t sent = send(fd, text, size_bytes, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		text += sent;
		size_bytes -= (gsize)sent;
	}
	return true;
}

static void answer(int fd, const char *path)
{
	g_autofree char *block = g_strnfill(65536, 'x');

	for (gsize i = 0; i < G_N_ELEMENTS(route_table); i++) {
		if (!g_str_equal(path, route_table[i].path))
			continue;
		(void)send_all(fd, route_table[i].answer, strlen(route_table[i].answer));
		if (route_table[i].behaviour == ENDLESS)
			while (send_all(fd, block, 65536))
				continue;
		while (route_table[i].behaviour == STALL && !g_atomic_int_get(&server.is_stopped))
			g_usleep(10000);
	}
}

static gpointer serve(gpointer data)
{
	int fd = GPOINTER_TO_INT(data);
	char request[4096] = { 0 };
	gsize length = 0;

	/* A TLS client does not write letters. */
	while (!strstr(request, "\r\n\r\n") && request[0] != 0x16) {
		ssize_t got = recv(fd, request + length, sizeof(request) - 1 - length, 0);
		if (got <= 0)
			break;
		length += (gsize)got;
	}
	g_auto(GStrv) words = g_strsplit(request, " ", 3);
	if (g_strv_length(words) == 3)
		answer(fd, words[1]);

	/* Closed with something unread, the client would lose the answer. */
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof(request), 0) > 0)
		continue;
	(void)close(fd);
	return NULL;
}

static gpointer listen_on(gpointer data)
{
	for (;;) {
		int fd = accept(GPOINTER_TO_INT(data), NULL, NULL);

		if (fd < 0)
			return NULL;
		g_thread_unref(g_thread_new("serve", serve, GINT_TO_POINTER(fd)));
	}
}

static int open_listener(const void *address, socklen_t size_bytes, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(bind(fd, address, size_bytes), ==, 0);
	g_assert_cmpint(listen(fd, 20), ==, 0);
	return fd;
}

static void start_server(void)
{
	g_autofree char *path = g_build_filename(directory, "socket", NULL);
	struct sockaddr_in tcp = { .sin_family = AF_INET };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	socklen_t size_bytes = sizeof(tcp);

	tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g_assert_cmpuint(g_strlcpy(local.sun_path, path, sizeof(local.sun_path)), <,
	                 sizeof(local.sun_path));
	server.tcp_fd = open_listener(&tcp, sizeof(tcp), AF_INET);
	server.unix_fd = open_listener(&local, sizeof(local), AF_UNIX);
	g_assert_cmpint(getsockname(server.tcp_fd, (void *)&tcp, &size_bytes), ==, 0);
	server.port = ntohs(tcp.sin_port);
	server.threads[0] = g_thread_new("tcp", listen_on, GINT_TO_POINTER(server.tcp_fd));
	server.threads[1] = g_thread_new("unix", listen_on, GINT_TO_POINTER(server.unix_fd));
}

static void stop_server(void)
{
	g_autofree char *path = g_build_filename(directory, "socket", NULL);

	g_atomic_int_set(&server.is_stopped, 1);
	(void)shutdown(server.tcp_fd, SHUT_RDWR);
	(void)shutdown(server.unix_fd, SHUT_RDWR);
	g_thread_join(server.threads[0]);
	g_thread_join(server.threads[1]);
	(void)close(server.tcp_fd);
	(void)close(server.unix_fd);
	g_assert_cmpint(g_unlink(path), ==, 0);
}

/* Returns: (transfer full): a URL of the server. */
static char *url_of(const char *path)
{
	return g_strdup_printf("http://127.0.0.1:%u%s", server.port, path);
}

/* Returns: (transfer full): what http_get() said, body or message. */
static char *get(const HttpRequest *request, int *status)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) body = http_get(request, &error);

	g_assert_true(!body == !!error);
	*status = error ? (int)fault_status(error) : 0;
	if (error)
		return fault_message(error);

	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(body, &size_bytes);
	return g_strndup(data ? data : "", size_bytes);
}

static void test_get(void)
{
	static const struct {
		const char *path;
		int status;
		const char *said; /* the body, or the end of the message */
	} rows[] = {
		{ "/ok", 0, "hello" },
		{ "/empty", 0, "" },
		{ "/no-length", 0, "hello" },
		{ "/to-ok", 0, "hello" },
		{ "/404", STATUS_UNAVAILABLE, ": HTTP status 404" },
		{ "/500", STATUS_UNAVAILABLE, ": HTTP status 500" },
		{ "/endless-404", STATUS_UNAVAILABLE, ": HTTP status 404" },
		{ "/no-location", STATUS_UNAVAILABLE, ": HTTP status 302" },
		{ "/large", STATUS_DATA, ": larger than 100000 bytes" },
		{ "/endless", STATUS_DATA, ": larger than 100000 bytes" },
		{ "/truncated", STATUS_UNAVAILABLE, ": the connection broke off" },
		{ "/silent", STATUS_UNAVAILABLE, ": no answer" },
		{ "/not-http", STATUS_UNAVAILABLE, ": the answer is not HTTP" },
		{ "/stalled", STATUS_DEADLINE, ": timed out" },
		{ "/stalled-head", STATUS_DEADLINE, ": timed out" },
		{ "/to-loop", STATUS_UNAVAILABLE, ": more than 5 redirects" },
		{ "/to-file", STATUS_UNAVAILABLE, ": redirect to file:///etc/passwd denied" },
		{ "/to-ftp", STATUS_UNAVAILABLE, ": redirect to ftp://127.0.0.1/x denied" },
		{ "/to-http", STATUS_UNAVAILABLE, ": redirect to http://192.0.2.1/x denied" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *url = url_of(rows[i].path);
		HttpRequest request = { .url = url, .timeout_ms = 1500, .max_bytes = 100000 };
		int status = 0;
		g_autofree char *said = get(&request, &status);

		g_test_message("%s: %s", rows[i].path, said);
		g_assert_cmpint(status, ==, rows[i].status);
		if (status)
			g_assert_true(g_str_has_prefix(said, url));
		g_assert_true(g_str_has_suffix(said, rows[i].said));
	}
}

static void test_refuses_before_connecting(void)
{
	static const struct {
		const char *url;
		int status;
	} rows[] = {
		{ "http://192.0.2.1/", STATUS_DENIED },
		{ "http://example.invalid/", STATUS_DENIED },
		{ "http://128.0.0.1/", STATUS_DENIED },
		{ "http://127.0.0.1.example.invalid/", STATUS_DENIED },
		{ "http://127.0.0.1@example.invalid/", STATUS_DENIED },
		{ "http://localhost.example.invalid/", STATUS_DENIED },
		{ "http://[::2]/", STATUS_DENIED },
		{ "http://0.0.0.0/", STATUS_DENIED },
		{ "ftp://127.0.0.1/", STATUS_CONFIG },
		{ "gopher://127.0.0.1/", STATUS_CONFIG },
		{ "127.0.0.1/", STATUS_CONFIG },
		{ "https://", STATUS_CONFIG },
		{ "https://a b/", STATUS_CONFIG },
		{ "https://a\r\nHost: b/", STATUS_CONFIG },
		{ "", STATUS_CONFIG },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		HttpRequest request = { .url = rows[i].url, .timeout_ms = 2000 };
		gint64 begun = g_get_monotonic_time();
		int status = 0;
		g_autofree char *said = get(&request, &status);

		g_test_message("%s", said);
		g_assert_cmpint(status, ==, rows[i].status);
		g_assert_cmpint(g_get_monotonic_time() - begun, <, G_USEC_PER_SEC);
	}
}

static void test_connection_failures(void)
{
	g_autofree char *tls = g_strdup_printf("https://127.0.0.1:%u/ok", server.port);
	const struct {
		const char *url;
		const char *said;
	} rows[] = {
		{ "http://127.0.0.1:1/", "refused" },
		{ "https://no-such-name.invalid/", "name not known" },
		{ tls, "TLS: " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		HttpRequest request = { .url = rows[i].url, .timeout_ms = 10000 };
		int status = 0;
		g_autofree char *said = get(&request, &status);

		g_test_message("%s", said);
		g_assert_cmpint(status, ==, STATUS_UNAVAILABLE);
		g_assert_nonnull(strstr(said, rows[i].said));
	}
}

static void test_unix_socket(void)
{
	g_autofree char *path = g_build_filename(directory, "socket", NULL);
	g_autofree char *absent = g_build_filename(directory, "no-socket", NULL);
	const struct {
		HttpRequest request;
		int status;
		const char *said;
	} rows[] = {
		{ { .url = "http://engine/ok", .unix_socket = path }, 0, "hello" },
		{ { .url = "http://engine/404", .unix_socket = path },
		  STATUS_UNAVAILABLE,
		  "http://engine/404: HTTP status 404" },
		{ { .url = "http://engine/to-ok", .unix_socket = path },
		  STATUS_UNAVAILABLE,
		  "http://engine/to-ok: HTTP status 302" },
		{ { .url = "http://engine/ok", .unix_socket = absent },
		  STATUS_UNAVAILABLE,
		  "http://engine/ok: cannot connect: No such file or directory" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int status = 0;
		g_autofree char *said = get(&rows[i].request, &status);

		g_assert_cmpstr(said, ==, rows[i].said);
		g_assert_cmpint(status, ==, rows[i].status);
	}
}

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void test_download(void)
{
	static const struct {
		const char *path;
		const char *sha256;
		int status;
	} rows[] = {
		{ "/ok", HELLO, 0 },
		{ "/to-ok", HELLO, 0 },
		{ "/no-length", HELLO, 0 },
		{ "/empty", HELLO, STATUS_UNTRUSTED },
		{ "/truncated", HELLO, STATUS_UNAVAILABLE },
		{ "/404", HELLO, STATUS_UNAVAILABLE },
		{ "/large", HELLO, STATUS_DATA },
		{ "/endless", HELLO, STATUS_DATA },
		{ "/stalled", HELLO, STATUS_DEADLINE },
		{ "/to-file", HELLO, STATUS_UNAVAILABLE },
	};
	g_autofree char *target = g_build_filename(directory, "downloads", "x", NULL);
	g_autofree char *parent = g_path_get_dirname(target);

	g_assert_cmpint(g_mkdir(parent, 0700), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *url = url_of(rows[i].path);
		HttpDownload download = { .url = url,
			                  .sha256 = rows[i].sha256,
			                  .max_bytes = 100000,
			                  .timeout_ms = 1500,
			                  .retry_ms = 1 };
		g_autoptr(GError) error = NULL;
		bool is_done = http_download(&download, target, &error);

		g_assert_cmpint(error ? (int)fault_status(error) : 0, ==, rows[i].status);
		g_assert_cmpint(is_done, ==, rows[i].status == 0);
		if (is_done) {
			g_autofree char *digest = file_digest(target, NULL);
			g_assert_cmpstr(digest, ==, HELLO);
			g_assert_cmpint(g_unlink(target), ==, 0);
		}
		/* Only an empty directory can be removed: nothing was left. */
		g_assert_cmpint(g_rmdir(parent), ==, 0);
		g_assert_cmpint(g_mkdir(parent, 0700), ==, 0);
	}
	g_assert_cmpint(g_rmdir(parent), ==, 0);
}

static void on_progress(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	guint64 *last = data;

	g_assert_cmpuint(done_bytes, >=, last[0]);
	last[0] = done_bytes;
	last[1] = total_bytes;
}

static void test_download_from_a_file_mirror(void)
{
	g_autofree char *source = g_build_filename(directory, "a b", NULL);
	g_autofree char *target = g_build_filename(directory, "target", NULL);
	g_autofree char *absent = g_build_filename(directory, "absent", NULL);
	g_autofree char *url = g_filename_to_uri(source, NULL, NULL);
	guint64 last[2] = { 0 };
	HttpDownload download = { .url = url,
		                  .sha256 = HELLO,
		                  .max_bytes = 100,
		                  .on_progress = on_progress,
		                  .data = last };
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(source, "hello", -1, NULL));
	g_assert_true(http_download(&download, target, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(last[0], ==, 5);
	g_assert_cmpuint(last[1], ==, 5);

	download.max_bytes = 4;
	g_assert_false(http_download(&download, absent, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);
	download.url = directory;
	g_assert_false(http_download(&download, absent, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_clear_error(&error);
	download.url = "file:///no/such/file";
	g_assert_false(http_download(&download, absent, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_false(file_exists(absent));

	g_assert_cmpint(g_unlink(source), ==, 0);
	g_assert_cmpint(g_unlink(target), ==, 0);
}

static void test_probe(void)
{
	g_autofree char *ok = url_of("/ok");
	g_autofree char *missing = url_of("/404");
	g_autofree char *mute = url_of("/mute");
	g_autofree char *begun_only = url_of("/stalled-head");
	const char *const urls[] = {
		ok,        missing,    mute, begun_only, "http://127.0.0.1:1/", "http://192.0.2.1/",
		directory, "/no/such", NULL,
	};
	static const char *const reasons[] = {
		NULL, NULL,           "timed out",
		NULL, "refused",      "http://192.0.2.1/: plain http is only for this machine",
		NULL, "no such file",
	};
	char **why = NULL;
	gint64 begun = g_get_monotonic_time();
	g_autofree bool *answers = http_probe(urls, 1000, &why);

	g_assert_cmpint(g_get_monotonic_time() - begun, <, 3 * G_USEC_PER_SEC);
	for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++) {
		g_assert_cmpstr(why[i], ==, reasons[i]);
		g_assert_cmpint(answers[i], ==, reasons[i] == NULL);
		g_free(why[i]);
	}
	g_free(why);
}

static gpointer interrupt_soon(gpointer data)
{
	(void)data;
	g_usleep(G_USEC_PER_SEC / 5);
	(void)kill(getpid(), SIGTERM);
	return NULL;
}

/* The last one: the signal stays. */
static void test_cancel(void)
{
	g_autofree char *url = url_of("/stalled");
	HttpRequest request = { .url = url, .timeout_ms = 20000 };
	gint64 begun = g_get_monotonic_time();
	int status = 0;

	cancel_init();
	g_autoptr(GThread) thread = g_thread_new("interrupt", interrupt_soon, NULL);
	g_autofree char *said = get(&request, &status);
	g_thread_join(g_steal_pointer(&thread));
	g_assert_cmpint(status, ==, STATUS_TERMINATED);
	g_assert_nonnull(said);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 5 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
	static const char *const unset[] = { "http_proxy",    "https_proxy",   "HTTPS_PROXY",
		                             "all_proxy",     "ALL_PROXY",     "no_proxy",
		                             "NO_PROXY",      "SSL_CERT_FILE", "SSL_CERT_DIR",
		                             "CURL_CA_BUNDLE" };

	for (gsize i = 0; i < G_N_ELEMENTS(unset); i++)
		g_unsetenv(unset[i]);
	/* A proxy is for other machines: nobody here asks this one. */
	g_setenv("http_proxy", "http://127.0.0.1:1", TRUE);
	(void)signal(SIGPIPE, SIG_IGN);
	g_test_init(&argc, &argv, NULL);
	directory = g_dir_make_tmp("slipway-XXXXXX", NULL);
	start_server();
	g_test_add_func("/http/get", test_get);
	g_test_add_func("/http/refuses-before-connecting", test_refuses_before_connecting);
	g_test_add_func("/http/connection-failures", test_connection_failures);
	g_test_add_func("/http/unix-socket", test_unix_socket);
	g_test_add_func("/http/download", test_download);
	g_test_add_func("/http/download-from-a-file-mirror", test_download_from_a_file_mirror);
	g_test_add_func("/http/probe", test_probe);
	g_test_add_func("/http/cancel", test_cancel);
	int status = g_test_run();
	stop_server();
	g_assert_cmpint(g_rmdir(directory), ==, 0);
	g_free(directory);
	return status;
}
