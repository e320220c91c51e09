/* base/process_macos.c - macOS has no signal for the death of a parent
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/process_private.h"

/** Group "admin", whose members may use sudo; Homebrew's directories belong to it. */
#define ADMIN_GROUP 80

void process_die_with(pid_t parent)
{
	(void)parent;
}

void process_adopt_orphans(void)
{
}

bool process_group_is_trusted(gid_t group)
{
	return group == 0 || group == ADMIN_GROUP;
}
