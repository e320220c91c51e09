/* checks/facts_cpu_linux.c - how many processors there are, as the kernel of Linux says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "checks/facts_linux.h"

/* Most CPUs that a kernel can be built for.  Source: NR_CPUS of x86, 8192. */
#define CPUS_MAX 8192

static guint64 affinity(void)
{
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	gsize size_bytes = CPU_ALLOC_SIZE(CPUS_MAX);
	guint64 count = FACTS_UNKNOWN;

	if (set == NULL)
		return count;

	CPU_ZERO_S(size_bytes, set);
	if (sched_getaffinity(0, size_bytes, set) == 0)
		count = (guint64)CPU_COUNT_S(size_bytes, set);
	CPU_FREE(set);
	return count;
}

guint64 cpu_list_count(const char *list)
{
	guint64 count = 0;

	while (list != NULL && g_ascii_isdigit(*list)) {
		char *end = NULL;
		guint64 first = g_ascii_strtoull(list, &end, 10);
		guint64 last = *end == '-' ? g_ascii_strtoull(end + 1, &end, 10) : first;

		if (last < first || last >= CPUS_MAX)
			return FACTS_UNKNOWN;
		count += last - first + 1;
		list = *end == ',' ? end + 1 : NULL;
	}
	return count > 0 ? count : FACTS_UNKNOWN;
}

static guint64 count_in(const FactsSource *source, const char *path)
{
	g_autofree char *list = source_line(source, path);

	return cpu_list_count(list);
}

/* The first core's threads stand for all; where there are two kinds of cores, only the large ones have
 * more than one.  Asking each CPU would be a file for each. */
static guint64 physical(const FactsSource *source, guint64 online)
{
	guint64 threads =
		count_in(source, "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
	guint64 large = count_in(source, "/sys/devices/cpu_core/cpus");
	guint64 small = count_in(source, "/sys/devices/cpu_atom/cpus");

	if (threads == FACTS_UNKNOWN || online == FACTS_UNKNOWN)
		return FACTS_UNKNOWN;
	if (large != FACTS_UNKNOWN && small != FACTS_UNKNOWN)
		return large / threads + small;
	return MAX(online / threads, 1);
}

/* A machine has one supply of each kind; a computer without a battery has none at all. */
static Fact is_on_battery(const FactsSource *source)
{
	g_autoptr(GPtrArray) names = source_list(source, "/sys/class/power_supply");
	Fact result = FACT_NO;

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(
			"/sys/class/power_supply", g_ptr_array_index(names, i), "online", NULL);
		guint64 is_online = source_number(source, path);

		if (is_online == 1)
			return FACT_NO;
		if (is_online == 0)
			result = FACT_YES;
	}
	return result;
}

static void read_kvm(const FactsSource *source, FactsCpu *cpu)
{
	g_autofree char *path = source_path(source, "/dev/kvm");

	cpu->has_kvm = source_exists(source, "/dev/kvm") ? FACT_YES : FACT_NO;
	if (cpu->has_kvm == FACT_YES)
		cpu->can_use_kvm = faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0
		                           ? FACT_YES
		                           : FACT_NO;
}

/* "cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ...".  Source: proc(5). */
guint64 cpu_steal_read(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/stat");
	char *at = text != NULL && g_str_has_prefix(text, "cpu ") ? text + strlen("cpu ") : NULL;
	guint64 all = 0;
	guint64 steal = 0;

	for (gsize i = 0; i < 8; i++) {
		char *end = at;

		steal = at != NULL ? g_ascii_strtoull(at, &end, 10) : 0;
		if (end == at)
			return FACTS_UNKNOWN;
		at = end;
		all += steal;
	}
	return all > 0 ? (guint64)((double)steal * 1000 / (double)all) : FACTS_UNKNOWN;
}

void cpu_read(const FactsSource *source, const CgroupLimits *limits, FactsCpu *cpu)
{
	guint64 quota = limits->cpu_milli != FACTS_UNKNOWN ? (limits->cpu_milli + 999) / 1000
	                                                   : FACTS_UNKNOWN;

	cpu->affinity = affinity();
	cpu->online = count_in(source, "/sys/devices/system/cpu/online");
	cpu->physical = physical(source, cpu->online);
	cpu->quota_milli = limits->cpu_milli;
	cpu->count = MIN(cpu->affinity, quota);
	cpu->governor =
		source_line(source, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	cpu->is_on_battery = is_on_battery(source);
	read_kvm(source, cpu);
	cpu->source = g_strdup(quota < cpu->affinity ? limits->cpu_file : "sched_getaffinity");
}

/* Source: HWCAP_ASIMD, HWCAP_ASIMDDP, HWCAP_SVE and HWCAP2_I8MM of the kernel's arm64 hwcap.h, which
 * other architectures do not have. */
char *arm_features_read(void)
{
	static const struct {
		unsigned long kind, bit;
		const char *name;
	} bits[] = { { AT_HWCAP, 1UL << 1, "neon " },
		     { AT_HWCAP, 1UL << 20, "dotprod " },
		     { AT_HWCAP2, 1UL << 13, "i8mm " },
		     { AT_HWCAP, 1UL << 22, "sve " } };
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(bits); i++)
		if ((getauxval(bits[i].kind) & bits[i].bit) != 0)
			g_string_append(list, bits[i].name);

	return g_strchomp(g_string_free(list, FALSE));
}
