/* installer/engine_pull.c - has the engine load an image, and follows what it says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/engine_pull.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "installer/engine.h"

#define QUIET_MS 60000
/* Ours: a line of the engine has some 200 bytes, an image some dozen layers. */
#define LINE_MAX_BYTES ((gsize)64 * 1024)
#define LAYERS_MAX 4096
#define LAYER_MAX_BYTES (G_GUINT64_CONSTANT(1) << 46) /* so that no sum of them overflows */
#define WORDS_MAX_BYTES 300

typedef struct {
	guint64 done_bytes;
	guint64 total_bytes;
} Layer;

struct EnginePull {
	void (*on_bytes)(guint64 done_bytes, guint64 total_bytes, gpointer data);
	gpointer data;
	GString *line;
	GHashTable *layers; /* id -> Layer */
	Layer sum;
};

EnginePull *engine_pull_new(void (*on_bytes)(guint64 done_bytes, guint64 total_bytes,
                                             gpointer data),
                            gpointer data)
{
	EnginePull *pull = g_new0(EnginePull, 1);

	pull->on_bytes = on_bytes;
	pull->data = data;
	pull->line = g_string_new(NULL);
	pull->layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return pull;
}

void engine_pull_free(EnginePull *pull)
{
	if (!pull)
		return;

	g_string_free(pull->line, TRUE);
	g_hash_table_unref(pull->layers);
	g_free(pull);
}

static bool fail_answer(GError **error, const char *why)
{
	fault_set(error, STATUS_DATA, NULL, "the engine's answer is not understood: %s", why);
	return false;
}

static guint64 bytes_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? MIN((guint64)value, LAYER_MAX_BYTES) : 0;
}

/* A layer that is loaded has no figures any more, and unpacking it has others. */
static void hear_layer(EnginePull *pull, const json_t *object)
{
	const char *status = json_text_or(object, "status", "");
	const char *id = json_text(object, "id");
	Layer *layer = id ? g_hash_table_lookup(pull->layers, id) : NULL;
	bool is_loading = g_str_equal(status, "Downloading");
	bool is_loaded = g_str_has_prefix(status, "Download complete") ||
	                 g_str_has_prefix(status, "Pull complete");

	if (!layer && is_loading && id && g_hash_table_size(pull->layers) < LAYERS_MAX) {
		layer = g_new0(Layer, 1);
		g_hash_table_insert(pull->layers, g_strdup(id), layer);
	}
	if (!layer || (!is_loading && !is_loaded))
		return;

	const json_t *detail = json_object_get(object, "progressDetail");
	Layer before = *layer;
	if (is_loading) {
		layer->total_bytes = MAX(layer->total_bytes, bytes_of(detail, "total"));
		layer->done_bytes = MIN(bytes_of(detail, "current"), layer->total_bytes);
	} else {
		layer->done_bytes = layer->total_bytes;
	}
	pull->sum.total_bytes += layer->total_bytes - before.total_bytes;
	pull->sum.done_bytes += layer->done_bytes - before.done_bytes;
	if (pull->on_bytes && pull->sum.total_bytes > 0)
		pull->on_bytes(pull->sum.done_bytes, pull->sum.total_bytes, pull->data);
}

static bool hear_line(EnginePull *pull, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(pull->line->str, pull->line->len);
	g_autoptr(json_t) object = json_parse_bytes(bytes, "answer", NULL);
	const char *words = json_text(object, "error");

	if (!json_is_object(object))
		return fail_answer(error, "a line is no JSON object");
	if (words) {
		g_autofree char *cut = g_strndup(words, WORDS_MAX_BYTES);
		g_autofree char *shown = g_utf8_make_valid(cut, -1);
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the engine: %s", shown);
		return false;
	}
	hear_layer(pull, object);
	return true;
}

static bool end_line(EnginePull *pull, GError **error)
{
	bool is_good = pull->line->str[strspn(pull->line->str, " \t\r")] == '\0' &&
	               strlen(pull->line->str) == pull->line->len;

	is_good = is_good || hear_line(pull, error);
	g_string_truncate(pull->line, 0);
	return is_good;
}

bool engine_pull_hear(EnginePull *pull, const char *bytes, gsize size_bytes, GError **error)
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

static bool on_data(gpointer to, const void *data, gsize size_bytes, GError **error)
{
	return engine_pull_hear(to, data, size_bytes, error);
}

/* "fromImage=NAME&tag=TAG": the digest stands where a tag does. */
char *engine_pull_path(const char *image)
{
	const char *digest = strchr(image, '@');
	const char *slash = strrchr(image, '/');
	const char *colon = strrchr(slash ? slash : image, ':');
	const char *split = digest ? digest : colon;
	g_autofree char *name = split ? g_strndup(image, (gsize)(split - image)) : g_strdup(image);
	char *tag = digest ? strrchr(name, ':') : NULL;

	/* With both, the tag is only for people. */
	if (tag && !strchr(tag, '/'))
		*tag = '\0';
	g_autofree char *from = g_uri_escape_string(name, NULL, FALSE);
	g_autofree char *wanted = g_uri_escape_string(split ? split + 1 : "latest", NULL, FALSE);
	return g_strdup_printf("/images/create?fromImage=%s&tag=%s", from, wanted);
}

bool engine_pull(const char *endpoint, const char *image, EnginePull *pull, GError **error)
{
	g_autofree char *path = engine_pull_path(image);

	return engine_follow(endpoint, path, QUIET_MS, on_data, pull, error);
}
