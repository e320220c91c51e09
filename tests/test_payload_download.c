/* tests/test_payload_download.c - archives that are unpacked while they come, from places good and bad
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "payload/archive_download.h"
#include "tests/tar.h"

#define MANY 100
#define MAX_BYTES ((guint64)1 << 30)

/* A directory with archives in it, beside which is unpacked. */
typedef struct {
	char *root;
	char *inside; /* holds nothing but the tree */
	char *target;
	char *archive; /* many files */
	char *digest;
} Fixture;

static char *put(const Fixture *fixture, const char *name, const GByteArray *bytes)
{
	char *path = g_build_filename(fixture->root, name, NULL);

	g_assert_true(
		g_file_set_contents(path, (const char *)bytes->data, (gssize)bytes->len, NULL));
	return path;
}

/* Content that does not shrink, so that a half of the archive holds about half of the files. */
static GByteArray *make_archive(const char *prefix, guint count)
{
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GRand) random = g_rand_new_with_seed(3);

	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("%s/d%u/f%u", prefix, i % 7, i);
		g_autofree char *content = g_malloc0(5001);

		for (guint at = 0; at < 5000; at++)
			content[at] = (char)g_rand_int_range(random, 1, 256);
		tar_add(tar, (TarEntry){ .name = name, .content = content });
	}
	return tar_compress(tar_end(tar), archive_write_add_filter_zstd);
}

static void setup(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GByteArray) bytes = make_archive("one", MANY);

	fixture->root = g_dir_make_tmp("slipway-XXXXXX", NULL);
	fixture->inside = g_build_filename(fixture->root, "inside", NULL);
	fixture->target = g_build_filename(fixture->inside, "target", NULL);
	g_assert_cmpint(g_mkdir(fixture->inside, 0755), ==, 0);
	fixture->archive = put(fixture, "one.tar.zst", bytes);
	fixture->digest = file_digest(fixture->archive, NULL);
}

static void teardown(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(tree_remove(fixture->root, NULL));
	g_free(fixture->root);
	g_free(fixture->inside);
	g_free(fixture->target);
	g_free(fixture->archive);
	g_free(fixture->digest);
}

static guint count_files(const char *directory)
{
	json_t *listing = tree_list(directory, NULL);
	guint count = 0;
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach(listing, name, value) count += json_string_value(value)[0] == 'f';
	json_decref(listing);
	return count;
}

static void assert_clean(const Fixture *fixture)
{
	g_assert_cmpint(g_rmdir(fixture->inside), ==, 0);
	g_assert_cmpint(g_mkdir(fixture->inside, 0755), ==, 0);
}

/* Returns: (transfer full) (nullable): what went wrong, and then nothing is left. */
static GError *load(const Fixture *fixture, const ArchiveDownload *wanted, guint count)
{
	GError *error = NULL;

	if (!archive_download(wanted, count, fixture->target, &error)) {
		g_test_message("%s", error->message);
		assert_clean(fixture);
	}
	return error;
}

static void test_places(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GByteArray) other = make_archive("other", 3);
	g_autoptr(GByteArray) rubbish = g_byte_array_new();

	g_byte_array_append(rubbish, (const guint8 *)"<html>Log in here</html>", 24);
	g_autofree char *wrong = put(fixture, "wrong", other);
	g_autofree char *page = put(fixture, "page", rubbish);
	const struct {
		const char *urls[4];
		int status;
		const char *said;
	} rows[] = {
		{ { fixture->archive }, 0, NULL },
		{ { wrong, fixture->archive }, 0, NULL },
		{ { "/no/such", page, fixture->archive }, 0, NULL },
		{ { "http://127.0.0.1:1/x", fixture->archive }, 0, NULL },
		{ { wrong }, STATUS_UNTRUSTED, "/wrong: the digest is" },
		{ { wrong, wrong }, STATUS_UNTRUSTED, "/wrong: the digest is" },
		{ { page }, STATUS_DATA, "/page: it is a web page" },
		{ { "/no/such", wrong }, STATUS_UNTRUSTED, "/no/such: no such file; " },
		{ { wrong, "/no/such" }, STATUS_UNAVAILABLE, "/wrong: the digest is" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		ArchiveDownload wanted = { .urls = rows[i].urls,
			                   .sha256 = fixture->digest,
			                   .max_bytes = MAX_BYTES,
			                   .retry_ms = 1 };
		g_autoptr(GError) error = load(fixture, &wanted, 1);

		g_assert_cmpint(error ? (int)fault_status(error) : 0, ==, rows[i].status);
		if (error) {
			g_assert_nonnull(strstr(error->message, rows[i].said));
			continue;
		}
		g_assert_cmpuint(count_files(fixture->target), ==, MANY);
		g_assert_true(tree_remove(fixture->target, NULL));
	}
}

