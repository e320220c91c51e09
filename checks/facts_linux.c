/* checks/facts_linux.c - what only Linux answers, or answers in its own way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "checks/facts_private.h"

/* Most CPUs that a kernel can be built for.  Source: NR_CPUS of x86, 8192. */
#define CPUS_MAX 8192

const char *const engine_socket_table[] = { "$XDG_RUNTIME_DIR/docker.sock",
	                                    "$HOME/.docker/desktop/docker.sock",
	                                    "$HOME/.docker/run/docker.sock",
	                                    "$HOME/.rd/docker.sock",
	                                    "$HOME/.colima/default/docker.sock" };
const gsize engine_socket_count = G_N_ELEMENTS(engine_socket_table);

const char *const desktop_directory_table[] = { "$HOME/.docker/desktop" };
const gsize desktop_directory_count = G_N_ELEMENTS(desktop_directory_table);

const bool port_probe_reuses_address = true;

/* A process of another process namespace has no number in ours. */
Fact peer_is_here(int fd)
{
	struct ucred peer = { 0 };
	socklen_t size_bytes = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size_bytes) != 0)
		return FACT_UNKNOWN;
	return peer.pid > 0 ? FACT_YES : FACT_NO;
}

/* "MemTotal:       16384 kB", in bytes. */
static guint64 meminfo_bytes(const char *text, const char *name)
{
	g_autofree char *key = g_strdup_printf("\n%s:", name);
	const char *line = strstr(text, key);
	guint64 kib = line != NULL ? source_parse_number(line + strlen(key)) : FACTS_UNKNOWN;

	return kib <= G_MAXINT64 / 1024 ? kib * 1024 : FACTS_UNKNOWN;
}

static void read_memory(const FactsSource *source, const CgroupLimits *limits, FactsMemory *memory)
{
	g_autofree char *text = source_read(source, "/proc/meminfo");
	g_autofree char *lines = g_strconcat("\n", text, NULL);

	memory->installed_bytes = meminfo_bytes(lines, "MemTotal");
	memory->available_bytes =
		MIN(meminfo_bytes(lines, "MemAvailable"), limits->memory_available_bytes);
	memory->swap_bytes = MIN(meminfo_bytes(lines, "SwapTotal"), limits->swap_bytes);
	memory->limit_bytes = limits->memory_bytes;
	memory->total_bytes = MIN(memory->installed_bytes, memory->limit_bytes);
	memory->source =
		g_strdup(memory->limit_bytes < memory->installed_bytes ? limits->memory_file
	                                                               : "/proc/meminfo MemTotal");
}

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

static void read_cpu(const CgroupLimits *limits, FactsCpu *cpu)
{
	guint64 quota = limits->cpu_milli != FACTS_UNKNOWN ? (limits->cpu_milli + 999) / 1000
	                                                   : FACTS_UNKNOWN;

	cpu->affinity = affinity();
	cpu->quota_milli = limits->cpu_milli;
	cpu->count = MIN(cpu->affinity, quota);
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

static Fact no_new_privs(const FactsSource *source)
{
	g_autofree char *text = source_read(source, "/proc/self/status");
	const char *line = text != NULL ? strstr(text, "\nNoNewPrivs:") : NULL;

	if (line == NULL)
		return FACT_UNKNOWN;
	return source_parse_number(line + strlen("\nNoNewPrivs:")) == 1 ? FACT_YES : FACT_NO;
}

static void read_system(const FactsSource *source, FactsSystem *system)
{
	struct utsname names;
	g_autofree char *text = source_read(source, "/etc/os-release");
	g_autofree char *fallback =
		text == NULL ? source_read(source, "/usr/lib/os-release") : NULL;

	if (uname(&names) == 0) {
		system->name = g_strdup(names.sysname);
		system->architecture = g_strdup(names.machine);
		system->kernel = g_strdup(names.release);
	}
	if (text != NULL || fallback != NULL)
		os_release_parse(text != NULL ? text : fallback, system);
	system->uid = geteuid();
	system->has_no_new_privs = no_new_privs(source);
}

void facts_read_machine(const FactsSource *source, Facts *facts)
{
	g_auto(CgroupLimits) limits = { 0 };

	cgroup_read(source, &limits);
	read_system(source, &facts->system);
	read_memory(source, &limits, &facts->memory);
	read_cpu(&limits, &facts->cpu);
}
