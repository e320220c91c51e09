/* base/download_net.c - the thread of a download: connections, their number, tries and waits
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/download_net.h"

#include <curl/curl.h>

#include "base/fault.h"

#define TRIES_MAX 5
#define WAIT_MAX_MS 30000
#define PATIENCE_SECONDS 120 /* that a server may ask for */
#define REDIRECTS_MAX 5
#define POLL_MS 200
#define RETRY_MS 1000
#define SLOWEST_BYTES ((guint64)64 * 1024) /* each second, on average */
#define SLACK_SECONDS 60

/* How long is looked at whether one connection is enough, and whether several are better. */
#define MEASURE_US ((gint64)500 * 1000)
#define MEASURE_WIDE_US ((gint64)2000 * 1000)
#define GRACE_US ((gint64)1000 * 1000) /* for hands to be shaken */
#define WORTHWHILE 1.3                 /* times the bytes */
/* More connections are of no use for less than that. */
#define WIDE_MIN_BYTES (2 * FLOW_BLOCK_BYTES)

static guint count_active(const Net *net)
{
	guint count = 0;

	for (guint i = 0; i < LANES_MAX; i++)
		count += net->lanes[i].handle != NULL;
	return count;
}

static void stop_all(Net *net)
{
	for (guint i = 0; i < LANES_MAX; i++)
		lane_stop(&net->lanes[i]);
}

/* Ends the download.  @failure: (transfer full) (nullable). */
static void finish(Net *net, GError *failure)
{
	stop_all(net);
	flow_finish(net->flow, failure);
	g_atomic_int_set(&net->is_stopped, 1);
}

static const char *page_hint(const Net *net)
{
	return net->is_page ? HTTP_PAGE_HINT : NULL;
}

static void fail_digest(Net *net)
{
	g_autofree char *found = flow_digest(net->flow);
	GError *failure = NULL;

	fault_set(&failure, STATUS_UNTRUSTED, page_hint(net), "the digest is %s, not %s", found,
	          net->what.sha256);
	finish(net, failure);
}

/* All of it is there, whatever comes now. */
static void conclude(Net *net)
{
	if (flow_matches(net->flow))
		finish(net, NULL);
	else
		fail_digest(net);
}

static guint wait_of_try(const Net *net)
{
	guint longest = net->what.retry_ms ? net->what.retry_ms : RETRY_MS;

	longest = MIN(longest << (net->tries - 1), WAIT_MAX_MS);
	return (guint)g_random_int_range(0, (gint32)longest + 1);
}

/* Another try, later, unless there were enough without progress.  @why: (transfer full). */
static void retry(Net *net, GError *why, guint wait_ms)
{
	if (flow_received(net->flow) >= net->tries_at + FLOW_BLOCK_BYTES) {
		net->tries = 0;
		net->tries_at = flow_received(net->flow);
	}
	if (++net->tries >= (net->what.tries ? net->what.tries : TRIES_MAX)) {
		g_prefix_error(&why, "%u tries: ", net->tries);
		finish(net, why);
		return;
	}
	g_clear_error(&net->last);
	net->last = why;
	net->not_before =
		g_get_monotonic_time() + (gint64)(wait_ms ? wait_ms : wait_of_try(net)) * 1000;
}

/* From here on a single connection brings all, each time from the start if need be. */
static void forget_ranges(Net *net)
{
	GError *why = NULL;

	fault_set(&why, STATUS_UNAVAILABLE, NULL,
	          "the server does not keep to the range that it was asked for");
	stop_all(net);
	net->may_range = false;
	net->has_ranges = false;
	net->lane_target = 1;
	flow_set_wide(net->flow, false);
	flow_drop_ahead(net->flow);
	retry(net, why, 0);
}

