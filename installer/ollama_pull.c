/* installer/ollama_pull.c - follows the answer to a pull
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "installer/ollama_model.h"

/* Ours: a line of the server has some 200 bytes, a model some dozen layers, one of tensors some
 * thousand. */
#define LINE_MAX_BYTES ((gsize)64 * 1024)
#define LAYERS_MAX 65536
#define LAYER_MAX_BYTES (G_GUINT64_CONSTANT(1) << 46) /* so that no sum of them overflows */
#define WORDS_MAX_BYTES 300

typedef struct {
	guint64 done_bytes;
	guint64 total_bytes;
} Layer;

struct OllamaPull {
	GString *line;
	GHashTable *layers; /* digest -> Layer */
	Layer sum;
	bool is_done;
};

OllamaPull *ollama_pull_new(void)
{
	OllamaPull *pull = g_new0(OllamaPull, 1);

	pull->line = g_string_new(NULL);
	pull->layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return pull;
}

void ollama_pull_free(OllamaPull *pull)
{
	if (!pull)
		return;

	g_string_free(pull->line, TRUE);
	g_hash_table_unref(pull->layers);
	g_free(pull);
}

static bool fail_answer(GError **error, const char *why)
{
	fault_set(error, STATUS_DATA, NULL, "Ollama's answer is not understood: %s", why);
	return false;
}

/* A number of bytes: what is absent, negative or no number counts as none. */
static guint64 bytes_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? MIN((guint64)value, LAYER_MAX_BYTES) : 0;
}

/* "completed" is left out while it is 0, and layers come side by side: only the map by digest
 * tells the whole. */
static bool hear_layer(OllamaPull *pull, const json_t *object, GError **error)
{
	const char *digest = json_text(object, "digest");

	if (!digest)
		return true;

	Layer *layer = g_hash_table_lookup(pull->layers, digest);
	if (!layer && g_hash_table_size(pull->layers) >= LAYERS_MAX)
		return fail_answer(error, "too many layers");
	if (!layer) {
		layer = g_new0(Layer, 1);
		g_hash_table_insert(pull->layers, g_strdup(digest), layer);
	}

	Layer before = *layer;
	layer->total_bytes = bytes_of(object, "total");
	layer->done_bytes = MIN(bytes_of(object, "completed"), layer->total_bytes);
	pull->sum.total_bytes += layer->total_bytes - before.total_bytes;
	pull->sum.done_bytes += layer->done_bytes - before.done_bytes;
	return true;
}

/* What the server removes by itself, so that trying again loads it anew. */
static bool is_digest_mismatch(const char *words)
{
	return strstr(words, "digest mismatch") || strstr(words, "must be downloaded again");
}

static bool fail_server(const char *words, GError **error)
{
	g_autofree char *cut = g_strndup(words, WORDS_MAX_BYTES);
	g_autofree char *shown = g_utf8_make_valid(cut, -1);

	fault_set(error, is_digest_mismatch(words) ? STATUS_UNTRUSTED : STATUS_UNAVAILABLE, NULL,
	          "Ollama says: %s", shown);
	return false;
}

static bool hear_line(OllamaPull *pull, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(pull->line->str, pull->line->len);
	g_autoptr(json_t) object = json_parse_bytes(bytes, "answer", NULL);
	const json_t *fault = json_object_get(object, "error");

	if (!json_is_object(object))
		return fail_answer(error, "a line is no JSON object");
	if (fault && !json_is_null(fault))
		return fail_server(json_is_string(fault) ? json_string_value(fault) : "it failed",
		                   error);
	pull->is_done = g_str_equal(json_text_or(object, "status", ""), "success");
	return hear_layer(pull, object, error);
}

static bool end_line(OllamaPull *pull, GError **error)
{
	bool is_good = pull->line->str[strspn(pull->line->str, " \t\r")] == '\0' &&
	               strlen(pull->line->str) == pull->line->len;

	is_good = is_good || hear_line(pull, error);
	g_string_truncate(pull->line, 0);
	return is_good;
}

bool ollama_pull_hear(OllamaPull *pull, const char *bytes, gsize size_bytes, GError **error)
{
	while (size_bytes > 0) {
		const char *end = memchr(bytes, '\n', size_bytes);
		gsize length = end ? (gsize)(end - bytes) : size_bytes;

		if (length > LINE_MAX_BYTES - pull->line->len)
			return fail_answer(error, "a line has no end");
		g_string_append_len(pull->line, bytes, (gssize)length);
		if (end && !end_line(pull, error))
			return false;
		length += end != NULL;
		bytes += length;
		size_bytes -= length;
	}

	return true;
}

bool ollama_pull_is_done(const OllamaPull *pull)
{
	return pull->is_done;
}

void ollama_pull_progress(const OllamaPull *pull, guint64 *done_bytes, guint64 *total_bytes)
{
	*done_bytes = pull->sum.done_bytes;
	*total_bytes = pull->sum.total_bytes;
}
