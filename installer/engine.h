/* installer/engine.h - the engine's API, through its socket
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"

/**
 * @endpoint is "unix:///run/docker.sock" or "tcp://HOST:PORT" on this machine, as
 * facts_engine_endpoint() says.  @path begins with "/" and has no version: the engine answers with its
 * newest.  All of them set UNAVAILABLE (no engine answers, or it refuses: its own words are in the
 * message), DENIED (its socket is not for us), DEADLINE, IO (its disk is full) or a cancellation.
 */

/** Asks within 3 s.  Returns: (transfer full): the answer, 16 MiB at most; NULL with DATA set, too. */
json_t *engine_get(const char *endpoint, const char *path,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As engine_get(), within @timeout_ms.  @is_absent: set to whether what @path names is not there, where NULL
 *  is returned. */
json_t *engine_find(const char *endpoint, const char *path, guint timeout_ms, bool *is_absent,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Has it do something ("POST", "DELETE") within @timeout_ms.  What is there already, or is gone
 *  already, is success. */
bool engine_do(const char *endpoint, const char *method, const char *path, guint timeout_ms,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads an answer of any length, until it ends, @on_data returns false or a signal comes. */
bool engine_read(const char *endpoint, const char *path,
                 bool (*on_data)(gpointer to, const void *data, gsize size_bytes, GError **error),
                 gpointer to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As engine_read(), by POST; ends with DEADLINE when nothing came for @quiet_ms. */
bool engine_follow(const char *endpoint, const char *path, guint quiet_ms,
                   bool (*on_data)(gpointer to, const void *data, gsize size_bytes, GError **error),
                   gpointer to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sends what @fd has from where it stands, by PUT. */
bool engine_send(const char *endpoint, const char *path, int fd,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): "filters=..." for what carries the label of that compose project. */
char *engine_project_filter(const char *project);
