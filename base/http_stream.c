/* base/http_stream.c - requests whose body has no place in memory, or no end
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/http_stream.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/http_private.h"

/* How long to wait for a socket before asking again whether somebody wants us to stop. */
#define POLL_MS 1000
#define CONNECT_TIMEOUT_MS 15000L

struct HttpTransfer {
	HttpStream stream;
	HttpHandle *handle;
	CURLM *multi;
	GString *refusal;
	GError *failure; /* (nullable): of a callback */
};

static bool is_good(int status)
{
	return status >= 200 && status <= 299;
}

/* Curl's write callback. */
static size_t on_body(char *data, size_t one, size_t size_bytes, void *user)
{
	HttpTransfer *it = user;
	gsize room = HTTP_REFUSAL_MAX_BYTES - it->refusal->len;

	(void)one;
	if (!is_good(http_handle_status(it->handle))) {
		g_string_append_len(it->refusal, data, (gssize)MIN(room, size_bytes));
		return size_bytes;
	}
	if (it->stream.on_data &&
	    !it->stream.on_data(it->stream.to, data, size_bytes, &it->failure))
		return 0;
	return size_bytes;
}

/* Curl's read callback. */
static size_t on_send(char *buffer, size_t one, size_t size_bytes, void *user)
{
	HttpTransfer *it = user;
	gssize size = file_read_fd(it->stream.body_fd, buffer, one * size_bytes);

	if (size >= 0)
		return (size_t)size;
	fault_set_errno(&it->failure, errno, "cannot read what is to be sent");
	return CURL_READFUNC_ABORT;
}

/* Curl's callbacks for its socket: who asks wants to know which it is. */
static curl_socket_t on_open(void *user, curlsocktype purpose G_GNUC_UNUSED,
                             struct curl_sockaddr *address)
{
	const HttpTransfer *it = user;

	*it->stream.connection = http_socket(address->family, address->socktype, address->protocol);
	return *it->stream.connection;
}

static int on_close(void *user, curl_socket_t fd)
{
	const HttpTransfer *it = user;

	*it->stream.connection = -1;
	return close(fd);
}

static void set_options(CURL *easy, HttpTransfer *it)
{
	const HttpStream *stream = &it->stream;

	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, it);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((stream->quiet_ms + 999) / 1000));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	if (stream->connection) {
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, it);
		curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
		curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, it);
	}
	if (stream->body_fd >= 0) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
		curl_easy_setopt(easy, CURLOPT_READDATA, it);
	} else if (stream->json) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, stream->json);
	} else if (g_str_equal(stream->method, "POST")) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, stream->method);
}

/* Asks whether the receiver wants more. */
static bool is_wanted(HttpTransfer *it)
{
	return !it->stream.on_data || !is_good(http_handle_status(it->handle)) ||
	       it->stream.on_data(it->stream.to, "", 0, &it->failure);
}

/* Returns: curl's result; CURLE_ABORTED_BY_CALLBACK when a signal came, or the receiver has enough. */
static CURLcode drive(HttpTransfer *it)
{
	struct curl_waitfd cancel = { .fd = cancel_fd(), .events = CURL_WAIT_POLLIN };
	int running = 1;
	int left = 0;
	int ready = 1;

	while (running > 0) {
		if (cancel_signal() != 0 || (ready == 0 && !is_wanted(it)))
			return CURLE_ABORTED_BY_CALLBACK;
		if (curl_multi_perform(it->multi, &running) != CURLM_OK ||
		    (running > 0 && curl_multi_wait(it->multi, &cancel, cancel.fd >= 0 ? 1 : 0,
		                                    POLL_MS, &ready) != CURLM_OK))
			return CURLE_FAILED_INIT;
	}

	const CURLMsg *message = curl_multi_info_read(it->multi, &left);
	return message ? message->data.result : CURLE_FAILED_INIT;
}

static bool judge(HttpTransfer *it, CURLcode code, GError **error)
{
	int status = http_handle_status(it->handle);

	if (it->failure) {
		g_propagate_error(error, g_steal_pointer(&it->failure));
		return false;
	}
	if (code == CURLE_ABORTED_BY_CALLBACK && !cancel_check(error))
		return false;
	if (code != CURLE_OK) {
		http_handle_fail(it->handle, (int)code, error);
		return false;
	}
	if (!is_good(status))
		fault_set(error, STATUS_UNAVAILABLE, NULL, "HTTP status %d", status);
	return is_good(status);
}

static void transfer_free(HttpTransfer *it)
{
	if (it->multi)
		curl_multi_remove_handle(it->multi, http_handle_easy(it->handle));
	curl_multi_cleanup(it->multi);
	http_handle_free(it->handle);
	g_string_free(it->refusal, TRUE);
	g_clear_error(&it->failure);
	g_free(it);
}

HttpTransfer *http_stream_begin(const HttpStream *stream, GError **error)
{
	static const char *const json_headers[] = { "Content-Type: application/json", NULL };
	const HttpRequest request = { .url = stream->url,
		                      .unix_socket = stream->unix_socket,
		                      .timeout_ms = stream->timeout_ms,
		                      .headers = stream->json ? json_headers : NULL };
	HttpTarget target = { 0 };
	int running = 0;

	if (!http_target_of(stream->url, stream->unix_socket != NULL, &target, error))
		return NULL;
	HttpHandle *handle = http_handle_new(&request, &target, error);
	if (!handle)
		return NULL;

	HttpTransfer *it = g_new0(HttpTransfer, 1);
	*it = (HttpTransfer){ *stream, handle, curl_multi_init(), g_string_new(NULL), NULL };
	set_options(http_handle_easy(handle), it);
	/* What fails here fails again in drive(), and is said there. */
	if (it->multi && curl_multi_add_handle(it->multi, http_handle_easy(handle)) == CURLM_OK)
		(void)curl_multi_perform(it->multi, &running);
	return it;
}

void http_stream_drop(HttpTransfer *transfer)
{
	if (transfer)
		transfer_free(transfer);
}

bool http_stream_end(HttpTransfer *transfer, int *status, char **refusal, GError **error)
{
	CURLcode code = transfer->multi ? drive(transfer) : CURLE_FAILED_INIT;
	bool is_done = judge(transfer, code, error);

	*status = http_handle_status(transfer->handle);
	*refusal = transfer->refusal->len > 0 && !is_done ? g_strdup(transfer->refusal->str) : NULL;
	transfer_free(transfer);
	return is_done;
}

bool http_stream(const HttpStream *stream, int *status, char **refusal, GError **error)
{
	HttpTransfer *transfer = http_stream_begin(stream, error);

	return transfer && http_stream_end(transfer, status, refusal, error);
}
