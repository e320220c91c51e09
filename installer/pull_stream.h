/* installer/pull_stream.h - reads what a server says while it loads something in layers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"

/** An answer that comes in pieces: one JSON object in each line; and how far each layer is. */
typedef struct PullStream PullStream;

/** Takes one object of the answer; calls pull_stream_set_layer() for what it says of one. */
typedef bool (*PullHear)(PullStream *stream, const json_t *object, gpointer data, GError **error);

/** How much of a layer was loaded. */
typedef struct {
	guint64 done_bytes;
	guint64 total_bytes;
} PullLayer;

/** Returns: (transfer full): a stream of @who, "the engine", that has not said anything. */
PullStream *pull_stream_new(const char *who, PullHear hear, gpointer data);
void pull_stream_free(PullStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PullStream, pull_stream_free)

/** Takes the next piece of the answer.  Returns: false with DATA (no lines of JSON objects) or what the
 *  callback says set. */
bool pull_stream_hear(PullStream *stream, const char *bytes, gsize size_bytes,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none) (nullable): what is known of the layer @id. */
const PullLayer *pull_stream_layer(const PullStream *stream, const char *id);

/** Says how far the layer @id is.  Returns: false with DATA set when there are too many of them. */
bool pull_stream_set_layer(PullStream *stream, const char *id, PullLayer layer,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: the sum over all layers that were heard of. */
PullLayer pull_stream_sum(const PullStream *stream);

/** Returns: the number of bytes that @object has as @key: 0 for what is absent, negative or no number. */
guint64 pull_stream_bytes(const json_t *object, const char *key);

/** Returns: (transfer full): a server's own @words, as much of them as a message can have. */
char *pull_stream_words(const char *words);
