/* installer/engine.c - the engine's API, through its socket
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/engine.h"

#include <string.h>

#include "base/fault.h"
#include "base/http_stream.h"

#define ASK_MS 3000
#define ANSWER_MAX_BYTES ((gsize)16 * 1024 * 1024)
#define PROJECT_LABEL "com.docker.compose.project"
#define NO_ENGINE_HINT "Start the engine (Docker), then run the same command again."

char *engine_project_filter(const char *project)
{
	g_autofree char *filter =
		g_strdup_printf("{\"label\":[\"" PROJECT_LABEL "=%s\"]}", project);
	g_autofree char *query = g_uri_escape_string(filter, NULL, FALSE);

	return g_strconcat("filters=", query, NULL);
}

/* Puts the engine's own words into the message; takes @cause. */
static void fail(const char *endpoint, int status, const char *refusal, GError *cause,
                 GError **error)
{
	gsize size = refusal ? strlen(refusal) : 0;
	g_autoptr(GBytes) bytes = g_bytes_new(refusal, size);
	g_autoptr(json_t) answer = size > 0 ? json_parse_bytes(bytes, "engine", NULL) : NULL;
	const char *words = json_text(answer, "message");
	g_autofree char *message = fault_message(cause);
	bool is_full = words && strstr(words, "no space left on device");

	if (status == 0)
		fault_set(error, fault_status(cause),
		          fault_status(cause) == STATUS_UNAVAILABLE ? NO_ENGINE_HINT : NULL,
		          "the engine at %s does not answer: %s", endpoint, message);
	else
		fault_set(error, is_full ? STATUS_IO : fault_status(cause), NULL, "the engine: %s",
		          words ? words : message);
	g_error_free(cause);
}

/* Fills in where to; @url is kept by the caller. */
static bool address(const char *endpoint, const char *path, HttpStream *request, char **url,
                    GError **error)
{
	if (endpoint && g_str_has_prefix(endpoint, "unix://")) {
		request->unix_socket = endpoint + strlen("unix://");
		*url = g_strconcat("http://localhost", path, NULL);
	} else if (endpoint && g_str_has_prefix(endpoint, "tcp://")) {
		*url = g_strconcat("http://", endpoint + strlen("tcp://"), path, NULL);
	} else {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Set DOCKER_HOST to the unix:// socket of an engine on this machine.",
		          "the engine at %s cannot be asked from here",
		          endpoint ? endpoint : "(a context without an address)");
		return false;
	}
	request->url = *url;
	return true;
}

/* @status: set to the HTTP status, 0 where there was none. */
static bool request_status(const char *endpoint, const char *path, HttpStream *what, int *status,
                           GError **error)
{
	g_autofree char *url = NULL;
	g_autofree char *refusal = NULL;
	GError *cause = NULL;

	*status = 0;
	if (!address(endpoint, path, what, &url, error))
		return false;
	if (http_stream(what, status, &refusal, &cause))
		return true;
	/* A cancellation, and what our own callback said, stand as they are. */
	if ((*status >= 200 && *status <= 299) || fault_status(cause) >= STATUS_HANGUP)
		g_propagate_error(error, cause);
	else
		fail(endpoint, *status, refusal, cause, error);
	return false;
}

static bool request(const char *endpoint, const char *path, HttpStream *what, GError **error)
{
	int status = 0;

	return request_status(endpoint, path, what, &status, error);
}

static bool keep(gpointer to, const void *data, gsize size_bytes, GError **error)
{
	GByteArray *body = to;

	if (size_bytes > ANSWER_MAX_BYTES - body->len) {
		fault_set(error, STATUS_DATA, NULL, "the engine's answer is too large");
		return false;
	}
	g_byte_array_append(body, data, (guint)size_bytes);
	return true;
}

json_t *engine_find(const char *endpoint, const char *path, guint timeout_ms, bool *is_absent,
                    GError **error)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	HttpStream what = { .method = "GET",
		            .timeout_ms = timeout_ms,
		            .body_fd = -1,
		            .on_data = keep,
		            .to = body };
	int status = 0;
	bool is_done = request_status(endpoint, path, &what, &status, error);

	*is_absent = status == 404;
	if (!is_done)
		return NULL;

	g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(&body));
	return json_parse_bytes(bytes, "engine", error);
}

json_t *engine_get(const char *endpoint, const char *path, GError **error)
{
	bool is_absent = false;

	return engine_find(endpoint, path, ASK_MS, &is_absent, error);
}

/* 304: it runs, or is stopped, already; 404: it is gone. */
static bool is_done_already(int status)
{
	return status == 304 || status == 404;
}

bool engine_do(const char *endpoint, const char *method, const char *path, guint timeout_ms,
               GError **error)
{
	HttpStream what = { .method = method, .timeout_ms = timeout_ms, .body_fd = -1 };

	int status = 0;
	g_autoptr(GError) cause = NULL;

	if (request_status(endpoint, path, &what, &status, &cause) || is_done_already(status))
		return true;
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

bool engine_read(const char *endpoint, const char *path,
                 bool (*on_data)(gpointer to, const void *data, gsize size_bytes, GError **error),
                 gpointer to, GError **error)
{
	HttpStream what = { .method = "GET", .body_fd = -1, .on_data = on_data, .to = to };

	return request(endpoint, path, &what, error);
}

bool engine_follow(const char *endpoint, const char *path, guint quiet_ms,
                   bool (*on_data)(gpointer to, const void *data, gsize size_bytes, GError **error),
                   gpointer to, GError **error)
{
	HttpStream what = {
		.method = "POST", .quiet_ms = quiet_ms, .body_fd = -1, .on_data = on_data, .to = to
	};

	return request(endpoint, path, &what, error);
}

bool engine_send(const char *endpoint, const char *path, int fd, GError **error)
{
	HttpStream what = { .method = "PUT", .body_fd = fd };

	return request(endpoint, path, &what, error);
}
