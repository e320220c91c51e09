/* tests/test_base_download.c - downloads from a server that breaks off, lies and changes its mind
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>

#include "base/cancel.h"
#include "tests/download_fixture.h"

#define SMALL_BYTES ((gsize)300000)

/* How one request is answered. */
typedef enum {
	NONE,
	WHOLE,         /* well; ranges too */
	PLAIN,         /* well, but ranges are not heard of */
	CUT,           /* half of what was asked for, then nothing more; ranges too */
	CUT_PLAIN,     /* the first half of the file */
	CUT_RESET,     /* as CUT, with a reset */
	UNSAID,        /* HTTP/1.0 without a length; whole */
	UNSAID_CUT,    /* the same, half of it */
	CHUNKED_OPEN,  /* all of it in chunks, but for the end mark */
	CHUNKED_CUT,   /* half of it in chunks */
	ENDLESS,       /* chunks without end */
	WRONG_RANGE,   /* 206, from the start, says so */
	FOREIGN_RANGE, /* 206, what was asked for, of a file of another size */
	MULTIPART,     /* 206 without Content-Range */
	NO_MORE,       /* 416 */
	OTHER,         /* another file, with its own ETag; ranges too */
	OTHER_PLAIN,   /* another file, without ETag or ranges */
	TRICKLE,       /* one byte each tenth of a second */
	SILENT,        /* nothing */
	HEADERS,       /* 6,000 of them */
	SAY,           /* route->say */
} Answer;

typedef struct {
	const char *path;
	const char *say;
	Answer answers[6]; /* the last one stays */
} Route;

static const Route route_table[] = {
	{ "/whole", NULL, { WHOLE } },
	{ "/plain", NULL, { PLAIN } },
	{ "/unsaid", NULL, { UNSAID } },
	{ "/to-whole", "302 Found\r\nLocation: /whole\r\nContent-Length: 2\r\n\r\nxx", { SAY } },
	{ "/endless", NULL, { ENDLESS } },
	{ "/unsaid-cut", NULL, { UNSAID_CUT } },
	{ "/unsaid-cut-once", NULL, { UNSAID_CUT, UNSAID } },
	{ "/cut", NULL, { CUT } },
	{ "/cut-once", NULL, { CUT, WHOLE } },
	{ "/cut-thrice", NULL, { CUT, CUT, CUT, WHOLE } },
	{ "/reset-once", NULL, { CUT_RESET, WHOLE } },
	{ "/cut-plain", NULL, { CUT_PLAIN } },
	{ "/cut-plain-once", NULL, { CUT_PLAIN, PLAIN } },
	{ "/chunked-cut", NULL, { CHUNKED_CUT } },
	{ "/chunked-cut-once", NULL, { CHUNKED_CUT, WHOLE } },
	{ "/resume-gets-all", NULL, { CUT, PLAIN } },
	{ "/wrong-range", NULL, { CUT, WRONG_RANGE, PLAIN } },
	{ "/wrong-range-always", NULL, { CUT, WRONG_RANGE } },
	{ "/foreign-range", NULL, { CUT, FOREIGN_RANGE, WHOLE } },
	{ "/multipart", NULL, { CUT, MULTIPART, PLAIN } },
	{ "/no-more-whole", NULL, { CHUNKED_OPEN, NO_MORE } },
	{ "/no-more-half", NULL, { CHUNKED_CUT, NO_MORE, PLAIN } },
	{ "/no-more-said", NULL, { CUT, NO_MORE, PLAIN } },
	{ "/exchanged", NULL, { CUT, OTHER } },
	{ "/exchanged-plain", NULL, { CUT_PLAIN, OTHER_PLAIN } },
	{ "/trickle", NULL, { TRICKLE } },
	{ "/silent", NULL, { SILENT } },
	{ "/headers", NULL, { HEADERS } },
	{ "/two-lengths",
	  "200 OK\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n01234567890123456789",
	  { SAY } },
	{ "/gzip",
	  "200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\37\213\10x",
	  { SAY } },
	{ "/empty", "200 OK\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/large", "200 OK\r\nContent-Length: 99999999999\r\n\r\nx", { SAY } },
	{ "/page",
	  "200 OK\r\nContent-Type: text/html\r\nContent-Length: 28\r\n\r\n<html>Welcome! Log "
	  "in</html>",
	  { SAY } },
	{ "/511", "511 Login\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/401", "401 No\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/403", "403 No\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/404",
	  "404 No\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<html>no\n",
	  { SAY } },
	{ "/500", "500 Oops\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/503-twice", "503 Later\r\nContent-Length: 0\r\n\r\n", { SAY, SAY, WHOLE } },
	{ "/503-then-cut", "503 Later\r\nContent-Length: 0\r\n\r\n", { CUT, SAY, WHOLE } },
	{ "/429-day", "429 Slow\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/429-second",
	  "429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
	  { SAY, WHOLE } },
	{ "/429-minus",
	  "429 Slow\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n",
	  { SAY, WHOLE } },
	{ "/429-soon",
	  "429 Slow\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n",
	  { SAY, WHOLE } },
	{ "/429-past",
	  "429 Slow\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n",
	  { SAY, WHOLE } },
	{ "/to-loop", "302 Found\r\nLocation: /to-loop\r\nContent-Length: 0\r\n\r\n", { SAY } },
	{ "/to-file", "302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", { SAY } },
	{ "/to-ftp", "302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n", { SAY } },
	{ "/to-http", "302 Found\r\nLocation: http://192.0.2.1/login\r\n\r\n", { SAY } },
};

