/* keystore/audit_linux.c - names of processes, from /proc
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"
#include "keystore/audit_private.h"

#define NAME_MAX_BYTES 15 /* TASK_COMM_LEN, less the NUL */

char *audit_process_name(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC);
	char name[NAME_MAX_BYTES + 1] = "";
	ssize_t size = fd >= 0 ? read(fd, name, NAME_MAX_BYTES) : -1;

	return size > 0 ? g_strchomp(g_strndup(name, (gsize)size)) : NULL;
}

char *audit_program(void)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path));

	return size > 0 ? g_strndup(path, (gsize)size) : NULL;
}
