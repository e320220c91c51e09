/* keystore/audit_macos.c - names of processes, from libproc
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <libproc.h>
#include <unistd.h>

#include "keystore/audit_private.h"

char *audit_process_name(pid_t pid)
{
	char name[2 * MAXCOMLEN + 1] = "";

	return proc_name(pid, name, sizeof(name)) > 0 ? g_strdup(name) : NULL;
}

char *audit_program(void)
{
	char path[PROC_PIDPATHINFO_MAXSIZE] = "";

	return proc_pidpath(getpid(), path, sizeof(path)) > 0 ? g_strdup(path) : NULL;
}
