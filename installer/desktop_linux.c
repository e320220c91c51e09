/* installer/desktop_linux.c - Docker Desktop on Linux
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "installer/desktop.h"

static const char *const stop[] = { "systemctl", "--user", "stop", "docker-desktop", NULL };
static const char *const start[] = { "systemctl", "--user", "start", "docker-desktop", NULL };

const DesktopHost desktop_host = { .own = ".docker/desktop/backend.sock",
	                           .engine = ".docker/desktop/docker.sock",
	                           .stop = stop,
	                           .start = start };