static void test_damaged(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const char *const urls[] = { fixture->archive, NULL };
	ArchiveDownload wanted = { .urls = urls, .max_bytes = MAX_BYTES };
	char *content = NULL;
	gsize size_bytes = 0;

	g_assert_true(g_file_get_contents(fixture->archive, &content, &size_bytes, NULL));
	g_assert_true(g_file_set_contents(fixture->archive, content, (gssize)size_bytes / 2, NULL));
	g_free(content);

	wanted.sha256 = fixture->digest;
	g_autoptr(GError) untrusted = load(fixture, &wanted, 1);
	g_assert_error(untrusted, FAULT, STATUS_UNTRUSTED);

	g_autofree char *digest = file_digest(fixture->archive, NULL);
	wanted.sha256 = digest;
	g_autoptr(GError) damaged = load(fixture, &wanted, 1);
	g_assert_error(damaged, FAULT, STATUS_DATA);

	wanted.max_bytes = 1000;
	g_autoptr(GError) large = load(fixture, &wanted, 1);
	g_assert_error(large, FAULT, STATUS_DATA);
}

static void test_overlay(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GByteArray) second = make_archive("one/more", 5);
	g_autoptr(GByteArray) wrong = make_archive("wrong", 50);
	g_autofree char *overlay = put(fixture, "overlay", second);
	g_autofree char *overlay_digest = file_digest(overlay, NULL);
	g_autofree char *bad = put(fixture, "bad", wrong);
	const char *const first_urls[] = { fixture->archive, NULL };
	const char *const second_urls[] = { bad, overlay, NULL };
	ArchiveDownload wanted[] = {
		{ .urls = first_urls, .sha256 = fixture->digest, .max_bytes = MAX_BYTES },
		{ .urls = second_urls, .sha256 = overlay_digest, .max_bytes = MAX_BYTES },
	};

	/* What the bad place had to offer is gone. */
	g_assert_no_error(load(fixture, wanted, 2));
	g_assert_cmpuint(count_files(fixture->target), ==, MANY + 5);
	g_autofree char *litter = g_build_filename(fixture->target, "wrong", NULL);
	g_assert_false(file_exists(litter));
	g_assert_true(tree_remove(fixture->target, NULL));

	wanted[1] = wanted[0];
	g_autoptr(GError) twice = load(fixture, wanted, 2);
	g_assert_error(twice, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(twice->message, "is in another archive already"));
}

/* A server on loopback that gives the first half, then what is asked for; or another file first. */
typedef struct {
	int fd;
	guint16 port;
	const char *path; /* the archive */
	bool is_exchanged;
	bool is_mute; /* after the half */
	guint asked;
	GThread *thread;
} Server;

