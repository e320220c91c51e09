/* keystore/memory_macos.c - a quarter of what the machine has: macOS makes room for it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/memory.h"

#include <sys/sysctl.h>

guint64 memory_available(void)
{
	guint64 total = 0;
	gsize size = sizeof(total);

	if (sysctlbyname("hw.memsize", &total, &size, NULL, 0) != 0)
		return 0;
	return total / 4;
}
