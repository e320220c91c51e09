/* installer/ollama_api.c - talks to a running Ollama
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/ollama_api.h"

#include <string.h>

#include "base/fault.h"
#include "base/http_stream.h"
#include "base/json.h"
#include "installer/recipe.h"

#define ASK_TIMEOUT_MS 10000
#define ANSWER_MAX_BYTES ((gsize)16 * 1024 * 1024)
#define WORDS_MAX_BYTES 300
/* A day: some hundred GiB over a slow line.  Ollama itself gives a part up after 30 s without a
 * byte and tries six times; checking the digest of what it has takes minutes without a word. */
#define PULL_TIMEOUT_MS ((guint)24 * 60 * 60 * 1000)
#define PULL_QUIET_MS ((guint)15 * 60 * 1000)

static char *fail_host(const char *host, GError **error)
{
	fault_set(error, STATUS_CONFIG, NULL,
	          "\"%s\" does not say where Ollama is: HOST, HOST:PORT or a URL", host);
	return NULL;
}

/* Where a server listens on all addresses, it can be asked on loopback. */
static const char *askable(const char *name)
{
	if (*name == '\0' || g_str_equal(name, "0.0.0.0"))
		return "127.0.0.1";
	return g_str_equal(name, "[::]") ? "[::1]" : name;
}

static bool is_name(const char *name)
{
	const char *letters = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".-_";

	if (*name == '[')
		return strspn(name + 1, G_CSET_DIGITS "abcdefABCDEF:.") == strlen(name) - 2 &&
		       g_str_has_suffix(name, "]");
	return strspn(name, letters) == strlen(name);
}

