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
	static char
		*hidden; /* all of it, in one block: a block for each costs time at every start */
	char **variables = secret_environment();
	gsize size = 0;

	for (char **variable = variables; variable && *variable; variable++)
		size += strlen(*variable) + 1;
	if (size == 0 || hidden)
		return;

	char *at = hidden = g_malloc(size);
	for (char **variable = variables; *variable; variable++) {
		gsize length = strlen(*variable);

		memcpy(at, *variable, length + 1);
		secret_wipe(*variable, length);
		*variable = at;
		at += length + 1;
	}
}