static void answer(Server *server, int fd)
{
	char request[2048] = { 0 };
	g_autofree char *content = NULL;
	gsize size_bytes = 0;
	gsize from = 0;

	(void)!recv(fd, request, sizeof(request) - 1, 0);
	const char *range = strstr(request, "Range: bytes=");
	if (range && !server->is_exchanged)
		from = g_ascii_strtoull(range + strlen("Range: bytes="), NULL, 10);
	g_assert_true(g_file_get_contents(server->path, &content, &size_bytes, NULL));
	gsize end = server->asked++ == 0 ? size_bytes / 2 : size_bytes;
	g_autofree char *head = g_strdup_printf(
		"HTTP/1.1 %s\r\nETag: \"%u\"\r\nContent-Range: bytes %" G_GSIZE_FORMAT
		"-%" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT "\r\nContent-Length: %" G_GSIZE_FORMAT
		"\r\n\r\n",
		from ? "206 Partial" : "200 OK", server->is_exchanged && server->asked > 1, from,
		size_bytes - 1, size_bytes, size_bytes - from);
	(void)send(fd, head, strlen(head), MSG_NOSIGNAL);
	while (from < end) {
		ssize_t sent = send(fd, content + from, end - from, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		from += (gsize)sent;
	}
	if (server->is_mute) /* until the client goes away */
		(void)!recv(fd, request, sizeof(request), 0);
	(void)close(fd);
}

static gpointer serve(gpointer data)
{
	Server *server = data;

	for (;;) {
		int fd = accept(server->fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		answer(server, fd);
	}
}

static char *start(Server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size_bytes = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(server->fd, (const void *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(server->fd, 5), ==, 0);
	g_assert_cmpint(getsockname(server->fd, (void *)&address, &size_bytes), ==, 0);
	server->thread = g_thread_new("serve", serve, server);
	return g_strdup_printf("http://127.0.0.1:%u/x.tar.zst", ntohs(address.sin_port));
}

static void stop(Server *server)
{
	(void)shutdown(server->fd, SHUT_RDWR);
	g_thread_join(server->thread);
	(void)close(server->fd);
}

/* The unpacker notices nothing of it. */
static void test_resumed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	Server server = { .path = fixture->archive };
	g_autofree char *url = start(&server);
	const char *const urls[] = { url, NULL };
	ArchiveDownload wanted = {
		.urls = urls, .sha256 = fixture->digest, .max_bytes = MAX_BYTES, .retry_ms = 1
	};

	g_assert_no_error(load(fixture, &wanted, 1));
	g_assert_cmpuint(count_files(fixture->target), ==, MANY);
	g_assert_cmpuint(server.asked, ==, 2);
	stop(&server);
}

/* A file that changes in the middle is unpacked from the start, and nothing of the old one stays. */
static void test_exchanged(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	Server server = { .path = fixture->archive, .is_exchanged = true };
	g_autofree char *url = start(&server);
	const char *const urls[] = { url, NULL };
	ArchiveDownload wanted = {
		.urls = urls, .sha256 = fixture->digest, .max_bytes = MAX_BYTES, .retry_ms = 1
	};

	g_assert_no_error(load(fixture, &wanted, 1));
	g_assert_cmpuint(count_files(fixture->target), ==, MANY);
	g_assert_cmpuint(server.asked, ==, 3);
	stop(&server);
}

/* A file that cannot be written ends it, though more of the archive may come one day. */
static void test_not_written(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	Server server = { .path = fixture->archive, .is_mute = true };
	g_autofree char *url = start(&server);
	const char *const urls[] = { url, NULL };
	ArchiveDownload wanted = { .urls = urls,
		                   .sha256 = fixture->digest,
		                   .max_bytes = MAX_BYTES };
	struct rlimit before = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	struct rlimit small = { .rlim_cur = 1000, .rlim_max = before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	gint64 begun = g_get_monotonic_time();
	bool is_done = archive_download(&wanted, 1, fixture->target, &error);
	gint64 took_us = g_get_monotonic_time() - begun;
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);

	g_assert_false(is_done);
	g_assert_error(error, FAULT, STATUS_IO);
	g_assert_cmpint(took_us, <, 10 * G_USEC_PER_SEC);
	assert_clean(fixture);
	stop(&server);
}

static gpointer interrupt_soon(gpointer data)
{
	(void)data;
	g_usleep(G_USEC_PER_SEC / 2);
	(void)kill(getpid(), SIGTERM);
	return NULL;
}

/* The last one: the signal stays. */
static void test_cancel(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	Server server = { .path = fixture->archive, .is_mute = true };
	g_autofree char *url = start(&server);
	const char *const urls[] = { url, NULL };
	ArchiveDownload wanted = { .urls = urls,
		                   .sha256 = fixture->digest,
		                   .max_bytes = MAX_BYTES };

	cancel_init();
	g_autoptr(GThread) thread = g_thread_new("interrupt", interrupt_soon, NULL);
	g_autoptr(GError) error = load(fixture, &wanted, 1);
	g_thread_join(g_steal_pointer(&thread));
	g_assert_error(error, FAULT, STATUS_TERMINATED);
	stop(&server);
}

static void add(const char *path, void (*test)(Fixture *, gconstpointer))
{
	g_test_add(path, Fixture, NULL, setup, test, teardown);
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	g_test_init(&argc, &argv, NULL);
	add("/download/places", test_places);
	add("/download/damaged", test_damaged);
	add("/download/overlay", test_overlay);
	add("/download/resumed", test_resumed);
	add("/download/exchanged", test_exchanged);
	add("/download/not-written", test_not_written);
	add("/download/cancel", test_cancel);
	return g_test_run();
}
