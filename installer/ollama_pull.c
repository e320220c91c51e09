/* installer/ollama_pull.c - follows the answer to a pull
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/ollama_model.h"
#include "installer/pull_stream.h"

struct OllamaPull {
	PullStream *stream;
	bool is_done;
};

/* What the server removes by itself, so that trying again loads it anew. */
static bool is_digest_mismatch(const char *words)
{
	return strstr(words, "digest mismatch") || strstr(words, "must be downloaded again");
}

static bool fail_server(const json_t *fault, GError **error)
{
	const char *words = json_is_string(fault) ? json_string_value(fault) : "it failed";
	g_autofree char *shown = pull_stream_words(words);

	fault_set(error, is_digest_mismatch(words) ? STATUS_UNTRUSTED : STATUS_UNAVAILABLE, NULL,
	          "Ollama says: %s", shown);
	return false;
}

/* "completed" is left out while it is 0, and layers come side by side: only the map by digest
 * tells the whole. */
static bool hear(PullStream *stream, const json_t *object, gpointer data, GError **error)
{
	OllamaPull *pull = data;
	const json_t *fault = json_object_get(object, "error");
	const char *digest = json_text(object, "digest");
	PullLayer layer = { pull_stream_bytes(object, "completed"),
		            pull_stream_bytes(object, "total") };

	if (fault && !json_is_null(fault))
		return fail_server(fault, error);
	pull->is_done = g_str_equal(json_text_or(object, "status", ""), "success");
	return !digest || pull_stream_set_layer(stream, digest, layer, error);
}

OllamaPull *ollama_pull_new(void)
{
	OllamaPull *pull = g_new0(OllamaPull, 1);

	pull->stream = pull_stream_new("Ollama", hear, pull);
	return pull;
}

void ollama_pull_free(OllamaPull *pull)
{
	if (!pull)
		return;

	pull_stream_free(pull->stream);
	g_free(pull);
}

bool ollama_pull_hear(OllamaPull *pull, const char *bytes, gsize size_bytes, GError **error)
{
	return pull_stream_hear(pull->stream, bytes, size_bytes, error);
}

bool ollama_pull_is_done(const OllamaPull *pull)
{
	return pull->is_done;
}

void ollama_pull_progress(const OllamaPull *pull, guint64 *done_bytes, guint64 *total_bytes)
{
	PullLayer sum = pull_stream_sum(pull->stream);

	*done_bytes = sum.done_bytes;
	*total_bytes = sum.total_bytes;
}