/* What is new at /exchanged, as long as the first file; and the requests for each route. */
static guint8 *other;
static char *other_sha256;
static guint asked_table[G_N_ELEMENTS(route_table)];

static void say_plain(int fd, const guint8 *data, gsize said_bytes, gsize size_bytes)
{
	(void)say(fd, "HTTP/1.1 200 OK\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n", said_bytes);
	(void)send_all(fd, data, size_bytes);
}

static void say_chunk(int fd, const guint8 *data, gsize size_bytes)
{
	(void)say(fd,
	          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%" G_GSIZE_MODIFIER "x\r\n",
	          size_bytes);
	(void)send_all(fd, data, size_bytes);
	(void)say(fd, "\r\n");
}

static void trickle(int fd)
{
	(void)say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
	while (!g_atomic_int_get(&server.is_stopped) && send_all(fd, server.data, 1))
		g_usleep(100000);
}

static void reset(int fd)
{
	struct linger now = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void say_cut(int fd, const Span *span)
{
	say_head(fd, span, server.size_bytes, "\"a\"");
	(void)send_all(fd, server.data + span->from, (span->end - span->from) / 2);
}

/* Ranges that are none. */
static void say_wrong(int fd, const Span *span, Answer answer)
{
	gsize size_bytes = server.size_bytes;
	Span start = { 0, size_bytes, true };

	if (answer == WRONG_RANGE)
		say_head(fd, &start, size_bytes, "\"a\"");
	else if (answer == FOREIGN_RANGE)
		say_head(fd, span, size_bytes + 1, "\"a\"");
	else
		(void)say(fd, "HTTP/1.1 206 Partial\r\nContent-Type: multipart/byteranges; "
		              "boundary=x\r\nContent-Length: 300000\r\n\r\n");
	(void)send_all(fd, server.data, size_bytes);
}

static void say_headers(int fd)
{
	(void)say(fd, "HTTP/1.1 200 OK\r\n");
	for (guint i = 0; i < 6000; i++)
		if (!say(fd, "X-%u: %0100u\r\n", i, i))
			return;
	(void)say(fd, "Content-Length: 0\r\n\r\n");
}

static void answer_as(int fd, Answer answer, const Route *route, const Span *span)
{
	gsize size_bytes = server.size_bytes;
	Span all = { 0, size_bytes, false };

	switch (answer) {
	case WHOLE:
		say_head(fd, span, size_bytes, "\"a\"");
		(void)send_all(fd, server.data + span->from, span->end - span->from);
		break;
	case PLAIN:
		say_plain(fd, server.data, size_bytes, size_bytes);
		break;
	case CUT_RESET:
		reset(fd);
		say_cut(fd, span);
		g_usleep(50000); /* let it be read */
		break;
	case CUT:
		say_cut(fd, span);
		break;
	case CUT_PLAIN:
		say_plain(fd, server.data, size_bytes, size_bytes / 2);
		break;
	case UNSAID:
	case UNSAID_CUT:
		(void)say(fd, "HTTP/1.0 200 OK\r\n\r\n");
		(void)send_all(fd, server.data, answer == UNSAID ? size_bytes : size_bytes / 2);
		break;
	case CHUNKED_OPEN:
	case CHUNKED_CUT:
		say_chunk(fd, server.data, answer == CHUNKED_OPEN ? size_bytes : size_bytes / 2);
		break;
	case ENDLESS:
		say_chunk(fd, server.data, size_bytes);
		while (say(fd, "10000\r\n") && send_all(fd, server.data, 65536) && say(fd, "\r\n"))
			continue;
		break;
	case WRONG_RANGE:
	case FOREIGN_RANGE:
	case MULTIPART:
		say_wrong(fd, span, answer);
		break;
	case NO_MORE:
		(void)say(fd, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
		break;
	case OTHER: /* If-Range names the first one's ETag: all of it comes */
		say_head(fd, &all, size_bytes, "\"b\"");
		(void)send_all(fd, other, size_bytes);
		break;
	case OTHER_PLAIN:
		say_plain(fd, other, size_bytes, size_bytes);
		break;
	case TRICKLE:
		trickle(fd);
		break;
	case SILENT:
		while (!g_atomic_int_get(&server.is_stopped))
			g_usleep(10000);
		break;
	case HEADERS:
		say_headers(fd);
		break;
	case SAY:
		(void)say(fd, "HTTP/1.1 %s", route->say);
		break;
	case NONE:
	default:
		break;
	}
}

static void answer_request(int fd, const char *path, const char *request)
{
	Span span = span_of(request, server.size_bytes);

	for (gsize i = 0; i < G_N_ELEMENTS(route_table); i++) {
		const Route *route = &route_table[i];
		guint turn = 0;

		if (!g_str_equal(path, route->path))
			continue;
		for (guint left = asked_table[i]; left > 0 && route->answers[turn + 1]; left--)
			turn++;
		asked_table[i]++;
		answer_as(fd, route->answers[turn], route, &span);
	}
}

static guint asked(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(route_table); i++)
		if (g_str_equal(path, route_table[i].path))
			return asked_table[i];
	g_assert_not_reached();
}

typedef struct {
	const char *path;
	int status;
	const char *said; /* (nullable): in the message */
	guint asked;      /* requests */
} Row;

static const Row rows[] = {
	{ "/whole", 0, NULL, 1 },
	{ "/plain", 0, NULL, 1 },
	{ "/unsaid", 0, NULL, 1 },
	{ "/to-whole", 0, NULL, 1 },
	{ "/endless", STATUS_DATA, "larger than", 1 },
	{ "/unsaid-cut", STATUS_UNAVAILABLE, "the server does not say", 5 },
	{ "/unsaid-cut-once", 0, NULL, 2 },
	{ "/cut-once", 0, NULL, 2 },
	{ "/cut-thrice", 0, NULL, 4 },
	{ "/cut", STATUS_UNAVAILABLE, "broke off", 5 },
	{ "/reset-once", 0, NULL, 2 },
	{ "/cut-plain", STATUS_UNAVAILABLE, "broke off", 5 },
	{ "/cut-plain-once", 0, NULL, 2 },
	{ "/chunked-cut", STATUS_UNAVAILABLE, "broke off", 5 },
	{ "/chunked-cut-once", 0, NULL, 2 },
	{ "/resume-gets-all", 0, NULL, 2 },
	{ "/wrong-range", 0, NULL, 3 },
	{ "/wrong-range-always", STATUS_UNAVAILABLE, "", 5 },
	{ "/foreign-range", 0, NULL, 3 },
	{ "/multipart", 0, NULL, 3 },
	{ "/no-more-whole", 0, NULL, 2 },
	{ "/no-more-half", 0, NULL, 3 },
	{ "/no-more-said", 0, NULL, 3 },
	{ "/trickle", STATUS_UNAVAILABLE, "2 tries: timed out", 2 },
	{ "/silent", STATUS_UNAVAILABLE, "2 tries: timed out", 2 },
	{ "/headers", STATUS_UNAVAILABLE, "", 5 },
	{ "/two-lengths", STATUS_UNTRUSTED, "the digest is", 1 },
	{ "/gzip", STATUS_UNTRUSTED, "the digest is", 1 },
	{ "/empty", STATUS_UNTRUSTED, "the digest is", 1 },
	{ "/large", STATUS_DATA, "larger than", 1 },
	{ "/page", STATUS_UNTRUSTED, "captive portal", 1 },
	{ "/511", STATUS_UNAVAILABLE, "wants a login", 1 },
	{ "/401", STATUS_UNAVAILABLE, "HTTP status 401", 1 },
	{ "/403", STATUS_UNAVAILABLE, "HTTP status 403", 1 },
	{ "/404", STATUS_UNAVAILABLE, "HTTP status 404", 1 },
	{ "/500", STATUS_UNAVAILABLE, "5 tries: HTTP status 500", 5 },
	{ "/503-twice", 0, NULL, 3 },
	{ "/503-then-cut", 0, NULL, 3 },
	{ "/429-day", STATUS_BUSY, "asked again in 86400 s, at 20", 1 },
	{ "/429-second", 0, NULL, 2 },
	{ "/429-minus", 0, NULL, 2 },
	{ "/429-soon", 0, NULL, 2 },
	{ "/429-past", 0, NULL, 2 },
	{ "/to-loop", STATUS_UNAVAILABLE, "more than 5 redirects", 6 },
	{ "/to-file", STATUS_UNAVAILABLE, "redirect to file:///etc/passwd denied", 1 },
	{ "/to-ftp", STATUS_UNAVAILABLE, "redirect to ftp://127.0.0.1/x denied", 1 },
	{ "/to-http", STATUS_UNAVAILABLE, "redirect to http://192.0.2.1/login denied", 1 },
};

static void test_row(gconstpointer data)
{
	const Row *row = data;
	g_autofree char *url = url_of(row->path);
	bool is_slow = g_str_equal(row->path, "/trickle") || g_str_equal(row->path, "/silent");
	HttpDownload what = {
		.url = url,
		.sha256 = server.sha256,
		.max_bytes = MAX_BYTES,
		.retry_ms = 1,
		.stall_ms = 1000,
		.tries = is_slow ? 2 : 0,
	};
	int status = 0;
	g_autofree char *said = fetch(&what, &status);

	g_test_message("%s", said ? said : "whole");
	g_assert_cmpint(status, ==, row->status);
	if (row->said)
		g_assert_nonnull(strstr(said, row->said));
	g_assert_cmpuint(asked(row->path), ==, row->asked);
}

/* The second start gets the new file, all of it; or none that has the wanted digest. */
static void test_exchanged(void)
{
	static const char *const paths[] = { "/exchanged", "/exchanged-plain" };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *url = url_of(paths[i]);
		HttpDownload what = {
			.url = url, .sha256 = other_sha256, .max_bytes = MAX_BYTES, .retry_ms = 1
		};
		int status = 0;
		g_autofree char *said = fetch(&what, &status);

		g_assert_cmpstr(said, ==, NULL);
		what.sha256 = server.sha256;
		g_autofree char *refused = fetch(&what, &status);
		g_assert_nonnull(refused);
		g_assert_cmpint(status, ==, STATUS_UNTRUSTED);
	}
}

