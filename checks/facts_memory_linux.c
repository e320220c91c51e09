/* checks/facts_memory_linux.c - memory and swap, as the kernel of Linux counts them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_linux.h"

/* "MemTotal:       16384 kB", in bytes. */
static guint64 meminfo_bytes(const char *text, const char *name)
{
	g_autofree char *key = g_strdup_printf("\n%s:", name);
	const char *line = strstr(text, key);
	guint64 kib = line != NULL ? source_parse_number(line + strlen(key)) : FACTS_UNKNOWN;

	return kib <= G_MAXINT64 / 1024 ? kib * 1024 : FACTS_UNKNOWN;
}

/* Kernels before 3.14 do not say what is available, and some containers say more than there is. */
static guint64 available_bytes(const char *lines, guint64 total_bytes)
{
	static const char *const parts[] = { "MemFree", "Buffers", "Cached", "SReclaimable" };
	guint64 said = meminfo_bytes(lines, "MemAvailable");
	guint64 shared = meminfo_bytes(lines, "Shmem");
	guint64 sum = 0;

	if (said < total_bytes)
		return said;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		guint64 bytes = meminfo_bytes(lines, parts[i]);

		if (bytes == FACTS_UNKNOWN)
			return FACTS_UNKNOWN;
		sum += bytes;
	}
	return shared <= sum ? MIN(sum - shared, total_bytes) : FACTS_UNKNOWN;
}

/* ZFS counts its cache as used, and gives back all of it but a minimum.  "size  4  8589934592" */
static guint64 arc_value(const char *text, const char *name)
{
	g_autofree char *key = g_strdup_printf("\n%s ", name);
	const char *line = strstr(text, key);
	g_autofree char *rest = NULL;
	const char *number;

	if (line == NULL)
		return FACTS_UNKNOWN;
	line += strlen(key);
	rest = g_strchomp(g_strndup(line, strcspn(line, "\n")));
	number = strrchr(rest, ' ');
	return number != NULL ? source_parse_number(number) : FACTS_UNKNOWN;
}

static guint64 cache_bytes(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/spl/kstat/zfs/arcstats");
	guint64 size = text != NULL ? arc_value(text, "size") : FACTS_UNKNOWN;
	guint64 least = text != NULL ? arc_value(text, "c_min") : FACTS_UNKNOWN;

	if (text == NULL)
		return 0;
	if (size == FACTS_UNKNOWN || least == FACTS_UNKNOWN)
		return FACTS_UNKNOWN;
	return size > least ? size - least : 0;
}

/* "always [madvise] never" */
static char *bracketed_word(const FactsSource *source, const char *path)
{
	g_autofree char *text = source_read(source, path);
	const char *open = text != NULL ? strchr(text, '[') : NULL;
	const char *close = open != NULL ? strchr(open, ']') : NULL;

	return close != NULL ? g_strndup(open + 1, (gsize)(close - open - 1)) : NULL;
}

static guint64 sum(guint64 a, guint64 b)
{
	return a <= G_MAXINT64 && b <= G_MAXINT64 - a ? a + b : a;
}

static void read_usage(const char *lines, const CgroupLimits *limits, FactsMemory *memory)
{
	guint64 available = available_bytes(lines, memory->installed_bytes);

	memory->available_bytes =
		MIN(sum(available, memory->cache_bytes), limits->memory_available_bytes);
	memory->swap_bytes = MIN(meminfo_bytes(lines, "SwapTotal"), limits->swap_bytes);
	memory->swap_free_bytes = MIN(meminfo_bytes(lines, "SwapFree"), memory->swap_bytes);
	memory->huge_bytes = meminfo_bytes(lines, "Hugetlb");
	memory->commit_bytes = meminfo_bytes(lines, "CommitLimit");
	memory->committed_bytes = meminfo_bytes(lines, "Committed_AS");
}

void memory_read(const FactsSource *source, const CgroupLimits *limits, FactsMemory *memory)
{
	g_autofree char *text = source_read(source, "/proc/meminfo");
	g_autofree char *lines = g_strconcat("\n", text, NULL);

	memory->installed_bytes = meminfo_bytes(lines, "MemTotal");
	memory->cache_bytes = cache_bytes(source);
	read_usage(lines, limits, memory);
	memory->overcommit = source_number(source, "/proc/sys/vm/overcommit_memory");
	memory->huge_pages = bracketed_word(source, "/sys/kernel/mm/transparent_hugepage/enabled");
	memory->limit_bytes = limits->memory_bytes;
	memory->total_bytes = MIN(memory->installed_bytes, memory->limit_bytes);
	memory->source =
		g_strdup(memory->limit_bytes < memory->installed_bytes ? limits->memory_file
	                                                               : "/proc/meminfo MemTotal");
}
