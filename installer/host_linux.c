/* installer/host_linux.c - who we are, on Linux
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/host.h"

#include <sys/auxv.h>

char *host_self_path(void)
{
	char *path = g_file_read_link("/proc/self/exe", NULL);

	/* Without /proc: the name that execve(2) was given. */
	return path ? path : g_canonicalize_filename((const char *)getauxval(AT_EXECFN), NULL);
}

bool host_is_static(void)
{
	return getauxval(AT_BASE) == 0;
}

bool host_is_elevated(void)
{
	return getauxval(AT_SECURE) != 0;
}
