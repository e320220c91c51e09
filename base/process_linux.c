/* base/process_linux.c - children that die with us: prctl(2)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/process_private.h"

void process_die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(128 + SIGKILL);
}

void process_adopt_orphans(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

bool process_group_is_trusted(gid_t group)
{
	return group == 0;
}
