/* tests/download_fixture.h - an HTTP server whose answers a test makes, and downloads from it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/download.h"
#include "base/fault.h"
#include "base/file.h"

#define LARGE_BYTES ((gsize)24 * 1024 * 1024 + 12345)
#define MAX_BYTES ((guint64)LARGE_BYTES)

/** Answers @request for @path on @fd, on a thread of its own. */
typedef void (*Answering)(int fd, const char *path, const char *request);

static struct {
	guint8 *data; /* LARGE_BYTES of them; the file is its start */
	char *sha256; /* of the file */
	gsize size_bytes;
	Answering answer;
	guint16 port;
	int fd;
	GThread *thread;
	gint is_stopped;
} server;

static inline bool send_all(int fd, const void *data, gsize size_bytes)
{
	const char *at = data;

	while (size_bytes > 0) {
		ssize_t sent = send(fd, at, size_bytes, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		size_bytes -= (gsize)sent;
	}
	return true;
}

static inline bool say(int fd, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline bool say(int fd, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return send_all(fd, text, strlen(text));
}

typedef struct {
	gsize from, end;
	bool is_ranged;
} Span;

static inline Span span_of(const char *request, gsize size_bytes)
{
	const char *line = strstr(request, "\r\nRange: bytes=");
	Span span = { 0, size_bytes, line != NULL };
	char *rest = NULL;

	if (!line)
		return span;
	span.from = g_ascii_strtoull(line + strlen("\r\nRange: bytes="), &rest, 10);
	if (rest[0] == '-' && g_ascii_isdigit(rest[1]))
		span.end = g_ascii_strtoull(rest + 1, NULL, 10) + 1;
	return span;
}

static inline void say_head(int fd, const Span *span, gsize size_bytes, const char *etag)
{
	if (span->is_ranged)
		(void)say(fd,
		          "HTTP/1.1 206 Partial\r\nContent-Range: bytes %" G_GSIZE_FORMAT
		          "-%" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT "\r\n",
		          span->from, span->end - 1, size_bytes);
	else
		(void)say(fd, "HTTP/1.1 200 OK\r\n");
	(void)say(fd,
	          "ETag: %s\r\nAccept-Ranges: bytes\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
	          etag, span->end - span->from);
}

static inline gpointer serve(gpointer data)
{
	int fd = GPOINTER_TO_INT(data);
	char request[4096] = { 0 };
	gsize length = 0;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t got = recv(fd, request + length, sizeof(request) - 1 - length, 0);
		if (got <= 0)
			break;
		length += (gsize)got;
	}
	g_auto(GStrv) words = g_strsplit(request, " ", 3);
	if (g_strv_length(words) == 3)
		server.answer(fd, words[1], request);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
	return NULL;
}

static inline gpointer listen_on(gpointer data)
{
	for (;;) {
		int fd = accept(GPOINTER_TO_INT(data), NULL, NULL);

		if (fd < 0)
			return NULL;
		g_thread_unref(g_thread_new("serve", serve, GINT_TO_POINTER(fd)));
	}
}

/** The file that it has is @size_bytes long, LARGE_BYTES at most. */
static inline void start_server(gsize size_bytes, Answering answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t address_bytes = sizeof(address);

	server.data = g_malloc(LARGE_BYTES);
	for (gsize i = 0; i < LARGE_BYTES; i++)
		server.data[i] = (guint8)(i % 251 + i / 65536);
	server.size_bytes = size_bytes;
	server.sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, server.data, size_bytes);
	server.answer = answer;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(server.fd, (const void *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(server.fd, 50), ==, 0);
	g_assert_cmpint(getsockname(server.fd, (void *)&address, &address_bytes), ==, 0);
	server.port = ntohs(address.sin_port);
	server.thread = g_thread_new("listen", listen_on, GINT_TO_POINTER(server.fd));
}

static inline void stop_server(void)
{
	g_atomic_int_set(&server.is_stopped, 1);
	(void)shutdown(server.fd, SHUT_RDWR);
	g_thread_join(server.thread);
	(void)close(server.fd);
	g_usleep(20000);
	g_free(server.data);
	g_free(server.sha256);
}

static inline char *url_of(const char *path)
{
	return g_strdup_printf("http://127.0.0.1:%u%s", server.port, path);
}

/* Downloads into a fresh directory.  Returns: (transfer full): the error's text, NULL: none.  In any
 * case the directory holds the file and nothing else, or nothing. */
static inline char *fetch(const HttpDownload *what, int *status)
{
	g_autofree char *directory = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *target = g_build_filename(directory, "file", NULL);
	g_autoptr(GError) error = NULL;
	bool is_done = http_download(what, target, &error);

	g_assert_cmpint(is_done, ==, error == NULL);
	*status = error ? (int)fault_status(error) : 0;
	if (is_done) {
		g_autofree char *digest = file_digest(target, NULL);
		g_assert_cmpstr(digest, ==, what->sha256);
		g_assert_cmpint(g_unlink(target), ==, 0);
	}
	g_assert_cmpint(g_rmdir(directory), ==, 0);
	return error ? g_strdup(error->message) : NULL;
}
