/* checks/facts_cgroup.c - the limits that control groups set
 *
 * A limit may stand in the group of this process or in any ancestor that is visible; the lowest
 * one holds.  The mount points come from mountinfo: they are not where one expects them in
 * hybrid hierarchies and in containers that share the host's groups.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_cgroup.h"

/* Version 1 writes "no limit" as the largest page-aligned number. */
#define V1_NO_LIMIT G_GUINT64_CONSTANT(0x7FFFFFFFFFFFF000)

/** One hierarchy as this process sees it. */
typedef struct {
	char *mount; /* mount point */
	char *root;  /* the group that the mount point shows */
	char *group; /* of this process, below mount: "" or "/a/b" */
} Hierarchy;

static void hierarchy_clear(Hierarchy *hierarchy)
{
	g_free(hierarchy->mount);
	g_free(hierarchy->root);
	g_free(hierarchy->group);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hierarchy, hierarchy_clear)

/* "cpu,cpuacct", which ends at the end of its field. */
static bool has_word(const char *list, const char *word)
{
	gsize length = strlen(word);

	while (strncmp(list, word, length) != 0 || strchr(",: \n", list[length]) == NULL) {
		list += strcspn(list, ",: \n");
		if (*list != ',')
			return false;
		list++;
	}
	return true;
}

/* "36 35 0:30 ROOT MOUNT rw,… [fields] - TYPE DEVICE SUPER", of the version that has @controller, or of version 2
 * for NULL. */
static bool take_mount(const char *line, const char *controller, Hierarchy *hierarchy)
{
	const char *device = strchr(strstr(line, " - ") + strlen(" - "), ' ');
	const char *super = device != NULL ? strchr(device + 1, ' ') : NULL;

	if (super == NULL || (controller != NULL && !has_word(super + 1, controller)))
		return false;

	g_auto(GStrv) before = g_strsplit(line, " ", 6);
	if (g_strv_length(before) < 6)
		return false;
	hierarchy->root = g_strdup(before[3]);
	hierarchy->mount = g_strcompress(before[4]); /* \040 and its like */
	return true;
}

static bool find_mount(const char *mountinfo, const char *controller, Hierarchy *hierarchy)
{
	for (const char *line = mountinfo; *line != '\0'; line += *line == '\n') {
		gsize length = strcspn(line, "\n");
		const char *behind = g_strstr_len(line, (gssize)length, " - cgroup");
		bool is_v2 = behind != NULL && behind[strlen(" - cgroup")] == '2';

		if (behind != NULL && is_v2 == (controller == NULL)) {
			g_autofree char *copy = g_strndup(line, length);

			if (take_mount(copy, controller, hierarchy))
				return true;
		}
		line += length;
	}
	return false;
}

/* "0::/path" for version 2, "4:cpu,cpuacct:/path" for a controller of version 1. */
static char *find_group(const char *groups, const char *controller)
{
	for (const char *line = groups; *line != '\0'; line += *line == '\n') {
		const char *list = line + strcspn(line, ":\n");
		const char *path = *list == ':' ? list + 1 + strcspn(list + 1, ":\n") : list;

		line += strcspn(line, "\n");
		if (*path == ':' &&
		    (controller == NULL ? path == list + 1 : has_word(list + 1, controller)))
			return g_strndup(path + 1, (gsize)(line - path) - 1);
	}
	return NULL;
}

/* The group below the mount point; "" where the mount does not show the group's own directory. */
static char *relative_group(const char *group, const char *root)
{
	gsize length = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(group, root, length) != 0 || strstr(group, "/..") != NULL)
		return g_strdup("");
	group += length;
	return g_strdup(*group == '/' && group[1] != '\0' ? group : "");
}

static bool hierarchy_open(const FactsSource *source, const char *controller, Hierarchy *hierarchy)
{
	g_autofree char *mountinfo = source_read(source, "/proc/self/mountinfo");
	g_autofree char *groups = source_read(source, "/proc/self/cgroup");
	g_autofree char *group = groups != NULL ? find_group(groups, controller) : NULL;

	if (group == NULL || mountinfo == NULL || !find_mount(mountinfo, controller, hierarchy))
		return false;

	hierarchy->group = relative_group(group, hierarchy->root);
	return true;
}