/* The end of a body without a length: only the digest knows whether it is all. */
static void conclude_unsaid(Net *net, Lane *lane)
{
	GError *why = NULL;

	lane_stop(lane);
	if (flow_matches(net->flow)) {
		finish(net, NULL);
		return;
	}
	fault_set(&why, STATUS_UNAVAILABLE, page_hint(net),
	          "it ends after %" G_GUINT64_FORMAT
	          " bytes, which do not have the digest; how many "
	          "there should be, the server does not say",
	          flow_received(net->flow));
	retry(net, why, 0);
}

static void follow_redirect(Net *net, Lane *lane, const char *location)
{
	GError *failure = NULL;
	HttpTarget target = { 0 };
	char *from = NULL;
	g_autofree char *next = g_strdup(location);

	(void)curl_easy_getinfo(http_handle_easy(lane->handle), CURLINFO_EFFECTIVE_URL, &from);

	if (++lane->hops > REDIRECTS_MAX)
		fault_set(&failure, STATUS_UNAVAILABLE, NULL, "more than %d redirects",
		          REDIRECTS_MAX);
	else if (http_target_of_redirect(next, from, &lane->target, &target, &failure)) {
		lane_hang_up(lane);
		if (lane_start(lane, next, &target, &failure))
			return;
	}
	finish(net, failure);
}

static bool is_passing(int status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

static GError *refusal(const Lane *lane, int status)
{
	GError *why = NULL;
	const char *hint = NULL;

	if (status == 511)
		hint = "This network wants a login first: open a web page in a browser, then try "
		       "again.";
	fault_set(&why, STATUS_UNAVAILABLE, hint, "HTTP status %d%s%s", status,
	          lane->hops ? " from " : "", lane->hops ? lane->url : "");
	return why;
}

/* How long the server asks us to wait; 0: it does not say, or says nothing sensible.  Curl reads this
 * header too, but newer versions cut it at six hours. */
static gint64 retry_after(const Lane *lane)
{
	guint64 seconds = 0;

	if (!lane->retry_after)
		return 0;
	if (g_ascii_string_to_unsigned(lane->retry_after, 10, 0, G_MAXINT32, &seconds, NULL))
		return (gint64)seconds;
	return MAX(curl_getdate(lane->retry_after, NULL) - time(NULL), 0);
}

static GError *too_long(int status, gint64 seconds)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autoptr(GDateTime) then = g_date_time_add_seconds(now, (double)seconds);
	g_autofree char *when = then ? g_date_time_format(then, "%F %T %z") : g_strdup("later");
	GError *why = NULL;

	fault_set(&why, STATUS_BUSY, "Try again then.",
	          "HTTP status %d: the server wants to be asked again in %" G_GINT64_FORMAT
	          " s, at %s",
	          status, seconds, when);
	return why;
}

/* Any status but 200 and 206. */
static void take_refusal(Net *net, Lane *lane, int status)
{
	GError *why = refusal(lane, status);
	gint64 seconds = is_passing(status) ? retry_after(lane) : 0;
	bool is_resolved = net->resolved && g_str_equal(lane->url, net->resolved);

	lane_stop(lane);
	if (count_active(net) > 0) { /* the others go on */
		net->lane_max = net->lane_target = count_active(net);
		g_error_free(why);
	} else if (seconds > PATIENCE_SECONDS) {
		g_error_free(why);
		finish(net, too_long(status, seconds));
	} else if (is_passing(status) && status != 511) {
		retry(net, why, (guint)seconds * 1000);
	} else if (is_resolved) { /* an address that was good for a while */
		g_clear_pointer(&net->resolved, g_free);
		retry(net, why, 1);
	} else {
		finish(net, why);
	}
}

