/* keystore/memory_linux.c - /proc/meminfo and the control group
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/memory.h"

#include <string.h>

#include "base/file.h"

#define PROC_MAX_BYTES 65536
#define CGROUP_ROOT "/sys/fs/cgroup"

static char *read_text(const char *path)
{
	g_autoptr(GBytes) bytes = file_read(path, PROC_MAX_BYTES, NULL);
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

	return data ? g_strndup(data, size) : NULL;
}

/* Returns: the limit in @path, or @fallback when there is none ("max" is none). */
static guint64 lower_limit(const char *path, guint64 fallback)
{
	g_autofree char *text = read_text(path);

	if (!text || !g_ascii_isdigit(text[0]))
		return fallback;
	return MIN(fallback, g_ascii_strtoull(text, NULL, 10));
}

/* Control groups version 2: the lowest limit on the way from ours to the root. */
static guint64 lowest_limit(guint64 limit)
{
	g_autofree char *text = read_text("/proc/self/cgroup");
	const char *start = text ? g_strrstr(text, "0::/") : NULL;

	if (!start)
		return limit;
	g_autofree char *group = g_strndup(start + 3, strcspn(start + 3, "\n"));
	while (strcmp(group, "/") != 0 && strcmp(group, ".") != 0) {
		g_autofree char *path = g_strconcat(CGROUP_ROOT, group, "/memory.max", NULL);
		char *parent = g_path_get_dirname(group);

		limit = lower_limit(path, limit);
		g_free(group);
		group = parent;
	}
	return limit;
}

guint64 memory_available(void)
{
	static const char key[] = "MemAvailable:";
	g_autofree char *text = read_text("/proc/meminfo");
	const char *line = text ? strstr(text, key) : NULL;
	guint64 kib = line ? g_ascii_strtoull(line + strlen(key), NULL, 10) : 0;

	if (kib == 0)
		return 0;
	guint64 limit = lowest_limit(kib * 1024);
	limit = lower_limit(CGROUP_ROOT "/memory.max", limit);
	return lower_limit(CGROUP_ROOT "/memory/memory.limit_in_bytes", limit);
}
