/* checks/facts_engine.c - asks the container engine what it is and what it has
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_engine.h"

#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http_stream.h"
#include "base/json.h"
#include "checks/facts_socket.h"

/* Largest answer: /info of an engine with hundreds of plugins has about 100 KiB. */
#define ANSWER_MAX_BYTES ((gsize)4 * 1024 * 1024)

/* Engines before it take every program since 2016.  Source: the release notes of Docker Engine 29, which
 * takes none before 25. */
#define FIRST_STRICT_ENGINE 29

/* Most that is shown of an engine's own words. */
#define WORDS_MAX 200

static bool put_answer(gpointer to, const void *data, gsize size_bytes, GError **error)
{
	GByteArray *answer = to;

	if (size_bytes > ANSWER_MAX_BYTES - answer->len) {
		fault_set(error, STATUS_DATA, NULL, "the answer is too large");
		return false;
	}
	g_byte_array_append(answer, data, (guint)size_bytes);
	return true;
}

struct EngineQuestion {
	const char *path; /* of the API, static */
	char *url, *socket;
	int connection; /* -1 for none; of the transfer */
	GByteArray *answer;
	HttpTransfer *transfer; /* (nullable): NULL with @error set */
	GError *error;
	gint64 start_us;
};

static void question_free(EngineQuestion *question)
{
	g_free(question->url);
	g_free(question->socket);
	g_byte_array_unref(question->answer);
	g_clear_error(&question->error);
	g_free(question);
}

/* Puts a question.  The API without a version in the path: every engine has it, whatever it still supports. */
static EngineQuestion *put(const FactsSource *source, const EngineAddress *address,
                           const char *path)
{
	EngineQuestion *question = g_new0(EngineQuestion, 1);

	question->path = path;
	question->start_us = g_get_monotonic_time();
	question->url = g_strconcat(address->base, path, NULL);
	question->socket = g_strdup(address->socket);
	question->connection = -1;
	question->answer = g_byte_array_new();
	question->transfer = http_stream_begin(&(HttpStream){ .method = "GET",
	                                                      .url = question->url,
	                                                      .unix_socket = question->socket,
	                                                      .connection = &question->connection,
	                                                      .timeout_ms = source_left_ms(source),
	                                                      .body_fd = -1,
	                                                      .on_data = put_answer,
	                                                      .to = question->answer },
	                                       &question->error);
	return question;
}

/* Waits for the answer.  @question: (transfer full) */
static json_t *take(EngineQuestion *question, char **refusal, GError **error)
{
	g_autoptr(GBytes) body = NULL;
	g_autoptr(json_t) value = NULL;
	int status = 0;

	if (question->transfer == NULL)
		g_propagate_error(error, g_steal_pointer(&question->error));
	else if (http_stream_end(question->transfer, &status, refusal, error))
		body = g_byte_array_free_to_bytes(g_byte_array_ref(question->answer));
	value = body != NULL ? json_parse_bytes(body, question->path, error) : NULL;
	question_free(question);
	if (value != NULL && !json_is_object(value) && !json_is_array(value)) {
		fault_set(error, STATUS_DATA, NULL, "the answer is not that of an engine");
		return NULL;
	}
	return g_steal_pointer(&value);
}

void engine_drop(EngineQuestion *question)
{
	if (question == NULL)
		return;
	http_stream_drop(question->transfer);
	question_free(question);
}

json_t *engine_ask(const FactsSource *source, const EngineAddress *address, const char *path)
{
	g_autofree char *refusal = NULL;

	return take(put(source, address, path), &refusal, NULL);
}

/* Returns: (transfer full): what the engine says in a refusal, on one line. */
static char *words_of(const char *refusal)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(refusal, strlen(refusal));
	g_autoptr(json_t) object = json_parse_bytes(bytes, "answer", NULL);
	const char *message = json_text(object, "message");
	g_autofree char *words = g_strndup(message != NULL ? message : refusal, WORDS_MAX);
	g_autofree char *valid = g_utf8_make_valid(words, -1);

	for (char *at = valid; *at != '\0'; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	return g_strstrip(g_steal_pointer(&valid));
}

static void fail(FactsEngine *engine, const char *refusal, const GError *error)
{
	g_autofree char *words = refusal != NULL ? words_of(refusal) : NULL;
	g_autofree char *lower = words != NULL ? g_ascii_strdown(words, -1) : NULL;

	engine->state = ENGINE_NO_ANSWER;
	if (g_error_matches(error, FAULT, STATUS_DENIED))
		engine->state = ENGINE_DENIED;
	else if (lower != NULL && strstr(lower, "paused") != NULL)
		engine->state = ENGINE_PAUSED;
	g_free(engine->why);
	engine->why = words != NULL ? g_steal_pointer(&words) : fault_message(error);
}

/* /version takes an engine as long as /info.  What it alone says matters of Docker Desktop, which has a
 * version of its own, and of engines that refuse old programs. */
static bool is_version_needed(const FactsEngine *engine)
{
	return g_strcmp0(engine->product, "Docker Desktop") == 0 ||
	       g_ascii_strtoull(engine->version, NULL, 10) >= FIRST_STRICT_ENGINE;
}

static void ask_version(const FactsSource *source, const EngineAddress *address,
                        FactsEngine *engine)
{
	g_autoptr(json_t) version = engine_ask(source, address, "/version");

	engine_take_version(version, engine);
}