static bool is_passing_result(CURLcode code)
{
	static const CURLcode codes[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
		CURLE_COULDNT_CONNECT,      CURLE_PARTIAL_FILE,
		CURLE_OPERATION_TIMEDOUT,   CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,           CURLE_RECV_ERROR,
		CURLE_HTTP2_STREAM,         CURLE_HTTP2,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* Curl's own failure: no connection, or one that broke. */
static void take_failure(Net *net, Lane *lane, CURLcode code)
{
	GError *why = NULL;
	long proxy_status = 0;

	(void)curl_easy_getinfo(http_handle_easy(lane->handle), CURLINFO_HTTP_CONNECTCODE,
	                        &proxy_status);
	http_handle_fail(lane->handle, (int)code, &why);
	if (code == CURLE_OPERATION_TIMEDOUT) /* of this try: there is a deadline for all */
		why->code = STATUS_UNAVAILABLE;
	lane_stop(lane);
	if (!is_passing_result(code) || proxy_status >= 300) {
		finish(net, why);
		return;
	}
	if (count_active(net) > 0)
		net->lane_max = net->lane_target = count_active(net);
	retry(net, why, 0);
}

/* Whether a body that ends with its connection may be whole: over TLS, curl fails when the server
 * leaves out the closing alert, which many do. */
static bool is_unsaid_end(const Net *net, const Lane *lane, CURLcode code)
{
	return code == CURLE_RECV_ERROR && lane->is_judged && flow_total(net->flow) == 0 &&
	       http_handle_status(lane->handle) == 200;
}

/* A whole body, as far as curl can tell. */
static void take_body(Net *net, Lane *lane)
{
	curl_off_t length = -1;
	bool is_short = lane->skip_bytes > 0 || lane->claim.at == lane->asked_from;

	(void)curl_easy_getinfo(http_handle_easy(lane->handle), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
	                        &length);
	if (flow_total(net->flow) == 0 && length < 0) {
		conclude_unsaid(net, lane);
	} else if (flow_total(net->flow) == 0 && length == 0) {
		lane_stop(lane);
		conclude(net);
	} else if (is_short && !flow_is_whole(net->flow)) {
		forget_ranges(net);
	} else {
		lane_stop(lane);
	}
}

/* 416: there is nothing behind what we have; or the server counts wrongly. */
static void take_no_more(Net *net, Lane *lane)
{
	if (flow_total(net->flow) == 0 && lane->asked_from > 0 && flow_matches(net->flow))
		finish(net, NULL);
	else
		forget_ranges(net);
}

static void take_answer(Net *net, Lane *lane, CURLcode code)
{
	int status = http_handle_status(lane->handle);
	char *location = NULL;

	(void)curl_easy_getinfo(http_handle_easy(lane->handle), CURLINFO_REDIRECT_URL, &location);
	if (is_unsaid_end(net, lane, code))
		conclude_unsaid(net, lane);
	else if (code != CURLE_OK && (code != CURLE_WRITE_ERROR || status < 300))
		take_failure(net, lane, code);
	else if (status >= 300 && status <= 399 && location)
		follow_redirect(net, lane, location);
	else if (status == 200 || status == 206)
		take_body(net, lane);
	else if (status == 416 && lane->is_ranged)
		take_no_more(net, lane);
	else
		take_refusal(net, lane, status);
}

static void take_end(Net *net, Lane *lane, CURLcode code)
{
	if (code == CURLE_OK)
		lane_judge(lane);
	switch (lane->end) {
	case LANE_FAILED:
		finish(net, g_steal_pointer(&lane->failure));
		return;
	case LANE_NO_RANGES:
		forget_ranges(net);
		return;
	case LANE_DONE:
		lane_stop(lane);
		return;
	case LANE_RUNNING:
	default:
		take_answer(net, lane, code);
		return;
	}
}

static void take_messages(Net *net)
{
	const CURLMsg *message = NULL;
	int queued = 0;

	while (!g_atomic_int_get(&net->is_stopped) &&
	       (message = curl_multi_info_read(net->multi, &queued))) {
		char *lane = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &lane);
		take_end(net, (Lane *)(void *)lane, message->data.result);
	}
	if (!g_atomic_int_get(&net->is_stopped) && flow_is_whole(net->flow))
		conclude(net);
}

static void start_lanes(Net *net)
{
	const char *url = net->resolved ? net->resolved : net->what.url;
	const HttpTarget *target = net->resolved ? &net->resolved_target : &net->target;

	for (guint i = 0; i < LANES_MAX; i++) {
		Lane *lane = &net->lanes[i];
		GError *failure = NULL;

		if (count_active(net) >= net->lane_target)
			return;
		if (lane->handle)
			continue;
		if (!flow_claim(net->flow, &lane->claim))
			return;
		if (!lane_start(lane, url, target, &failure)) {
			finish(net, failure);
			return;
		}
	}
}

static void set_lanes(Net *net, guint count)
{
	net->lane_target = count;
	if (count > 1)
		flow_set_wide(net->flow, true);
}

/* More connections than one, when the reader waits more than it works; one again, when they are not
 * much faster: then it is the line that is full, or this machine. */
static void measure(Net *net, gint64 now)
{
	guint64 arrived = net->arrived_bytes;
	gint64 spent_us = now - net->measured_at;
	bool is_wide = net->lane_target > 1;

	if (arrived == 0 || net->measured_at == 0 || spent_us <= 0) {
		net->measured_at = arrived ? MAX(now, net->measured_at) : 0;
		net->measured_bytes = arrived;
		(void)flow_take_waited_us(net->flow);
		return;
	}
	if (net->is_settled || spent_us < (is_wide ? MEASURE_WIDE_US : MEASURE_US))
		return;

	double rate = (double)(arrived - net->measured_bytes) / (double)spent_us;
	bool is_slow = flow_take_waited_us(net->flow) > spent_us / 2;
	guint64 left = flow_total(net->flow) - MIN(arrived, flow_total(net->flow));
	net->measured_at = now;
	net->measured_bytes = arrived;
	if (is_wide) {
		net->is_settled = true;
		if (rate < net->single_rate * WORTHWHILE)
			set_lanes(net, 1);
	} else if (is_slow && net->has_ranges && left >= WIDE_MIN_BYTES && net->lane_max > 1) {
		net->single_rate = rate;
		net->measured_at = now + GRACE_US;
		set_lanes(net, net->lane_max);
	}
}

static bool is_late(const Net *net, gint64 now)
{
	guint64 bytes = flow_total(net->flow) ? flow_total(net->flow) : net->what.max_bytes;
	gint64 seconds = SLACK_SECONDS + (gint64)(bytes / SLOWEST_BYTES);

	if (net->what.timeout_ms)
		return now > net->deadline;
	return now > net->deadline + seconds * G_USEC_PER_SEC;
}

static void resume_paused(Net *net)
{
	for (guint i = 0; i < LANES_MAX; i++) {
		Lane *lane = &net->lanes[i];

		if (!lane->handle || !lane->is_paused)
			continue;
		lane->is_paused = false;
		(void)curl_easy_pause(http_handle_easy(lane->handle), CURLPAUSE_CONT);
	}
}

static void tick(Net *net)
{
	gint64 now = g_get_monotonic_time();
	GError *failure = NULL;

	if (is_late(net, now)) {
		fault_set(&failure, STATUS_DEADLINE, NULL, "timed out%s%s",
		          net->last ? "; the last try: " : "", net->last ? net->last->message : "");
		finish(net, failure);
		return;
	}
	measure(net, now);
	if (now >= net->not_before)
		start_lanes(net);
}

static int poll_ms(const Net *net)
{
	gint64 left_ms = (net->not_before - g_get_monotonic_time()) / 1000 + 1;

	return left_ms > 0 ? (int)MIN(left_ms, POLL_MS) : POLL_MS;
}

gpointer net_run(gpointer data)
{
	Net *net = data;
	int running = 0;

	while (!g_atomic_int_get(&net->is_stopped)) {
		if (g_atomic_int_compare_and_exchange(&net->has_room, 1, 0))
			resume_paused(net);
		tick(net);
		if (curl_multi_perform(net->multi, &running) != CURLM_OK)
			g_error("libcurl fails");
		take_messages(net);
		if (!g_atomic_int_get(&net->is_stopped))
			(void)curl_multi_poll(net->multi, NULL, 0, poll_ms(net), NULL);
	}
	stop_all(net);
	g_clear_error(&net->last);
	return NULL;
}
