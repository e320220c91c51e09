/* base/download_lane.c - one connection of a download: its request, and what the answer may be
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <curl/curl.h>
#include <string.h>

#include "base/digest.h"
#include "base/download_net.h"
#include "base/fault.h"

#define DROPPED_MAX_BYTES ((gsize)1024 * 1024)
#define BUFFER_BYTES (256L * 1024)
#define STALL_MS 30000

static void fail(Lane *lane, GError *failure)
{
	g_clear_error(&lane->failure);
	lane->failure = failure;
	lane->end = LANE_FAILED;
}

static bool is_same(const char *a, const char *b)
{
	return !a || !b || g_str_equal(a, b);
}

bool lane_is_other_file(const Lane *lane, gint64 length)
{
	const Net *net = lane->net;
	guint64 total = flow_total(net->flow);

	return !is_same(net->etag, lane->etag) || !is_same(net->modified, lane->modified) ||
	       (total && length >= 0 && (guint64)length != total);
}

static void fail_exchanged(Lane *lane)
{
	GError *failure = NULL;

	lane->net->was_exchanged = true;
	fault_set(&failure, STATUS_UNAVAILABLE, "Try again.",
	          "the server has another file there now than when the download began");
	fail(lane, failure);
}

static gint64 content_length(const Lane *lane)
{
	curl_off_t length = -1;

	(void)curl_easy_getinfo(http_handle_easy(lane->handle), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
	                        &length);
	return length;
}

/* Any answer may be the first that says how large the file is. */
static void learn_total(Lane *lane, gint64 length)
{
	GError *failure = NULL;

	if (length > 0 && !flow_set_total(lane->net->flow, (guint64)length, &failure))
		fail(lane, failure);
}

/* The first answer of all says what the file is. */
static void learn(Lane *lane, gint64 length)
{
	Net *net = lane->net;

	learn_total(lane, length);
	net->is_known = true;
	net->etag = g_strdup(lane->etag);
	net->modified = g_strdup(lane->modified);
	net->has_ranges = length > 0 && lane->accept_ranges &&
	                  g_ascii_strcasecmp(lane->accept_ranges, "bytes") == 0;
}

/* A 200: the whole from its start.  What is there already is compared, for a server that gives no
 * ranges; only a single connection that goes on where all others ended can do that. */
static void judge_whole(Lane *lane)
{
	Net *net = lane->net;
	gint64 length = content_length(lane);

	if (!net->is_known) {
		learn(lane, length);
		return;
	}
	if (lane_is_other_file(lane, length)) {
		fail_exchanged(lane);
		return;
	}
	if (net->lane_target > 1 || lane->claim.at != flow_received(net->flow)) {
		lane->end = LANE_NO_RANGES;
		return;
	}
	lane->skip_bytes = lane->claim.at;
	if (lane->skip_bytes)
		lane->skipped = digest_new();
	learn_total(lane, length);
}

/* Reads "bytes FROM-LAST/TOTAL"; @total: 0 for "*". */
static bool read_content_range(const char *text, guint64 *from, guint64 *last, guint64 *total)
{
	g_auto(GStrv) parts = g_strsplit_set(text, " -/", 4);

	*total = 0;
	return g_strv_length(parts) == 4 && g_ascii_strcasecmp(parts[0], "bytes") == 0 &&
	       g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXINT64, from, NULL) &&
	       g_ascii_string_to_unsigned(parts[2], 10, *from, G_MAXINT64, last, NULL) &&
	       (g_str_equal(parts[3], "*") ||
	        g_ascii_string_to_unsigned(parts[3], 10, *last + 1, G_MAXINT64, total, NULL));
}

static void judge_part(Lane *lane)
{
	Net *net = lane->net;
	guint64 from = 0;
	guint64 last = 0;
	guint64 total = 0;

	if (!lane->is_ranged || !lane->content_range ||
	    !read_content_range(lane->content_range, &from, &last, &total) ||
	    from != lane->claim.at) {
		lane->end = LANE_NO_RANGES;
		return;
	}
	if (lane_is_other_file(lane, total ? (gint64)total : -1)) {
		fail_exchanged(lane);
		return;
	}
	net->has_ranges = true;
	learn_total(lane, (gint64)total);
}

static void keep_resolved(const Lane *lane)
{
	Net *net = lane->net;

	if (lane->hops == 0 || net->resolved)
		return;
	net->resolved = g_strdup(lane->url);
	net->resolved_target = lane->target;
}

void lane_judge(Lane *lane)
{
	int status = http_handle_status(lane->handle);

	if (lane->is_judged || (status != 200 && status != 206))
		return;
	lane->is_judged = true;
	if (status == 200)
		judge_whole(lane);
	else
		judge_part(lane);
	if (lane->end == LANE_RUNNING)
		keep_resolved(lane);
}

/* The body of a redirect or a refusal.  Returns: what curl is told: it has to read a redirect to its
 * end to say where that leads, and keeps a connection only then. */
static size_t drop(Lane *lane, size_t size_bytes)
{
	lane->dropped_bytes += size_bytes;
	return lane->dropped_bytes <= DROPPED_MAX_BYTES ? size_bytes : 0;
}

static bool is_sane(Lane *lane, const void *data, gsize size_bytes)
{
	GError *failure = NULL;

	if (lane->claim.at == 0)
		lane->net->is_page = http_is_web_page(data, size_bytes);
	if (lane->claim.at + size_bytes > lane->net->what.max_bytes)
		fault_set(&failure, STATUS_DATA, NULL, "larger than %" G_GUINT64_FORMAT " bytes",
		          lane->net->what.max_bytes);
	if (failure)
		fail(lane, failure);
	return !failure;
}