/* @question: (transfer full): for /info. */
static void take_info(EngineQuestion *question, const FactsSource *source,
                      const EngineAddress *address, FactsEngine *engine)
{
	gint64 start_us = question->start_us;
	g_autoptr(GError) error = NULL;
	g_autofree char *refusal = NULL;
	g_autoptr(json_t) info = take(question, &refusal, &error);

	if (info != NULL && json_text(info, "ServerVersion") == NULL)
		fault_set(&error, STATUS_DATA, NULL, "the answer is not that of an engine");
	if (error != NULL) {
		fail(engine, refusal, error);
		return;
	}
	engine->state = ENGINE_OK;
	g_clear_pointer(&engine->why, g_free);
	engine->answer_ms = (guint64)(g_get_monotonic_time() - start_us) / 1000;
	engine_take_info(info, engine);
	if (source->is_thorough || is_version_needed(engine))
		ask_version(source, address, engine);
}

/* Docker Desktop's Resource Saver takes the connection at once, and some seconds to wake up. */
static bool is_asleep(const FactsSource *source, const char *path, const FactsEngine *engine)
{
	g_autofree char *target = source_target(source, path + strlen(source->root));

	return engine->state == ENGINE_NO_ANSWER && source_left_ms(source) <= 1 && target != NULL &&
	       (strstr(target, "/.docker/run/") != NULL ||
	        strstr(target, "/.docker/desktop/") != NULL);
}

static bool is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size_bytes = sizeof(peer);

	return fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &size_bytes) == 0;
}

/* Connects once where all is well; who cannot be asked is knocked at again, for the reason. */
static EngineQuestion *ask_socket(const FactsSource *source, const char *path, FactsEngine *engine)
{
	static const char *const why[] = {
		[ENGINE_ABSENT] = "there is no such socket",
		[ENGINE_DENIED] = "permission denied",
		[ENGINE_REFUSED] = "nobody listens on the socket",
		[ENGINE_NO_ANSWER] = "the socket does not take connections",
	};
	const EngineAddress address = { "http://localhost", path };
	EngineQuestion *question = file_exists(path) ? put(source, &address, "/info") : NULL;
	int fd = question != NULL ? question->connection : -1;
	g_auto(FileFd) knocked = -1;
	EngineState state = ENGINE_OK;

	if (!is_connected(fd)) {
		state = socket_open(path, &knocked);
		fd = knocked;
	}
	if (state != ENGINE_OK) {
		engine_drop(question);
		engine->state = state;
		engine->why = g_strdup(why[state]);
		return NULL;
	}
	engine->is_here = peer_is_here(fd);
	return question != NULL ? question : put(source, &address, "/info");
}

/* An engine elsewhere is not asked: its memory and ports are not those of this machine. */
static bool is_loopback(const char *url)
{
	return g_str_has_prefix(url, "tcp://127.0.0.1:") ||
	       g_str_has_prefix(url, "tcp://localhost:") || g_str_has_prefix(url, "tcp://[::1]:");
}

static void refuse(const Endpoint *endpoint, FactsEngine *engine)
{
	engine->state = ENGINE_REMOTE;
	if (strstr(endpoint->url, "://") == NULL)
		engine->why = g_strdup("that is no endpoint: it has no \"unix://\" or the like");
	else if (is_loopback(endpoint->url))
		engine->why = g_strdup("the endpoint needs TLS");
	else
		engine->why = g_strdup("the endpoint is not on this machine");
}

/* Returns: (nullable): the path of the socket. */
static const char *socket_of(const Endpoint *endpoint)
{
	static const char scheme[] = "unix://";
	bool is_socket = endpoint->url != NULL && g_str_has_prefix(endpoint->url, scheme);

	return is_socket ? endpoint->url + strlen(scheme) : NULL;
}

EngineQuestion *engine_begin(const FactsSource *source, const Endpoint *endpoint,
                             FactsEngine *engine)
{
	const char *path = socket_of(endpoint);

	engine->endpoint = g_strdup(endpoint->url);
	engine->endpoint_source = g_strdup(endpoint->source);
	if (path != NULL)
		return ask_socket(source, path, engine);
	if (endpoint->url == NULL) {
		engine->state = ENGINE_ABSENT;
		engine->why = g_strdup(endpoint->why);
		return NULL;
	}
	if (is_loopback(endpoint->url) && source_env(source, "DOCKER_TLS_VERIFY") == NULL) {
		g_autofree char *base = g_strconcat("http", endpoint->url + strlen("tcp"), NULL);

		return put(source, &(EngineAddress){ base, NULL }, "/info");
	}
	refuse(endpoint, engine);
	return NULL;
}

void engine_end(EngineQuestion *question, const FactsSource *source, const FactsWake *wake,
                const Endpoint *endpoint, FactsEngine *engine)
{
	const char *path = socket_of(endpoint);
	FactsSource later = *source;

	engine->others = endpoint_others(source, endpoint->url);
	if (path != NULL)
		facts_read_socket_group(source, path + strlen(source->root), engine);
	if (question == NULL)
		return;

	g_autofree char *base = path != NULL
	                                ? g_strdup("http://localhost")
	                                : g_strconcat("http", endpoint->url + strlen("tcp"), NULL);
	const EngineAddress address = { base, path };
	take_info(question, source, &address, engine);
	if (path == NULL || wake->timeout_ms == 0 || !is_asleep(source, path, engine))
		return;

	wake->on_wait(wake->data);
	later.deadline_us = g_get_monotonic_time() + (gint64)wake->timeout_ms * 1000;
	take_info(put(&later, &address, "/info"), &later, &address, engine);
}
