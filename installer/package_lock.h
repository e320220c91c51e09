/* installer/package_lock.h - wait until a package manager is free
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
	const char *const *paths; /* files that are locked with fcntl(2); an absent one is free */
	guint timeout_s;
	void (*report)(double fraction, const char *detail, gpointer data); /* (nullable) */
	gpointer data;
} PackageLockWait;

/**
 * Waits until nobody holds one of the locks; takes none of them.  Without the right to open a
 * file it asks /proc/locks; where that does not tell either, the file counts as free and the
 * package manager itself has the last word.
 *
 * Returns: false with BUSY (after timeout_s; the message names the file, the holder and its pid)
 * or a cancellation set.
 */
bool package_lock_wait(const PackageLockWait *wait, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks who holds a lock on @path.  Returns: whether somebody does; @holder is its pid, 0 when that
 *  is not known (another pid namespace). */
bool package_lock_holder(const char *path, pid_t *holder);

/** As package_lock_holder(), from the text of /proc/locks, for the file with that identity. */
bool package_lock_parse(const char *text, dev_t device, ino_t inode, pid_t *holder);
