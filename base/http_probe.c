/* base/http_probe.c - do these servers answer: all at once, under one deadline
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/http_private.h"
#include "base/http_reach.h"

/* How long a signal can go unnoticed. */
#define POLL_MS 200

typedef struct {
	GPtrArray *handles; /* (element-type HttpHandle), NULL: answered without a request */
	HttpReach *reach;
	CURLM *multi;
	gint64 start_us;
} Probe;

/* A body says nothing more than the status did: end the transfer. */
static size_t on_body(const char *data, size_t one, size_t size_bytes, void *user)
{
	(void)data;
	(void)one;
	(void)size_bytes;
	(void)user;
	return 0;
}

static void start_url(Probe *probe, gsize index, const char *url, guint timeout_ms)
{
	g_autofree char *path = http_local_path(url);
	g_autoptr(GError) error = NULL;
	HttpRequest request = { .url = url, .timeout_ms = timeout_ms };
	HttpTarget target = { 0 };
	HttpReach *reach = &probe->reach[index];

	if (path) {
		bool is_there = access(path, F_OK) == 0;
		reach->state = is_there ? HTTP_REACH_ANSWERS : HTTP_REACH_NO_ROUTE;
		reach->why = is_there ? NULL : g_strdup("no such file");
		return;
	}
	HttpHandle *handle = http_target_of(url, false, &target, &error)
	                             ? http_handle_new(&request, &target, &error)
	                             : NULL;
	if (!handle) {
		reach->state = HTTP_REACH_REFUSED;
		reach->why = fault_message(error);
		return;
	}

	CURL *easy = http_handle_easy(handle);
	curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, GSIZE_TO_POINTER(index));
	curl_multi_add_handle(probe->multi, easy);
	g_ptr_array_index(probe->handles, index) = handle;
}

static const struct {
	CURLcode code;
	HttpReachState state;
} code_table[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, HTTP_REACH_NO_NAME },
	{ CURLE_COULDNT_RESOLVE_PROXY, HTTP_REACH_PROXY },
	{ CURLE_COULDNT_CONNECT, HTTP_REACH_NO_ROUTE },
	{ CURLE_OPERATION_TIMEDOUT, HTTP_REACH_SILENT },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_REACH_TLS },
	{ CURLE_SSL_CACERT_BADFILE, HTTP_REACH_TLS },
	{ CURLE_SSL_ISSUER_ERROR, HTTP_REACH_TLS },
	{ CURLE_SSL_CONNECT_ERROR, HTTP_REACH_TLS },
	{ CURLE_SSL_CIPHER, HTTP_REACH_TLS },
};

/* Returns: whether the connection that failed was to a proxy: curl names it then, with its port. */
static bool was_for_proxy(CURL *easy, const char *detail)
{
	char *url = NULL;
	long connect_status = 0;
	g_autofree char *host = NULL;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
	if (connect_status >= 300 || strstr(detail, "proxy") || strstr(detail, "Proxy"))
		return true;
	(void)curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	host = http_host_of(url);
	return g_str_has_prefix(detail, "Failed to connect to ") && host &&
	       !g_str_has_prefix(detail + strlen("Failed to connect to "), host);
}

static HttpReachState state_of(CURL *easy, CURLcode code, const char *detail)
{
	HttpReachState state = HTTP_REACH_BROKEN;

	for (gsize i = 0; i < G_N_ELEMENTS(code_table); i++)
		if (code_table[i].code == code)
			state = code_table[i].state;

	if (state == HTTP_REACH_TLS && strstr(detail, "wrong version number"))
		return HTTP_REACH_NO_TLS;
	if ((state == HTTP_REACH_NO_ROUTE || state == HTTP_REACH_BROKEN) &&
	    was_for_proxy(easy, detail))
		return HTTP_REACH_PROXY;
	return state;
}

/* Says how a request ended; @code of curl. */
static void judge(const Probe *probe, gsize index, CURLcode code)
{
	const HttpHandle *handle = g_ptr_array_index(probe->handles, index);
	HttpReach *reach = &probe->reach[index];
	g_autoptr(GError) error = NULL;

	reach->elapsed_ms = (guint)((g_get_monotonic_time() - probe->start_us) / 1000);
	reach->status = http_handle_status(handle);
	if (reach->status != 0) {
		reach->state = HTTP_REACH_ANSWERS;
		return;
	}
	http_handle_fail(handle, (int)code, &error);
	reach->state = state_of(http_handle_easy(handle), code, http_handle_detail(handle));
	reach->why = fault_message(error);
}

static void finish(const Probe *probe, const CURLMsg *message)
{
	char *index = NULL;

	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &index);
	judge(probe, GPOINTER_TO_SIZE(index), message->data.result);
}

static void drive(Probe *probe, guint timeout_ms, HttpReachWatch watch, gpointer data)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	int running = 0;
	int queued = 0;
	const CURLMsg *message = NULL;

	do {
		if (curl_multi_perform(probe->multi, &running) != CURLM_OK)
			return;
		while ((message = curl_multi_info_read(probe->multi, &queued)))
			if (message->msg == CURLMSG_DONE)
				finish(probe, message);
		if (watch)
			watch(data, (guint)running);
		if (running)
			(void)curl_multi_poll(probe->multi, NULL, 0, POLL_MS, NULL);
	} while (running && !cancel_signal() && g_get_monotonic_time() < deadline);
}

static guint count_urls(const char *const *urls)
{
	guint count = 0;

	while (urls[count])
		count++;
	return count;
}

HttpReach *http_reach(const char *const *urls, guint timeout_ms, HttpReachWatch watch,
                      gpointer data)
{
	guint count = count_urls(urls);

	http_init();
	g_autoptr(GPtrArray) handles = g_ptr_array_new();
	Probe probe = {
		.handles = handles,
		.reach = g_new0(HttpReach, count + 1),
		.multi = curl_multi_init(),
		.start_us = g_get_monotonic_time(),
	};

	g_ptr_array_set_size(handles, (gint)count);
	for (guint i = 0; i < count; i++)
		start_url(&probe, i, urls[i], timeout_ms);
	drive(&probe, timeout_ms, watch, data);
	for (guint i = 0; i < count; i++) {
		HttpHandle *handle = g_ptr_array_index(handles, i);

		if (!handle)
			continue;
		if (probe.reach[i].state == HTTP_REACH_SILENT && !probe.reach[i].why)
			judge(&probe, i, CURLE_OPERATION_TIMEDOUT);
		curl_multi_remove_handle(probe.multi, http_handle_easy(handle));
		http_handle_free(handle);
	}
	curl_multi_cleanup(probe.multi);
	return probe.reach;
}

void http_reach_free(HttpReach *reach, gsize count)
{
	for (gsize i = 0; i < count; i++)
		g_free(reach[i].why);
	g_free(reach);
}

bool *http_probe(const char *const *urls, guint timeout_ms, char ***why)
{
	guint count = count_urls(urls);
	HttpReach *reach = http_reach(urls, timeout_ms, NULL, NULL);
	bool *answers = g_new0(bool, count + 1);

	*why = g_new0(char *, count + 1);
	for (guint i = 0; i < count; i++) {
		answers[i] = reach[i].state == HTTP_REACH_ANSWERS;
		(*why)[i] = g_steal_pointer(&reach[i].why);
	}
	http_reach_free(reach, count);
	return answers;
}
