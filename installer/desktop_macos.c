/* installer/desktop_macos.c - Docker Desktop on macOS
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "installer/desktop.h"

static const char *const stop[] = { "osascript", "-e", "quit app \"Docker\"", NULL };
static const char *const start[] = { "open", "-g", "-a", "Docker", NULL };

const DesktopHost desktop_host = {
	.own = "Library/Containers/com.docker.docker/Data/backend.sock",
	.engine = ".docker/run/docker.sock",
	.stop = stop,
	.start = start,
};