/* Drops the last component; false at the top. */
static bool to_parent(char *group)
{
	char *slash = strrchr(group, '/');

	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/* The number behind "NAME " at the start of a line of memory.stat. */
static guint64 stat_value(const char *text, const char *name)
{
	gsize length = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return source_parse_number(line + length);
	}
	return FACTS_UNKNOWN;
}

typedef struct {
	const char *controller; /* NULL: version 2 */
	const char *limit, *current, *swap;
	const char
		*high; /* (nullable): above it the kernel takes memory back, and programs crawl */
	const char *droppable; /* in memory.stat: file pages that can go at once */
} MemoryFiles;

static const MemoryFiles memory_v1 = {
	"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.memsw.limit_in_bytes",
	NULL,     "total_inactive_file"
};
static const MemoryFiles memory_v2 = {
	NULL, "memory.max", "memory.current", "memory.swap.max", "memory.high", "inactive_file"
};

static guint64 group_number(const FactsSource *source, const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return source_number(source, path);
}

static void take_available(const FactsSource *source, const char *directory,
                           const MemoryFiles *files, guint64 limit, CgroupLimits *limits)
{
	g_autofree char *path = g_build_filename(directory, "memory.stat", NULL);
	g_autofree char *text = source_read(source, path);
	guint64 current = group_number(source, directory, files->current);
	guint64 droppable = text != NULL ? stat_value(text, files->droppable) : FACTS_UNKNOWN;
	guint64 used;

	if (current == FACTS_UNKNOWN)
		return;
	used = droppable < current ? current - droppable : current;
	limits->memory_available_bytes =
		MIN(limits->memory_available_bytes, limit > used ? limit - used : 0);
}

static void take_limit(const FactsSource *source, const char *directory, const MemoryFiles *files,
                       const char *name, guint64 limit, CgroupLimits *limits)
{
	if (limit == FACTS_UNKNOWN)
		return;
	take_available(source, directory, files, limit, limits);
	if (limit < limits->memory_bytes) {
		limits->memory_bytes = limit;
		g_free(limits->memory_file);
		limits->memory_file = g_build_filename(directory, name, NULL);
	}
}

static void take_memory(const FactsSource *source, const char *directory, const MemoryFiles *files,
                        CgroupLimits *limits)
{
	guint64 limit = group_number(source, directory, files->limit);
	guint64 swap = group_number(source, directory, files->swap);

	if (files->controller != NULL && limit >= V1_NO_LIMIT)
		limit = FACTS_UNKNOWN;
	if (files->controller != NULL) /* version 1 counts memory and swap together */
		swap = swap >= V1_NO_LIMIT || limit > swap ? FACTS_UNKNOWN : swap - limit;
	limits->swap_bytes = MIN(limits->swap_bytes, swap);

	take_limit(source, directory, files, files->limit, limit, limits);
	if (files->high != NULL)
		take_limit(source, directory, files, files->high,
		           group_number(source, directory, files->high), limits);
}

static bool read_memory(const FactsSource *source, const MemoryFiles *files, CgroupLimits *limits)
{
	g_auto(Hierarchy) hierarchy = { NULL };

	if (!hierarchy_open(source, files->controller, &hierarchy))
		return false;

	do {
		g_autofree char *directory = g_strconcat(hierarchy.mount, hierarchy.group, NULL);

		take_memory(source, directory, files, limits);
	} while (to_parent(hierarchy.group));
	return true;
}

/* "max 100000" or "150000 100000" in version 2; two files, -1 for none, in version 1. */
static guint64 cpu_milli(const FactsSource *source, const char *directory, bool is_v1)
{
	g_autofree char *path = g_build_filename(directory, "cpu.max", NULL);
	g_autofree char *text = is_v1 ? NULL : source_read(source, path);
	const char *space = text != NULL ? strchr(text, ' ') : NULL;
	guint64 quota = FACTS_UNKNOWN;
	guint64 period = FACTS_UNKNOWN;

	if (is_v1) {
		quota = group_number(source, directory, "cpu.cfs_quota_us");
		period = group_number(source, directory, "cpu.cfs_period_us");
	} else if (space != NULL) {
		quota = source_parse_number(text);
		period = source_parse_number(space);
	}
	if (quota > G_MAXINT64 / 1000 || period == FACTS_UNKNOWN || period == 0)
		return FACTS_UNKNOWN;
	return MAX(quota * 1000 / period, 1);
}

