/* keystore/helper_macos.c - the keychain of macOS needs no helper
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "keystore/helper.h"

bool keystore_is_helper(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return false;
}

int keystore_helper_main(void)
{
	return STATUS_USAGE;
}
