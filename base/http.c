/* base/http.c - one request, its redirects, and where the body goes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/http_private.h"

#define GET_TIMEOUT_MS 15000
#define GET_MAX_BYTES ((gsize)1024 * 1024)
#define REDIRECTS_MAX 5
#define BLOCK_BYTES ((gsize)128 * 1024)

/* Where a body goes. */
typedef struct {
	bool (*put)(gpointer to, const void *data, gsize size_bytes, GError **error);
	gpointer to;
	guint64 max_bytes;
	guint64 done_bytes;
	GError *failure; /* (nullable): what a callback has to say */
} Sink;

/* One request on its way to the sink; each redirect is a hop with its own handle. */
typedef struct {
	const HttpHandle *handle;
	Sink *sink;
	gsize dropped_bytes;
} Hop;

static bool is_redirect(int status)
{
	return status >= 300 && status <= 399;
}

static bool fail_too_large(const Sink *sink, GError **error)
{
	fault_set(error, STATUS_DATA, NULL, "larger than %" G_GUINT64_FORMAT " bytes",
	          sink->max_bytes);
	return false;
}

static bool sink_put(Sink *sink, const void *data, gsize size_bytes, GError **error)
{
	if (size_bytes > sink->max_bytes - sink->done_bytes)
		return fail_too_large(sink, error);
	sink->done_bytes += size_bytes;
	return sink->put(sink->to, data, size_bytes, error);
}

/* Curl's write callback.  The body of anything but a 200 answer is of no use and ends the hop; but
 * that of a redirect has to end by itself, else curl does not say where it leads. */
static size_t on_body(char *data, size_t one, size_t size_bytes, void *user)
{
	Hop *hop = user;
	int status = http_handle_status(hop->handle);

	(void)one;
	if (status == 200)
		return sink_put(hop->sink, data, size_bytes, &hop->sink->failure) ? size_bytes : 0;
	hop->dropped_bytes += size_bytes;
	return is_redirect(status) && hop->dropped_bytes <= GET_MAX_BYTES ? size_bytes : 0;
}

/* Curl's progress callback; called each second at least.  Returns: non-zero to stop. */
static int on_progress(void *user, curl_off_t total, curl_off_t done, curl_off_t up_total,
                       curl_off_t up)
{
	const Hop *hop = user;

	(void)total;
	(void)done;
	(void)up_total;
	(void)up;
	return !hop->sink->failure && !cancel_check(&hop->sink->failure);
}

/* Runs one hop.  Returns: true when there is an HTTP status; the body is in the sink when it is
 * 200. */
static bool run_hop(const HttpHandle *handle, Sink *sink, GError **error)
{
	CURL *easy = http_handle_easy(handle);
	Hop hop = { handle, sink, 0 };

	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &hop);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &hop);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	/* What says beforehand that it is too large need not be sent; from 8.4 on, curl counts too. */
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
	                 (curl_off_t)MIN(sink->max_bytes, G_MAXINT64));
	CURLcode code = curl_easy_perform(easy);

	if (sink->failure) {
		g_propagate_error(error, g_steal_pointer(&sink->failure));
		return false;
	}
	if (code == CURLE_FILESIZE_EXCEEDED)
		return fail_too_large(sink, error);
	int status = http_handle_status(handle);
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0 && status != 200))
		return true;
	http_handle_fail(handle, (int)code, error);
	return false;
}

/* Returns: (transfer full) (nullable): where a redirect leads; NULL for any other answer. */
static char *redirect_of(const HttpHandle *handle)
{
	char *url = NULL;

	if (!is_redirect(http_handle_status(handle)))
		return NULL;
	(void)curl_easy_getinfo(http_handle_easy(handle), CURLINFO_REDIRECT_URL, &url);
	return g_strdup(url);
}

static void set_status(const HttpRequest *request, int status)
{
	if (request->status)
		*request->status = status;
}

