/* tests/test_base_download_large.c - a large file over several connections, some of which break or lie
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>

#include "tests/download_fixture.h"

static struct {
	gint running, most;
	gint asked;
} load;

/* A large file, at 12 MiB each second and connection. */
static void answer_large(int fd, const char *path, const char *request)
{
	Span span = span_of(request, LARGE_BYTES);
	gint now = g_atomic_int_add(&load.running, 1) + 1;
	gint count = g_atomic_int_add(&load.asked, 1);
	const gsize step = 65536;

	load.most = MAX(load.most, now);
	if (g_str_equal(path, "/large-alone") && now > 1) {
		(void)say(fd, "HTTP/1.1 503 One at a time\r\nContent-Length: 0\r\n\r\n");
		g_atomic_int_add(&load.running, -1);
		return;
	}
	if (g_str_equal(path, "/large-deaf"))
		span = (Span){ 0, LARGE_BYTES, false };
	if (g_str_equal(path, "/large-liar") && span.is_ranged && count < 3)
		(void)say(fd, "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-99/100\r\n\r\n");
	else
		say_head(fd, &span, LARGE_BYTES, "\"large\"");
	for (gsize at = span.from; at < span.end; at += step) {
		if (!send_all(fd, server.data + at, MIN(step, span.end - at)))
			break;
		/* One connection in three breaks somewhere. */
		if (g_str_equal(path, "/large-breaks") && count % 3 == 1 &&
		    at - span.from > 1000000)
			break;
		g_usleep(G_USEC_PER_SEC / 192);
	}
	g_atomic_int_add(&load.running, -1);
}

/* Each connection has 12 MiB/s.  @most: connections at the same time, as the server sees it: it learns
 * late that the first one has ended. */
static void test_several(void)
{
	static const struct {
		const char *path;
		guint connections;
		gint least, most;
	} large[] = {
		{ "/large-good", 1, 1, 1 },   { "/large-good", 0, 4, 5 },
		{ "/large-breaks", 0, 2, 5 }, { "/large-alone", 0, 2, 5 },
		{ "/large-deaf", 0, 2, 5 },   { "/large-liar", 0, 2, 5 },
	};
	gint64 times[G_N_ELEMENTS(large)] = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(large); i++) {
		g_autofree char *url = url_of(large[i].path);
		HttpDownload what = { .url = url,
			              .sha256 = server.sha256,
			              .max_bytes = MAX_BYTES,
			              .retry_ms = 1,
			              .connections = large[i].connections };
		gint64 begun = g_get_monotonic_time();
		int status = 0;

		load.most = 0;
		load.asked = 0;
		g_autofree char *said = fetch(&what, &status);
		times[i] = g_get_monotonic_time() - begun;
		g_test_message("%s: %d connections, %" G_GINT64_FORMAT " ms", large[i].path,
		               load.most, times[i] / 1000);
		g_assert_cmpstr(said, ==, NULL);
		g_assert_cmpint(load.most, >=, large[i].least);
		g_assert_cmpint(load.most, <=, large[i].most);
	}
	g_assert_cmpint(times[1], <, times[0]);
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	g_test_init(&argc, &argv, NULL);
	start_server(LARGE_BYTES, answer_large);
	g_test_add_func("/download/several", test_several);
	int status = g_test_run();
	stop_server();
	return status;
}
