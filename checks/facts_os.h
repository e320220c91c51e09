/* checks/facts_os.h - the parts of reading the system and its user
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Takes id, id_like, version, variant, end of support and pretty name from the text of an os-release file. */
void os_release_parse(const char *text, FactsSystem *system);

/** Fills container, CI, WSL, immutable, systemd, the C library. */
void facts_read_surroundings(const FactsSource *source, FactsSystem *system);

/** Fills what belongs to the user: home, groups, locale and the like; systemd is read before. */
void facts_read_user(const FactsSource *source, FactsSystem *system);
