/* installer/ollama_api.h - talks to a running Ollama
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "installer/ollama_model.h"

/** Where Ollama listens when nobody says otherwise. */
#define OLLAMA_HOST_DEFAULT "127.0.0.1:11434"

/** Reads @host as Ollama reads OLLAMA_HOST: "HOST", "HOST:PORT", "http://HOST:PORT", with quotes and
 *  blanks around it; an address that is for listening only ("0.0.0.0") means this machine.
 *
 *  Returns: (transfer full): the URL to ask, without a final slash; or NULL with CONFIG set. */
char *ollama_url(const char *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the version of the Ollama at @url; or NULL with UNAVAILABLE (none there,
 *  or no answer within @timeout_ms), DATA (something else is there), DENIED (plain http to another
 *  machine) set. */
char *ollama_ask_version(const char *url, guint timeout_ms,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Says whether @model is there.  Returns: false with UNAVAILABLE or DATA set. */
bool ollama_has_model(const char *url, const char *model, bool *has_it,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Pulls @model, blocking for hours maybe; once more when a digest did not match.
 *  @on_progress hears bytes, of all layers known so far.
 *
 *  Returns: false with an error of ollama_pull_hear(), UNAVAILABLE (the answer ended before
 *  "success") or a cancellation set. */
bool ollama_pull_model(const char *url, const char *model,
                       void (*on_progress)(guint64 done, guint64 total, gpointer data),
                       gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes @model; one that is not there is success.  Returns: false with UNAVAILABLE set. */
bool ollama_delete_model(const char *url, const char *model,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