static bool read_cpu(const FactsSource *source, bool is_v1, CgroupLimits *limits)
{
	g_auto(Hierarchy) hierarchy = { NULL };

	if (!hierarchy_open(source, is_v1 ? "cpu" : NULL, &hierarchy))
		return false;

	do {
		g_autofree char *directory = g_strconcat(hierarchy.mount, hierarchy.group, NULL);
		guint64 milli = cpu_milli(source, directory, is_v1);

		if (milli < limits->cpu_milli) {
			limits->cpu_milli = milli;
			g_free(limits->cpu_file);
			limits->cpu_file = g_build_filename(
				directory, is_v1 ? "cpu.cfs_quota_us" : "cpu.max", NULL);
		}
	} while (to_parent(hierarchy.group));
	return true;
}

/* "max" is a limit that is none. */
static void take_pids(const FactsSource *source, const char *directory, CgroupLimits *limits)
{
	g_autofree char *path = g_build_filename(directory, "pids.max", NULL);
	g_autofree char *text = source_line(source, path);
	guint64 pids = FACTS_UNKNOWN;

	if (text != NULL)
		pids = strcmp(text, "max") == 0 ? FACTS_UNLIMITED : source_parse_number(text);
	limits->pids = MIN(limits->pids, pids);
}

static bool read_pids(const FactsSource *source, bool is_v1, CgroupLimits *limits)
{
	g_auto(Hierarchy) hierarchy = { NULL };

	if (!hierarchy_open(source, is_v1 ? "pids" : NULL, &hierarchy))
		return false;

	/* The root group has no such file: there is no limit. */
	limits->pids = FACTS_UNLIMITED;
	do {
		g_autofree char *directory = g_strconcat(hierarchy.mount, hierarchy.group, NULL);

		take_pids(source, directory, limits);
	} while (to_parent(hierarchy.group));
	return true;
}

/* "#subsys_name hierarchy num_cgroups enabled": those of version 1, and which of them are on. */
static char *controllers_v1(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/cgroups");
	GString *list = g_string_new(NULL);

	for (const char *line = text; line != NULL && *line != '\0'; line += *line == '\n') {
		gsize length = strcspn(line, "\n");
		const char *enabled = g_strrstr_len(line, (gssize)length, "\t");

		if (enabled != NULL && *line != '#' && enabled[1] == '1') {
			g_string_append(list, list->len > 0 ? " " : "");
			g_string_append_len(list, line, (gssize)strcspn(line, "\t"));
		}
		line += length;
	}
	return g_string_free(list, text == NULL);
}

static void read_version(const FactsSource *source, CgroupLimits *limits)
{
	g_auto(Hierarchy) unified = { NULL };
	g_auto(Hierarchy) memory = { NULL };
	bool is_v2 = hierarchy_open(source, NULL, &unified);
	bool is_v1 = hierarchy_open(source, "memory", &memory);
	g_autofree char *path =
		is_v2 && !is_v1 ? g_strconcat(unified.mount, "/cgroup.controllers", NULL) : NULL;

	if (is_v1 || is_v2)
		limits->version = g_strdup(!is_v1 ? "2" : is_v2 ? "hybrid" : "1");
	limits->controllers = path != NULL ? source_line(source, path) : controllers_v1(source);
}

void cgroup_read(const FactsSource *source, CgroupLimits *limits)
{
	*limits = (CgroupLimits){ .memory_bytes = FACTS_UNKNOWN,
		                  .memory_available_bytes = FACTS_UNKNOWN,
		                  .swap_bytes = FACTS_UNKNOWN,
		                  .cpu_milli = FACTS_UNKNOWN,
		                  .pids = FACTS_UNKNOWN };

	/* A controller is in one version only; in hybrid hierarchies it is in version 1. */
	if (!read_memory(source, &memory_v1, limits))
		(void)read_memory(source, &memory_v2, limits);
	if (!read_cpu(source, true, limits))
		(void)read_cpu(source, false, limits);
	if (!read_pids(source, true, limits))
		(void)read_pids(source, false, limits);
	read_version(source, limits);
}

void cgroup_clear(CgroupLimits *limits)
{
	g_clear_pointer(&limits->memory_file, g_free);
	g_clear_pointer(&limits->cpu_file, g_free);
	g_clear_pointer(&limits->version, g_free);
	g_clear_pointer(&limits->controllers, g_free);
}
