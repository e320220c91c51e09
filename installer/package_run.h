/* installer/package_run.h - let a package manager work
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_ask.h"

/** One use of a package manager. */
typedef struct {
	const PackageManager *manager;
	guint lock_timeout_s;
	bool may_repair; /* what was interrupted was ours: finish it */
	/** (nullable): @fraction is negative when it is not known. */
	void (*report)(double fraction, const char *detail, gpointer data);
	gpointer data;
} PackageJob;

/** Waits until nobody else is at work: some managers do not even answer before.  Returns: false with
 *  BUSY (after lock_timeout_s) or a cancellation set. */
bool packages_wait(const PackageJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Waits for the locks, then looks whether the package manager is in order.
 *
 * @own: (nullable): set of package names that may be broken, because we are about to install or
 * remove them.
 *
 * Returns: false with BUSY, DENIED, UNAVAILABLE (it was interrupted or has broken packages; the
 * hint has the command that repairs it, which is run here only if may_repair) or a cancellation
 * set.
 */
bool packages_ready(const PackageJob *job, GHashTable *own,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Refreshes the index.  A source that fails is not an error while an index stands afterwards: the
 *  simulation tells whether it is good enough.  Returns: false with BUSY, DENIED, UNAVAILABLE set;
 *  @warning (nullable) (transfer full) is what went wrong and did not matter yet. */
bool packages_refresh(const PackageJob *job, char **warning,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Installs all of @packages in one transaction; a signal to us does not end it.  Returns:
 *  PACKAGE_DONE; or PACKAGE_STALE, PACKAGE_BUSY, PACKAGE_FAILED with UNAVAILABLE, BUSY, DENIED or
 *  DEADLINE set. */
PackageVerdict packages_install(const PackageJob *job, const char *const *packages, GError **error);

/** Returns: (transfer full) (nullable): what @packages may lack that were finished after a kill. */
char *packages_note(const PackageJob *job, char **packages);

/** Installs @names, whose installation was cut off, again: from what was downloaded already, where the
 *  manager can do so. */
bool packages_mend(const PackageJob *job, const char *const *names,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes the files that a transaction left beside those of @names, which are installed, when it was
 *  cut off. */
bool packages_sweep(const PackageJob *job, const char *const *names,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Removes those of @names that nothing else needs, in one transaction, and no other package.
 *
 * @kept: (element-type utf8): the names that stay are appended.
 */
bool packages_remove(const PackageJob *job, const char *const *names, GPtrArray *kept,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes the configuration that removed packages left. */
bool packages_purge(const PackageJob *job, const char *const *names,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Marks packages as installed only because others need them. */
bool packages_mark_automatic(const PackageJob *job, const char *const *names,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
