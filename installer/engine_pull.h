/* installer/engine_pull.h - has the engine load an image, and follows what it says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** What is known of one pull. */
typedef struct EnginePull EnginePull;

/** Returns: (transfer full): a pull that has not said anything.  @on_bytes: (nullable): hears how much of
 *  all layers that are known so far was loaded; a total grows as the engine gets to know them. */
EnginePull *engine_pull_new(void (*on_bytes)(guint64 done_bytes, guint64 total_bytes,
                                             gpointer data),
                            gpointer data);
void engine_pull_free(EnginePull *pull);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EnginePull, engine_pull_free)

/** Takes the next piece of the answer.  Returns: false with UNAVAILABLE (the engine's own words) or DATA
 *  (no lines of JSON) set. */
bool engine_pull_hear(EnginePull *pull, const char *bytes, gsize size_bytes,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the path of the request for @image. */
char *engine_pull_path(const char *image);

/**
 * Has the engine at @endpoint load @image, "redis:7.2-alpine", with no account of a registry.  Blocks; a
 * signal ends it, and the engine's loading with it.
 *
 * Returns: false with the errors of engine_get() and engine_pull_hear() set, and DEADLINE when the engine
 * said nothing for a minute, which is how a network that is gone looks.
 */
bool engine_pull(const char *endpoint, const char *image, EnginePull *pull,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
