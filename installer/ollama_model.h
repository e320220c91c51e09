/* installer/ollama_model.h - models: their size before they are pulled, and the answers to a pull
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Where a model's manifest is: "[HOST/][NAMESPACE/]MODEL[:TAG]" as Ollama reads it.
 *
 *  @registry: URL of the registry for names without HOST.
 *  Returns: (transfer full): the URL; or NULL with CONFIG set when @model is no such name. */
char *ollama_manifest_url(const char *registry, const char *model,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the name as a server lists it, with its tag: "llama3.2" is
 *  "llama3.2:latest". */
char *ollama_model_name(const char *model);

/** Reads what a manifest's layers take on the disk.  Returns: false with DATA set. */
bool ollama_manifest_size(GBytes *manifest, guint64 *size_bytes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What a model of some size finds on a machine; 0: not known. */
typedef struct {
	guint64 size_bytes;
	guint64 disk_bytes; /* free, where models are kept */
	guint64 memory_bytes;
	guint64 video_bytes;
} OllamaRoom;

typedef enum {
	OLLAMA_FITS,
	OLLAMA_SPLITS,    /* more than the card has: part of it runs on the processor */
	OLLAMA_NO_DISK,   /* less is free than it takes */
	OLLAMA_NO_MEMORY, /* it cannot be loaded */
} OllamaFit;

/** Judges.  Reads nothing but its argument. */
OllamaFit ollama_judge(const OllamaRoom *room);

/** Returns: (transfer full) (nullable): that as a phrase with figures; NULL for OLLAMA_FITS. */
char *ollama_fit_phrase(const OllamaRoom *room);

/** Follows the answer to a pull, which comes in pieces: one JSON object in each line. */
typedef struct OllamaPull OllamaPull;
OllamaPull *ollama_pull_new(void);
void ollama_pull_free(OllamaPull *pull);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OllamaPull, ollama_pull_free)

/**
 * Hears @size_bytes more.
 *
 * Returns: false with UNTRUSTED (what was loaded does not have its digest), UNAVAILABLE (the server
 * says that it failed; the message has its words) or DATA (not such an answer) set.
 */
bool ollama_pull_hear(OllamaPull *pull, const char *bytes, gsize size_bytes,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether the server said that the model is there, as its last word. */
bool ollama_pull_is_done(const OllamaPull *pull);

/** Says how far it is: over all layers heard of so far. */
void ollama_pull_progress(const OllamaPull *pull, guint64 *done_bytes, guint64 *total_bytes);