/* Follows redirects by hand, so that each hop is judged as the first was, under one deadline. */
static bool run_hops(const HttpRequest *request, HttpTarget target, Sink *sink, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)request->timeout_ms * 1000;
	g_autofree char *url = g_strdup(request->url);

	for (guint hops = 0; hops <= REDIRECTS_MAX; hops++) {
		gint64 left_ms = (deadline - g_get_monotonic_time()) / 1000;
		HttpRequest hop = {
			.url = url,
			.unix_socket = request->unix_socket,
			.timeout_ms = (guint)MAX(left_ms, 1),
			.headers = request->headers,
		};
		g_autoptr(HttpHandle) handle = http_handle_new(&hop, &target, error);

		if (!handle || !run_hop(handle, sink, error))
			return false;
		int status = http_handle_status(handle);
		set_status(request, status);
		bool is_final = request->unix_socket || request->headers;
		g_autofree char *next = is_final ? NULL : redirect_of(handle);
		if (!next && status != 200)
			fault_set(error, STATUS_UNAVAILABLE, NULL, "HTTP status %d", status);
		if (!next)
			return status == 200;
		if (!http_target_of_redirect(next, url, &target, &target, error))
			return false;
		g_free(url);
		url = g_steal_pointer(&next);
	}
	fault_set(error, STATUS_UNAVAILABLE, NULL, "more than %d redirects", REDIRECTS_MAX);
	return false;
}

/* Never waits for the writer of a FIFO. */
int http_open_local(const char *url, guint64 *size_bytes, GError **error)
{
	g_autofree char *path = http_local_path(url);
	struct stat status = { 0 };
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		*size_bytes = (guint64)status.st_size;
		return fd;
	}
	if (fd < 0 && path && errno == EACCES)
		fault_set_errno(error, errno, "cannot read it");
	else
		fault_set(error, STATUS_UNAVAILABLE, NULL, "%s",
		          fd < 0 ? "no such file" : "not a regular file");
	file_fd_clear(&fd);
	return -1;
}

static bool copy_local(const HttpRequest *request, Sink *sink, GError **error)
{
	guint64 total_bytes = 0;
	g_auto(FileFd) fd = http_open_local(request->url, &total_bytes, error);
	g_autoptr(GByteArray) block = g_byte_array_set_size(g_byte_array_new(), BLOCK_BYTES);

	g_autofree char *path = http_local_path(request->url);
	if (fd < 0 && path && !file_exists(path))
		set_status(request, 404);
	if (fd < 0)
		return false;
	for (;;) {
		ssize_t count = read(fd, block->data, block->len);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			fault_set_errno(error, errno, "cannot read it");
			return false;
		}
		if (count == 0)
			return true;
		if (!cancel_check(error) || !sink_put(sink, block->data, (gsize)count, error))
			return false;
	}
}

static bool fetch(const HttpRequest *request, Sink *sink, GError **error)
{
	HttpTarget target = { .scheme = HTTP_SCHEME_FILE };
	bool is_path = request->url[0] == '/';

	if (!is_path && !http_target_of(request->url, request->unix_socket, &target, error))
		return false;
	bool is_done = target.scheme == HTTP_SCHEME_FILE ? copy_local(request, sink, error)
	                                                 : run_hops(request, target, sink, error);
	if (!is_done)
		g_prefix_error(error, "%s: ", request->url);
	return is_done;
}

static bool put_memory(gpointer to, const void *data, gsize size_bytes, GError **error)
{
	(void)error;
	g_byte_array_append(to, data, (guint)size_bytes);
	return true;
}

GBytes *http_get(const HttpRequest *request, GError **error)
{
	g_return_val_if_fail(request->url, NULL);

	g_autoptr(GByteArray) body = g_byte_array_new();
	gsize max_bytes = request->max_bytes ? request->max_bytes : GET_MAX_BYTES;
	Sink sink = { .put = put_memory, .to = body, .max_bytes = MIN(max_bytes, G_MAXINT32) };
	HttpRequest bounded = *request;

	if (!bounded.timeout_ms)
		bounded.timeout_ms = GET_TIMEOUT_MS;
	if (!fetch(&bounded, &sink, error))
		return NULL;
	return g_byte_array_free_to_bytes(g_steal_pointer(&body));
}

bool http_is_web_page(const void *head, gsize size_bytes)
{
	static const char *const starts[] = { "<!doc", "<html", "<head" };
	const char *at = head;

	while (size_bytes > 0 && g_ascii_isspace(*at)) {
		at++;
		size_bytes--;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(starts); i++)
		if (size_bytes > 5 && g_ascii_strncasecmp(at, starts[i], 5) == 0)
			return true;
	return false;
}
