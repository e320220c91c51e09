/* installer/host_linux.c - who we are, on Linux
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/host.h"

#include <sys/auxv.h>

char *host_self_path(void)
{
	g_autoptr(GError) error = NULL;
	char *path = g_file_read_link("/proc/self/exe", &error);

	if (!path)
		g_error("cannot read /proc/self/exe: %s", error->message);
	return path;
}

bool host_is_elevated(void)
{
	return getauxval(AT_SECURE) != 0;
}