/* Compares bytes that are known with those that come again.  Returns: how many these were. */
static gsize skip(Lane *lane, const void *data, gsize size_bytes)
{
	gsize count = (gsize)MIN(size_bytes, lane->skip_bytes);

	if (count == 0)
		return 0;
	digest_add(lane->skipped, data, count);
	lane->skip_bytes -= count;
	if (lane->skip_bytes > 0)
		return count;

	g_autofree char *here = digest_hex(lane->skipped);
	g_autofree char *known = flow_digest(lane->net->flow);
	if (!g_str_equal(here, known))
		fail_exchanged(lane);
	return count;
}

static size_t on_body(char *data, size_t one, size_t size_bytes, void *user)
{
	Lane *lane = user;
	Flow *flow = lane->net->flow;

	(void)one;
	lane_judge(lane);
	if (lane->end != LANE_RUNNING)
		return 0;
	if (!lane->is_judged)
		return drop(lane, size_bytes);
	if (!flow_has_room(flow, &lane->claim, size_bytes)) {
		lane->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}

	gsize known = skip(lane, data, size_bytes);
	if (lane->end != LANE_RUNNING || known == size_bytes)
		return lane->end == LANE_RUNNING ? size_bytes : 0;
	if (!is_sane(lane, data + known, size_bytes - known))
		return 0;
	lane->net->arrived_bytes += size_bytes - known;
	if (flow_put(flow, &lane->claim, data + known, size_bytes - known))
		return size_bytes;
	lane->end = LANE_DONE;
	return 0;
}

static void forget_head(Lane *lane)
{
	g_clear_pointer(&lane->etag, g_free);
	g_clear_pointer(&lane->modified, g_free);
	g_clear_pointer(&lane->content_range, g_free);
	g_clear_pointer(&lane->accept_ranges, g_free);
	g_clear_pointer(&lane->retry_after, g_free);
}

static void note_header(Lane *lane, const char *line)
{
	const struct {
		const char *name;
		char **value;
	} kept[] = {
		{ "ETag:", &lane->etag },
		{ "Last-Modified:", &lane->modified },
		{ "Content-Range:", &lane->content_range },
		{ "Accept-Ranges:", &lane->accept_ranges },
		{ "Retry-After:", &lane->retry_after },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
		gsize length = strlen(kept[i].name);

		if (g_ascii_strncasecmp(line, kept[i].name, length) != 0)
			continue;
		g_free(*kept[i].value);
		*kept[i].value = g_strstrip(g_strdup(line + length));
	}
}

static size_t on_header(const char *data, size_t one, size_t size_bytes, void *user)
{
	g_autofree char *line = g_strndup(data, size_bytes);

	(void)one;
	/* Another head follows a "100 Continue". */
	if (g_str_has_prefix(line, "HTTP/"))
		forget_head(user);
	note_header(user, line);
	return size_bytes;
}

static void set_options(Lane *lane)
{
	CURL *easy = http_handle_easy(lane->handle);
	guint stall_ms = lane->net->what.stall_ms ? lane->net->what.stall_ms : STALL_MS;

	/* One stream of HTTP/2 is a part of one connection, and cannot be held back alone. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(stall_ms + 999) / 1000);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(stall_ms, 15000));
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, lane);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, lane);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, lane);
}

/* Returns: (transfer full): what makes a changed file come whole instead of its tail; a weak ETag
 * promises nothing about bytes. */
static char *if_range(const Net *net)
{
	const char *validator =
		net->etag && !g_str_has_prefix(net->etag, "W/") ? net->etag : net->modified;

	return validator ? g_strconcat("If-Range: ", validator, NULL) : NULL;
}

bool lane_start(Lane *lane, const char *url, const HttpTarget *target, GError **error)
{
	Net *net = lane->net;
	guint64 from = lane->claim.at;
	g_autofree char *validator = if_range(net);
	g_autofree char *range =
		net->lane_target > 1
			? g_strdup_printf("Range: bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT,
	                                  from, lane->claim.end - 1)
			: g_strdup_printf("Range: bytes=%" G_GUINT64_FORMAT "-", from);
	const char *headers[] = { "Accept-Encoding: identity", range, validator, NULL };

	lane->is_ranged = net->may_range && (net->lane_target > 1 || from > 0);
	if (!lane->is_ranged)
		headers[1] = NULL;
	HttpRequest request = { .url = url, .headers = headers };
	lane->handle = http_handle_new(&request, target, error);
	if (!lane->handle)
		return false;
	lane->target = *target;
	lane->asked_from = from;
	g_free(lane->url);
	lane->url = g_strdup(url);
	set_options(lane);
	return curl_multi_add_handle(net->multi, http_handle_easy(lane->handle)) == CURLM_OK;
}

/* Takes the request off, not the claim: a redirect goes on with it. */
void lane_hang_up(Lane *lane)
{
	if (lane->handle)
		curl_multi_remove_handle(lane->net->multi, http_handle_easy(lane->handle));
	g_clear_pointer(&lane->handle, http_handle_free);
	g_clear_pointer(&lane->skipped, digest_free);
	forget_head(lane);
	lane->skip_bytes = 0;
	lane->dropped_bytes = 0;
	lane->is_judged = false;
	lane->is_paused = false;
	lane->end = LANE_RUNNING;
	g_clear_error(&lane->failure);
}

void lane_stop(Lane *lane)
{
	lane_hang_up(lane);
	g_clear_pointer(&lane->url, g_free);
	lane->hops = 0;
	flow_release(lane->net->flow, &lane->claim);
}
