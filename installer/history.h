/* installer/history.h - what this program did: one line for each run that changed something
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"

/** Largest history, in bytes; then the older half goes.  Source: our own bound, some thousand runs. */
#define HISTORY_MAX_BYTES ((gsize)512 * 1024)

/**
 * Appends a run to the history of @state_dir, synced: an object with "id" (of the transaction),
 * "time" (RFC 3339, when it ended), and what else is known of it.  For people: what is written twice,
 * or torn by a power loss, harms nothing.
 *
 * @run: (transfer full).
 */
bool history_append(const char *state_dir, json_t *run, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the runs, oldest first, each once; lines that are none are passed over;
 *  NULL with DATA (not a file, or too large), DENIED or IO set. */
json_t *history_read(const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
