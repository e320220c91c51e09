/* checks/facts_limits_linux.c - limits of this process, its control group and the system
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_linux.h"

static guint64 kernel_number(const FactsSource *source, const char *name)
{
	g_autofree char *path = g_strconcat("/proc/sys/", name, NULL);

	return source_number(source, path);
}

/* Three switches, of the kernel, of Debian and of Ubuntu; absent ones are open. */
static Fact lets_user_namespaces(const FactsSource *source, guint64 most)
{
	if (most == FACTS_UNKNOWN)
		return FACT_UNKNOWN;
	return most > 0 && kernel_number(source, "kernel/unprivileged_userns_clone") != 0 &&
	                       kernel_number(source, "kernel/apparmor_restrict_unprivileged_"
	                                             "userns") != 1
	               ? FACT_YES
	               : FACT_NO;
}

/* Returns: (transfer full) (nullable): "" where the kernel has no such setting. */
static char *kernel_text(const FactsSource *source, const char *name)
{
	g_autofree char *path = g_strconcat("/proc/sys/kernel/", name, NULL);
	char *text = source_line(source, path);

	return text == NULL && !source_exists(source, path) ? g_strdup("") : text;
}

static void read_system(const FactsSource *source, FactsLimits *limits)
{
	limits->pids = kernel_number(source, "kernel/pid_max");
	limits->threads = kernel_number(source, "kernel/threads-max");
	limits->inotify_instances = kernel_number(source, "fs/inotify/max_user_instances");
	limits->inotify_watches = kernel_number(source, "fs/inotify/max_user_watches");
	limits->map_count = kernel_number(source, "vm/max_map_count");
	limits->backlog = kernel_number(source, "net/core/somaxconn");
	limits->keys = kernel_number(source, "kernel/keys/maxkeys");
	limits->user_namespaces = kernel_number(source, "user/max_user_namespaces");
	limits->core_pattern = kernel_text(source, "core_pattern");
	limits->perf = kernel_text(source, "perf_event_paranoid");
	limits->ptrace = kernel_text(source, "yama/ptrace_scope");
	limits->lets_user_namespaces = lets_user_namespaces(source, limits->user_namespaces);
}

void limits_read(const FactsSource *source, const CgroupLimits *groups, FactsLimits *limits)
{
	limits_read_process(limits);
	limits->cgroup_pids = groups->pids;
	read_system(source, limits);
}
