/* checks/facts_port.h - who listens on a TCP port
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Fills uid, pid and program of those of @ports that are taken, as far as this user may know. */
void facts_read_port_owners(const FactsSource *source, GPtrArray *ports);
