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

/* How long a signal can go unnoticed. */
#define POLL_MS 200

typedef struct {
	GPtrArray *handles; /* (element-type HttpHandle), NULL: answered without a request */
	bool *answers;
	char **why;
	CURLM *multi;
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

	if (path) {
		probe->answers[index] = access(path, F_OK) == 0;
		probe->why[index] = probe->answers[index] ? NULL : g_strdup("no such file");
		return;
	}
	HttpHandle *handle = http_target_of(url, false, &target, &error)
	                             ? http_handle_new(&request, &target, &error)
	                             : NULL;
	if (!handle) {
		probe->why[index] = fault_message(error);
		return;
	}

	CURL *easy = http_handle_easy(handle);
	curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, GSIZE_TO_POINTER(index));
	curl_multi_add_handle(probe->multi, easy);
	g_ptr_array_index(probe->handles, index) = handle;
}

/* Says how a request ended; @code of curl. */
static void judge(const Probe *probe, gsize index, CURLcode code)
{
	const HttpHandle *handle = g_ptr_array_index(probe->handles, index);
	g_autoptr(GError) error = NULL;

	probe->answers[index] = http_handle_status(handle) != 0;
	if (probe->answers[index])
		return;
	http_handle_fail(handle, (int)code, &error);
	probe->why[index] = fault_message(error);
}

static void finish(const Probe *probe, const CURLMsg *message)
{
	char *index = NULL;

	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &index);
	judge(probe, GPOINTER_TO_SIZE(index), message->data.result);
}

static void drive(Probe *probe, guint timeout_ms)
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
		if (running)
			(void)curl_multi_poll(probe->multi, NULL, 0, POLL_MS, NULL);
	} while (running && !cancel_signal() && g_get_monotonic_time() < deadline);
}

bool *http_probe(const char *const *urls, guint timeout_ms, char ***why)
{
	guint count = 0;

	while (urls[count])
		count++;
	http_init();
	g_autoptr(GPtrArray) handles = g_ptr_array_new();
	Probe probe = {
		.handles = handles,
		.answers = g_new0(bool, count + 1),
		.why = g_new0(char *, count + 1),
		.multi = curl_multi_init(),
	};

	g_ptr_array_set_size(handles, (gint)count);
	for (guint i = 0; i < count; i++)
		start_url(&probe, i, urls[i], timeout_ms);
	drive(&probe, timeout_ms);
	for (guint i = 0; i < count; i++) {
		HttpHandle *handle = g_ptr_array_index(handles, i);

		if (!handle)
			continue;
		if (!probe.answers[i] && !probe.why[i])
			judge(&probe, i, CURLE_OPERATION_TIMEDOUT);
		curl_multi_remove_handle(probe.multi, http_handle_easy(handle));
		http_handle_free(handle);
	}
	curl_multi_cleanup(probe.multi);
	*why = probe.why;
	return probe.answers;
}
