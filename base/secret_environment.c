/* base/secret_environment.c - the environment that we were started with, out of everybody's sight
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/secret.h"
#include "base/secret_private.h"

/* /proc/PID/environ is the memory in which execve(2) put it; unsetenv(3) leaves that as it is. */
void secret_hide_environment(void)
{
	for (char **variable = secret_environment(); variable && *variable; variable++) {
		char *shown = *variable;

		*variable = g_strdup(shown);
		secret_wipe(shown, strlen(shown));
	}
}
