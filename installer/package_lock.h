/* installer/package_lock.h - wait until a package manager is free
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/** How a file tells that somebody is at work.  An absent one is free. */
typedef enum {
	PACKAGE_LOCK_NONE,  /* ends a list */
	PACKAGE_LOCK_FCNTL, /* somebody has an fcntl(2) lock on it */
	PACKAGE_LOCK_FLOCK, /* somebody has a flock(2) lock on it */
	PACKAGE_LOCK_PID,   /* it holds the number of a process that lives */
	PACKAGE_LOCK_FILE,  /* it is there, and a process has it open; else it is left over */
} PackageLockKind;

typedef struct {
	const char *path;
	PackageLockKind kind;
} PackageLock;

typedef struct {
	const PackageLock *locks; /* (nullable): ends with PACKAGE_LOCK_NONE */
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

/** Asks who holds @lock.  Returns: whether somebody does; @holder is its pid, 0 when that is not
 *  known (another pid namespace, a lock that is no more than a file). */
bool package_lock_holder(const PackageLock *lock, pid_t *holder);

/** Returns: (transfer none) (nullable): the lock file that a program which is gone left behind. */
const char *package_lock_left(const PackageLock *locks);

/** As package_lock_holder(), from the text of /proc/locks, for the file with that identity; @type is
 *  "POSIX" or "FLOCK". */
bool package_lock_parse(const char *text, const char *type, const struct stat *file, pid_t *holder);
