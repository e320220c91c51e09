/* tests/process_fixture.h - shell scripts as children, and how to see that they are gone
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"

#define SHELL(script)                                   \
	(const char *const[])                           \
	{                                               \
		"/bin/sh", "-c", (script), "test", NULL \
	}

static inline double seconds_since(gint64 start_us)
{
	return (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
}

/* A zombie that nobody reaps is dead. */
static inline bool is_alive(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *stat = NULL;

	if (kill(pid, 0) != 0)
		return false;
	return !g_file_get_contents(path, &stat, NULL, NULL) || !strstr(stat, ") Z");
}

static inline bool dies_within_a_second(pid_t pid)
{
	for (int i = 0; i < 100 && is_alive(pid); i++)
		g_usleep(10000);
	return !is_alive(pid);
}
