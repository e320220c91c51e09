/* checks/facts_linux.c - what only Linux answers, or answers in its own way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "checks/facts_linux.h"
#include "checks/facts_os.h"

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

/* "NoNewPrivs:\t0" and its like, one to a line. */
static const char *status_value(const char *text, const char *name)
{
	g_autofree char *key = g_strdup_printf("\n%s:", name);
	const char *line = text != NULL ? strstr(text, key) : NULL;

	return line != NULL ? line + strlen(key) : NULL;
}

static void read_status(const FactsSource *source, FactsSystem *system)
{
	g_autofree char *text = source_read(source, "/proc/self/status");
	const char *privileges = status_value(text, "NoNewPrivs");
	const char *mask = status_value(text, "Umask");

	if (privileges != NULL)
		system->has_no_new_privs =
			source_parse_number(privileges) == 1 ? FACT_YES : FACT_NO;
	if (mask != NULL)
		system->umask = g_ascii_strtoull(mask, NULL, 8);
}

/* Of processors that do not name the hypervisor, the firmware does. */
static char *hypervisor(const FactsSource *source)
{
	static const struct {
		const char *said, *name;
	} vendors[] = { { "QEMU", "kvm" },
		        { "Amazon EC2", "amazon" },
		        { "Google", "google" },
		        { "VMware", "vmware" },
		        { "Microsoft Corporation", "hyper-v" },
		        { "Apple", "apple" },
		        { "Parallels", "parallels" } };
	g_autofree char *vendor = source_line(source, "/sys/class/dmi/id/sys_vendor");

	if (source_exists(source, "/proc/device-tree/hypervisor"))
		return g_strdup("kvm");
	for (gsize i = 0; vendor != NULL && i < G_N_ELEMENTS(vendors); i++)
		if (g_str_has_prefix(vendor, vendors[i].said))
			return g_strdup(vendors[i].name);

	return NULL;
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
	read_status(source, system);
}

void facts_read_machine(const FactsSource *source, Facts *facts)
{
	g_auto(CgroupLimits) limits = { 0 };

	cgroup_read(source, &limits);
	read_system(source, &facts->system);
	isa_read(facts->system.architecture, &facts->system, &facts->cpu);
	if (facts->system.machine == NULL)
		facts->system.machine = hypervisor(source);
	memory_read(source, &limits, &facts->memory);
	cpu_read(source, &limits, &facts->cpu);
	if (facts->system.machine != NULL && *facts->system.machine != '\0')
		facts->cpu.steal_permille = cpu_steal_read(source);
	limits_read(source, &limits, &facts->limits);
	kernel_read(source, &limits, facts->system.kernel, &facts->kernel);
	clock_read(source, &facts->clock);
}
