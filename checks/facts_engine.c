/* checks/facts_engine.c - asks the container engine what it is and what it has
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "checks/facts_endpoint.h"
#include "checks/facts_private.h"
#include "checks/facts_socket.h"

/* Largest answer: /info of an engine with hundreds of plugins has about 100 KiB. */
#define ANSWER_MAX_BYTES ((gsize)1024 * 1024)

/* The API without a version in the path: every engine has it, whatever it still supports. */
static GBytes *get(const FactsSource *source, const char *base, const char *socket,
                   const char *path, GError **error)
{
	g_autofree char *url = g_strconcat(base, path, NULL);
	HttpRequest request = { .url = url,
		                .unix_socket = socket,
		                .timeout_ms = source_left_ms(source),
		                .max_bytes = ANSWER_MAX_BYTES };

	return http_get(&request, error);
}

static json_t *get_json(const FactsSource *source, const char *base, const char *socket,
                        const char *path, GError **error)
{
	g_autoptr(GBytes) body = get(source, base, socket, path, error);
	g_autoptr(json_t) value = body != NULL ? json_parse_bytes(body, path, error) : NULL;

	if (value != NULL && !json_is_object(value)) {
		fault_set(error, STATUS_DATA, NULL, "%s: not a JSON object", path);
		return NULL;
	}
	return g_steal_pointer(&value);
}

/* An engine that could not read its own memory says 0. */
static guint64 positive(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (guint64)value : FACTS_UNKNOWN;
}

static Fact is_rootless(const json_t *options)
{
	for (gsize i = 0; i < json_array_size(options); i++) {
		const char *option = json_string_value(json_array_get(options, i));

		if (option != NULL && g_str_has_prefix(option, "name=rootless"))
			return FACT_YES;
	}
	return json_is_array(options) ? FACT_NO : FACT_UNKNOWN;
}

static void take_info(const json_t *info, FactsEngine *engine)
{
	engine->version = g_strdup(json_text(info, "ServerVersion"));
	engine->product = g_strdup(json_text(info, "OperatingSystem"));
	engine->os_type = g_strdup(json_text(info, "OSType"));
	engine->root_dir = g_strdup(json_text(info, "DockerRootDir"));
	engine->storage_driver = g_strdup(json_text(info, "Driver"));
	engine->cgroup_version = g_strdup(json_text(info, "CgroupVersion"));
	engine->memory_bytes = positive(info, "MemTotal");
	engine->cpus = positive(info, "NCPU");
	engine->is_rootless = is_rootless(json_object_get(info, "SecurityOptions"));
}

static void fail(FactsEngine *engine, EngineState state, const GError *error)
{
	engine->state = state;
	engine->why = error != NULL ? fault_message(error) : NULL;
}

/* The ping is answered in a fraction of a millisecond, by an engine and by nothing else. */
static bool ping(const FactsSource *source, const char *base, const char *socket, GError **error)
{
	g_autoptr(GBytes) body = get(source, base, socket, "/_ping", error);
	gsize size_bytes = 0;
	const char *text = body != NULL ? g_bytes_get_data(body, &size_bytes) : NULL;

	if (body == NULL)
		return false;
	if (size_bytes != 2 || memcmp(text, "OK", 2) != 0) {
		fault_set(error, STATUS_DATA, NULL, "the answer is not that of an engine");
		return false;
	}
	return true;
}

static void ask(const FactsSource *source, const char *base, const char *socket,
                FactsEngine *engine)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) info = NULL;

	if (ping(source, base, socket, &error))
		info = get_json(source, base, socket, "/info", &error);
	if (info == NULL) {
		bool is_denied = g_error_matches(error, FAULT, STATUS_DENIED);

		fail(engine, is_denied ? ENGINE_DENIED : ENGINE_NO_ANSWER, error);
		return;
	}

	engine->state = ENGINE_OK;
	take_info(info, engine);
	if (engine->version == NULL) {
		g_autoptr(json_t) version = get_json(source, base, socket, "/version", NULL);

		engine->version = g_strdup(json_text(version, "Version"));
	}
}

static void ask_socket(const FactsSource *source, const char *path, FactsEngine *engine)
{
	static const char *const why[] = {
		[ENGINE_ABSENT] = "there is no such socket",
		[ENGINE_DENIED] = "permission denied",
		[ENGINE_REFUSED] = "nobody listens on the socket",
		[ENGINE_NO_ANSWER] = "the socket does not take connections",
	};
	g_auto(FileFd) fd = -1;
	EngineState state = socket_open(path, &fd);

	if (state == ENGINE_OK) {
		engine->is_here = peer_is_here(fd);
		file_fd_clear(&fd); /* an engine that serves one at a time must not wait for it */
		ask(source, "http://localhost", path, engine);
		return;
	}
	engine->state = state;
	engine->why = g_strdup(why[state]);
}

/* An engine elsewhere is not asked: its memory and ports are not those of this machine. */
static bool is_loopback(const char *url)
{
	return g_str_has_prefix(url, "tcp://127.0.0.1:") ||
	       g_str_has_prefix(url, "tcp://localhost:") || g_str_has_prefix(url, "tcp://[::1]:");
}

void facts_read_engine(const FactsSource *source, FactsEngine *engine)
{
	g_auto(Endpoint) endpoint = { NULL };

	endpoint_resolve(source, &endpoint);
	engine->endpoint = g_strdup(endpoint.url);
	engine->endpoint_source = g_strdup(endpoint.source);

	if (endpoint.url == NULL) {
		engine->state = ENGINE_ABSENT;
		engine->why = g_strdup("the context names no endpoint");
	} else if (g_str_has_prefix(endpoint.url, "unix://")) {
		ask_socket(source, endpoint.url + strlen("unix://"), engine);
	} else if (is_loopback(endpoint.url) && source_env(source, "DOCKER_TLS_VERIFY") == NULL) {
		g_autofree char *base = g_strconcat("http", endpoint.url + strlen("tcp"), NULL);

		ask(source, base, NULL, engine);
	} else {
		engine->state = ENGINE_REMOTE;
		engine->why = g_strdup("the endpoint is not on this machine, or needs TLS");
	}
}
