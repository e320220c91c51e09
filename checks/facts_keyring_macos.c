/* checks/facts_keyring_macos.c - the Keychain is a part of macOS
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_private.h"

void facts_read_keyring(const FactsSource *source G_GNUC_UNUSED, FactsKeyring *keyring)
{
	keyring->has_bus = FACT_YES;
	keyring->has_service = FACT_YES;
}
