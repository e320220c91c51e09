/* installer/package_ask.h - ask a package manager, which changes nothing
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_manager.h"

/** Runs a command of @manager that changes nothing; as root only where the manager wants it so.
 *  Returns: (transfer full): what it wrote to stdout; or NULL with UNAVAILABLE, BUSY, DENIED or DATA
 *  set. */
char *packages_ask(const PackageManager *manager, const char *const *command,
                   const char *const *names, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): all packages, without their marks; no root needed; or NULL with
 *  UNAVAILABLE or DATA set. */
PackageSet *packages_read_installed(const PackageManager *manager,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As packages_read_installed(), with the marks; errors as packages_ask(). */
PackageSet *packages_read(const PackageManager *manager, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): what installing would do, from the index that is there; or NULL with
 *  UNAVAILABLE (unknown package, unmet dependency) or another error of packages_ask() set. */
PackageChanges *packages_simulate(const PackageManager *manager, const char *const *packages,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): what removing would do; errors as packages_ask(). */
PackageChanges *packages_simulate_removal(const PackageManager *manager, const char *const *names,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
