/* base/lock.h - one writer at a time
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** A held flock(2) lock.  The kernel frees it when the process dies; the file is never deleted. */
typedef struct Lock Lock;

/**
 * Takes the lock at @path (created with mode 0600 in a directory that exists) and writes pid and
 * @purpose into it.  Waits up to @timeout_ms, polling; 0 asks once.
 *
 * Returns: (transfer full): the lock, or NULL with BUSY (the message names the holder's pid and
 * purpose), DENIED, CANNOT_CREATE or a cancellation set.
 */
Lock *lock_take(const char *path, const char *purpose, guint timeout_ms,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As lock_take(), for a directory where no file of ours should stay: the lock is on the directory
 *  itself.  A network file system that has no such locks is an error. */
Lock *lock_take_directory(const char *path, guint timeout_ms,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Releases the lock.  Accepts NULL. */
void lock_free(Lock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lock, lock_free)