static void test_deadline(void)
{
	g_autofree char *url = url_of("/silent");
	HttpDownload what = {
		.url = url, .sha256 = server.sha256, .max_bytes = MAX_BYTES, .timeout_ms = 500
	};
	gint64 begun = g_get_monotonic_time();
	int status = 0;
	g_autofree char *said = fetch(&what, &status);

	g_assert_nonnull(said);
	g_assert_cmpint(status, ==, STATUS_DEADLINE);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 3 * G_USEC_PER_SEC);
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
	g_autofree char *url = url_of("/silent");
	HttpDownload what = { .url = url, .sha256 = server.sha256, .max_bytes = MAX_BYTES };
	gint64 begun = g_get_monotonic_time();
	int status = 0;

	cancel_init();
	g_autoptr(GThread) thread = g_thread_new("interrupt", interrupt_soon, NULL);
	g_autofree char *said = fetch(&what, &status);
	g_thread_join(g_steal_pointer(&thread));
	g_assert_nonnull(said);
	g_assert_cmpint(status, ==, STATUS_TERMINATED);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 3 * G_USEC_PER_SEC);
}

static void make_other(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);

	other = g_malloc(SMALL_BYTES);
	for (gsize i = 0; i < SMALL_BYTES; i++)
		other[i] = (guint8)g_rand_int(random);
	other_sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, other, SMALL_BYTES);
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	g_test_init(&argc, &argv, NULL);
	make_other();
	start_server(SMALL_BYTES, answer_request);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strconcat("/download", rows[i].path, NULL);
		g_test_add_data_func(name, &rows[i], test_row);
	}
	g_test_add_func("/download/exchanged", test_exchanged);
	g_test_add_func("/download/deadline", test_deadline);
	g_test_add_func("/download/cancel", test_cancel);
	int status = g_test_run();
	stop_server();
	g_free(other);
	g_free(other_sha256);
	return status;
}
