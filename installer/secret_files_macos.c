/* installer/secret_files_macos.c - which file systems are memory: none that is there by itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/secret_files.h"

bool secret_files_are_in_memory(int fd G_GNUC_UNUSED)
{
	return false;
}

bool secret_files_can_be_mounted(void)
{
	return false;
}