/* Sources: envconfig/config.go of Ollama: quotes, the ports of the schemes, 11434 without one. */
char *ollama_url(const char *host, GError **error)
{
	g_autofree char *copy = g_strdup(host);
	char *rest = g_strstrip(g_strdelimit(copy, "\"'", ' '));
	const char *scheme = "http";
	guint64 port = 11434;

	if (g_str_has_prefix(rest, "http://") || g_str_has_prefix(rest, "https://")) {
		scheme = rest[4] == 's' ? "https" : "http";
		port = rest[4] == 's' ? 443 : 80;
		rest = strstr(rest, "//") + 2;
	}
	rest[strcspn(rest, "/?#")] = '\0';

	char *bracket = strrchr(rest, ']');
	char *colon = strchr(bracket ? bracket : rest, ':');
	if (colon && !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
		return fail_host(host, error);
	if (colon)
		*colon = '\0';
	if (!is_name(rest))
		return fail_host(host, error);

	return g_strdup_printf("%s://%s:%" G_GUINT64_FORMAT, scheme, askable(rest), port);
}

/* What the server says went wrong: {"error": "WORDS"}. */
static void add_words(const char *refusal, GError **error)
{
	g_autoptr(GBytes) bytes = refusal ? g_bytes_new(refusal, strlen(refusal)) : NULL;
	g_autoptr(json_t) object = bytes ? json_parse_bytes(bytes, "answer", NULL) : NULL;
	const char *words = json_text(object, "error");

	if (!words || !*words)
		return;
	g_autofree char *cut = g_strndup(words, WORDS_MAX_BYTES);
	g_autofree char *shown = g_utf8_make_valid(cut, -1);
	g_prefix_error(error, "Ollama says: %s; ", shown);
}

static bool run(const HttpStream *stream, int *status, GError **error)
{
	g_autofree char *refusal = NULL;

	if (http_stream(stream, status, &refusal, error))
		return true;
	add_words(refusal, error);
	g_prefix_error(error, "%s: ", stream->url);
	return false;
}

typedef struct {
	GByteArray *bytes;
	gsize max_bytes;
} Answer;

static bool gather(gpointer to, const void *data, gsize size_bytes, GError **error)
{
	const Answer *answer = to;

	if (size_bytes > answer->max_bytes - answer->bytes->len) {
		fault_set(error, STATUS_DATA, NULL, "the answer is too long");
		return false;
	}
	g_byte_array_append(answer->bytes, data, (guint)size_bytes);
	return true;
}

/* Returns: (transfer full): the body of the answer. */
static GBytes *ask(const char *url, guint timeout_ms, GError **error)
{
	g_autoptr(GByteArray) body = g_byte_array_new();
	Answer answer = { body, ANSWER_MAX_BYTES };
	HttpStream stream = { .method = "GET",
		              .url = url,
		              .timeout_ms = timeout_ms,
		              .body_fd = -1,
		              .on_data = gather,
		              .to = &answer };
	int status = 0;

	return run(&stream, &status, error) ? g_byte_array_free_to_bytes(g_steal_pointer(&body))
	                                    : NULL;
}

char *ollama_ask_version(const char *url, guint timeout_ms, GError **error)
{
	g_autofree char *place = g_strconcat(url, "/api/version", NULL);
	g_autoptr(GBytes) answer = ask(place, timeout_ms, error);

	if (!answer)
		return NULL;

	g_autoptr(json_t) object = json_parse_bytes(answer, "version", NULL);
	const char *version = json_text(object, "version");
	if (version && *version)
		return g_strdup(version);

	fault_set(error, STATUS_DATA, NULL, "what answers at %s is not Ollama", url);
	return NULL;
}

/* Names are compared as Ollama does: without regard to case. */
static bool is_listed(const json_t *models, const char *name)
{
	gsize i = 0;
	json_t *model = NULL;

	json_array_foreach(models, i, model)
	{
		const char *found = json_text_or(model, "name", json_text_or(model, "model", ""));
		if (g_ascii_strcasecmp(found, name) == 0)
			return true;
	}

	return false;
}

bool ollama_has_model(const char *url, const char *model, bool *has_it, GError **error)
{
	g_autofree char *place = g_strconcat(url, "/api/tags", NULL);
	g_autofree char *name = ollama_model_name(model);
	g_autoptr(GBytes) answer = ask(place, ASK_TIMEOUT_MS, error);
	g_autoptr(json_t) object = answer ? json_parse_bytes(answer, place, error) : NULL;

	if (!object)
		return false;

	*has_it = is_listed(json_object_get(object, "models"), name);
	return true;
}

typedef struct {
	OllamaPull *pull;
	void (*on_progress)(guint64 done, guint64 total, gpointer data);
	gpointer data;
} Listener;

static bool on_answer(gpointer to, const void *bytes, gsize size_bytes, GError **error)
{
	const Listener *listener = to;
	guint64 done = 0;
	guint64 total = 0;

	if (!ollama_pull_hear(listener->pull, bytes, size_bytes, error))
		return false;

	ollama_pull_progress(listener->pull, &done, &total);
	if (listener->on_progress)
		listener->on_progress(done, total, listener->data);
	return true;
}

static char *body_for(const char *model)
{
	g_autoptr(json_t) object = json_pack("{s:s}", "model", model);

	return json_canonical(object);
}

/* Without "stream" the server streams. */
static bool pull_once(const char *url, const char *model, Listener *listener, GError **error)
{
	g_autofree char *place = g_strconcat(url, "/api/pull", NULL);
	g_autofree char *body = body_for(model);
	g_autoptr(OllamaPull) pull = listener->pull = ollama_pull_new();
	HttpStream stream = { .method = "POST",
		              .url = place,
		              .timeout_ms = PULL_TIMEOUT_MS,
		              .quiet_ms = PULL_QUIET_MS,
		              .json = body,
		              .body_fd = -1,
		              .on_data = on_answer,
		              .to = listener };
	int status = 0;

	if (!run(&stream, &status, error) || !ollama_pull_hear(pull, "\n", 1, error))
		return false;
	if (ollama_pull_is_done(pull))
		return true;

	fault_set(error, STATUS_UNAVAILABLE, NULL,
	          "%s: the answer ended before the model was there", place);
	return false;
}

bool ollama_pull_model(const char *url, const char *model,
                       void (*on_progress)(guint64 done, guint64 total, gpointer data),
                       gpointer data, GError **error)
{
	Listener listener = { .on_progress = on_progress, .data = data };
	g_autoptr(GError) first = NULL;

	if (pull_once(url, model, &listener, &first))
		return true;
	if (fault_status(first) != STATUS_UNTRUSTED) {
		g_propagate_error(error, g_steal_pointer(&first));
		return false;
	}
	return pull_once(url, model, &listener, error);
}

bool ollama_delete_model(const char *url, const char *model, GError **error)
{
	g_autofree char *place = g_strconcat(url, "/api/delete", NULL);
	g_autofree char *body = body_for(model);
	g_autoptr(GError) cause = NULL;
	HttpStream stream = { .method = "DELETE",
		              .url = place,
		              .timeout_ms = ASK_TIMEOUT_MS,
		              .json = body,
		              .body_fd = -1 };
	int status = 0;

	if (run(&stream, &status, &cause) || status == 404)
		return true;
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}
