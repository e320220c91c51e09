/* checks/facts_packages.h - the parts of reading package managers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Fills what is known of the lock of the manager, which is set. */
void lock_read(const FactsSource *source, FactsPackages *packages);

/** Fills what is said of dpkg's database, and of apt's sources. */
void dpkg_read(const FactsSource *source, FactsPackages *packages);

/** Returns: (transfer full): "URL SUITE" that two of apt's sources name with different keys, with which apt
 *  refuses all work; "" for none. */
char *apt_sources_conflict(const FactsSource *source);
