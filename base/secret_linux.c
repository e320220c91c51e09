/* base/secret_linux.c - no tracing, no core dump: prctl(2)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "base/secret_private.h"

void secret_deny_tracing(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool secret_is_traceable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

char **secret_environment(void)
{
	return environ;
}
