/* keystore/vault.h - the store file on the disk: read, locked, replaced
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/lock.h"

/** How long a writer waits for another one. */
#define VAULT_LOCK_TIMEOUT_MS 5000

/**
 * Reads the store file whole, after it proved to be one that nobody else can touch.
 *
 * @bytes: (out) (transfer full): NULL when there is no such file.
 * Returns: false with DENIED, CORRUPT (too large) or domain FAULT set.
 */
bool vault_read(const char *path, GBytes **bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Reads a passphrase or key file, which nobody else can touch; root may own it.
 *
 * Returns: (transfer full): 1 to @max_bytes bytes as a secret; or NULL with DENIED, LOCKED (absent,
 * empty or too large) or domain FAULT set.
 */
GBytes *vault_read_key(const char *path, gsize max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes the lock of the store, makes its directory before and removes what writers left that were
 *  killed.  Returns: (transfer full): the lock; or NULL with TIMEOUT, DENIED or domain FAULT set. */
Lock *vault_lock(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes what killed writers of the file @path left beside it.  Only under the lock of the store. */
void vault_sweep(const char *path);

/** Replaces the file by @bytes and keeps @old (nullable) as PATH.bak.  Only under the lock.  After a
 *  failure the old file stands. */
bool vault_replace(const char *path, GBytes *old, GBytes *bytes,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes the lock file and, if @has_store, before it the backup, PATH.damaged and the file.  Only under the
 *  lock, which guards nothing any more afterwards. */
bool vault_delete(const char *path, bool has_store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
