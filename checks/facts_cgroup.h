/* checks/facts_cgroup.h - the limits that control groups set
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Limits of this process's control groups; FACTS_UNKNOWN where there is none. */
typedef struct {
	guint64 memory_bytes;
	guint64 memory_available_bytes; /* limit less what is used and cannot be dropped */
	guint64 swap_bytes;
	guint64 cpu_milli;
	guint64 pids;      /* FACTS_UNLIMITED: there is a controller, and no limit */
	char *memory_file; /* (nullable): that sets memory_bytes */
	char *cpu_file;    /* (nullable) */
	char *version;     /* (nullable): "1", "2", "hybrid" */
	char *controllers; /* (nullable): that the kernel has, space between */
} CgroupLimits;

/** Reads version 1, 2 and hybrid hierarchies.  @limits: filled; clear with cgroup_clear(). */
void cgroup_read(const FactsSource *source, CgroupLimits *limits);
void cgroup_clear(CgroupLimits *limits);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CgroupLimits, cgroup_clear)
