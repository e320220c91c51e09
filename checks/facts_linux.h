/* checks/facts_linux.h - the parts of reading a machine that runs Linux
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_cgroup.h"

/** Fills memory; limits of the control groups are taken in. */
void memory_read(const FactsSource *source, const CgroupLimits *limits, FactsMemory *memory);

/** Fills count, affinity, online, physical, governor and the like; not the features. */
void cpu_read(const FactsSource *source, const CgroupLimits *limits, FactsCpu *cpu);
/** Returns: of the time since the start, what the hypervisor gave to others, in 1/1000. */
guint64 cpu_steal_read(const FactsSource *source);

/** Returns: how many CPUs "0-3,8" names; FACTS_UNKNOWN for another text. */
guint64 cpu_list_count(const char *list);

/** Fills limits: of this process and of the system. */
void limits_read(const FactsSource *source, const CgroupLimits *groups, FactsLimits *limits);

/** Fills kernel.  @release: (nullable): of the kernel. */
void kernel_read(const FactsSource *source, const CgroupLimits *groups, const char *release,
                 FactsKernel *kernel);

/** Fills clock. */
void clock_read(const FactsSource *source, FactsClock *clock);
