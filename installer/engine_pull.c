/* installer/engine_pull.c - has the engine load an image, and follows what it says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/engine_pull.h"

#include <string.h>

#include "base/fault.h"
#include "installer/engine.h"
#include "installer/pull_stream.h"

#define QUIET_MS 60000

struct EnginePull {
	void (*on_bytes)(guint64 done_bytes, guint64 total_bytes, gpointer data);
	gpointer data;
	PullStream *stream;
};

/* A layer that is loaded has no figures any more, and unpacking it has others. */
static bool hear_layer(PullStream *stream, const json_t *object, bool *is_news, GError **error)
{
	const json_t *detail = json_object_get(object, "progressDetail");
	const char *status = json_text_or(object, "status", "");
	const char *id = json_text(object, "id");
	const PullLayer *known = id ? pull_stream_layer(stream, id) : NULL;
	PullLayer layer = known ? *known : (PullLayer){ 0 };

	*is_news = false;
	if (id && g_str_equal(status, "Downloading")) {
		layer.total_bytes = MAX(layer.total_bytes, pull_stream_bytes(detail, "total"));
		layer.done_bytes = pull_stream_bytes(detail, "current");
	} else if (known && (g_str_has_prefix(status, "Download complete") ||
	                     g_str_has_prefix(status, "Pull complete"))) {
		layer.done_bytes = layer.total_bytes;
	} else {
		return true;
	}
	*is_news = true;
	return pull_stream_set_layer(stream, id, layer, error);
}

static bool hear(PullStream *stream, const json_t *object, gpointer data, GError **error)
{
	const EnginePull *pull = data;
	const char *words = json_text(object, "error");
	bool is_news = false;

	if (words) {
		g_autofree char *shown = pull_stream_words(words);
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the engine: %s", shown);
		return false;
	}
	if (!hear_layer(stream, object, &is_news, error))
		return false;

	PullLayer sum = pull_stream_sum(stream);
	if (is_news && pull->on_bytes && sum.total_bytes > 0)
		pull->on_bytes(sum.done_bytes, sum.total_bytes, pull->data);
	return true;
}

EnginePull *engine_pull_new(void (*on_bytes)(guint64 done_bytes, guint64 total_bytes,
                                             gpointer data),
                            gpointer data)
{
	EnginePull *pull = g_new0(EnginePull, 1);

	pull->on_bytes = on_bytes;
	pull->data = data;
	pull->stream = pull_stream_new("the engine", hear, pull);
	return pull;
}

void engine_pull_free(EnginePull *pull)
{
	if (!pull)
		return;

	pull_stream_free(pull->stream);
	g_free(pull);
}

bool engine_pull_hear(EnginePull *pull, const char *bytes, gsize size_bytes, GError **error)
{
	return pull_stream_hear(pull->stream, bytes, size_bytes, error);
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
