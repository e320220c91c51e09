/* installer/pull_stream.c - reads what a server says while it loads something in layers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/pull_stream.h"

#include <string.h>

#include "base/fault.h"

/* Ours: a line has some 200 bytes, an image or a model some dozen layers, one of tensors some thousand. */
#define LINE_MAX_BYTES ((gsize)64 * 1024)
#define LAYERS_MAX 65536
#define LAYER_MAX_BYTES (G_GUINT64_CONSTANT(1) << 46) /* so that no sum of them overflows */
#define WORDS_MAX_BYTES 300

struct PullStream {
	const char *who;
	PullHear hear;
	gpointer data;
	GString *line;
	GHashTable *layers; /* id -> PullLayer */
	PullLayer sum;
};

PullStream *pull_stream_new(const char *who, PullHear hear, gpointer data)
{
	PullStream *stream = g_new0(PullStream, 1);

	*stream = (PullStream){
		.who = who,
		.hear = hear,
		.data = data,
		.line = g_string_new(NULL),
		.layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	return stream;
}

void pull_stream_free(PullStream *stream)
{
	if (!stream)
		return;

	g_string_free(stream->line, TRUE);
	g_hash_table_unref(stream->layers);
	g_free(stream);
}

static bool fail(const PullStream *stream, GError **error, const char *why)
{
	fault_set(error, STATUS_DATA, NULL, "%s's answer is not understood: %s", stream->who, why);
	return false;
}

guint64 pull_stream_bytes(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? MIN((guint64)value, LAYER_MAX_BYTES) : 0;
}

char *pull_stream_words(const char *words)
{
	g_autofree char *cut = g_strndup(words, WORDS_MAX_BYTES);

	return g_utf8_make_valid(cut, -1);
}

const PullLayer *pull_stream_layer(const PullStream *stream, const char *id)
{
	return g_hash_table_lookup(stream->layers, id);
}

bool pull_stream_set_layer(PullStream *stream, const char *id, PullLayer layer, GError **error)
{
	PullLayer *known = g_hash_table_lookup(stream->layers, id);

	if (!known && g_hash_table_size(stream->layers) >= LAYERS_MAX)
		return fail(stream, error, "too many layers");
	if (!known) {
		known = g_new0(PullLayer, 1);
		g_hash_table_insert(stream->layers, g_strdup(id), known);
	}

	layer.done_bytes = MIN(layer.done_bytes, layer.total_bytes);
	stream->sum.total_bytes += layer.total_bytes - known->total_bytes;
	stream->sum.done_bytes += layer.done_bytes - known->done_bytes;
	*known = layer;
	return true;
}

PullLayer pull_stream_sum(const PullStream *stream)
{
	return stream->sum;
}

static bool end_line(PullStream *stream, GError **error)
{
	const GString *line = stream->line;
	bool is_blank = strspn(line->str, " \t\r") == line->len;
	g_autoptr(GBytes) bytes = g_bytes_new(line->str, line->len);
	g_autoptr(json_t) object = is_blank ? NULL : json_parse_bytes(bytes, "answer", NULL);

	g_string_truncate(stream->line, 0);
	if (is_blank)
		return true;
	return json_is_object(object) ? stream->hear(stream, object, stream->data, error)
	                              : fail(stream, error, "a line is no JSON object");
}

bool pull_stream_hear(PullStream *stream, const char *bytes, gsize size_bytes, GError **error)
{
	while (size_bytes > 0) {
		const char *end = memchr(bytes, '\n', size_bytes);
		gsize length = end ? (gsize)(end - bytes) : size_bytes;

		if (length > LINE_MAX_BYTES - stream->line->len)
			return fail(stream, error, "a line has no end");
		g_string_append_len(stream->line, bytes, (gssize)length);
		if (end && !end_line(stream, error))
			return false;
		length += end != NULL;
		bytes += length;
		size_bytes -= length;
	}

	return true;
}
