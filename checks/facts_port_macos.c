/* checks/facts_port_macos.c - who listens on a TCP port: not looked at here
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_port.h"

void facts_read_port_owners(const FactsSource *source G_GNUC_UNUSED, GPtrArray *ports G_GNUC_UNUSED)
{
}
