/* installer/host_macos.c - who we are, on macOS
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/host.h"

#include <mach-o/dyld.h>
#include <stdlib.h>
#include <unistd.h>

char *host_self_path(void)
{
	char name[4096];
	uint32_t size_bytes = sizeof(name);

	if (_NSGetExecutablePath(name, &size_bytes) != 0)
		g_error("the path of this program is too long");
	return g_canonicalize_filename(name, NULL);
}

bool host_is_elevated(void)
{
	return issetugid() != 0;
}

bool host_is_static(void)
{
	return false; /* there are no static programs on macOS */
}
