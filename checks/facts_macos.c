/* checks/facts_macos.c - what only macOS answers, or answers in its own way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <limits.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <sys/xattr.h>

#include "checks/facts_private.h"
#include "checks/facts_sysctl_macos.h"

const bool port_probe_reuses_address = false;

/* Every engine on macOS runs in a virtual machine. */
Fact peer_is_here(int fd G_GNUC_UNUSED)
{
	return FACT_NO;
}

guint64 sysctl_number(const char *name)
{
	guint64 value = 0;
	gsize size_bytes = sizeof(value);

	if (sysctlbyname(name, &value, &size_bytes, NULL, 0) != 0)
		return FACTS_UNKNOWN;
	if (size_bytes == sizeof(guint32)) {
		guint32 half;

		memcpy(&half, &value, sizeof(half));
		return half;
	}
	return value;
}

char *sysctl_text(const char *name)
{
	char value[256];
	gsize size_bytes = sizeof(value) - 1;

	if (sysctlbyname(name, value, &size_bytes, NULL, 0) != 0)
		return NULL;
	value[size_bytes] = '\0';
	return g_strdup(value);
}

/* What can be had without swapping: free, inactive and purgeable pages. */
static guint64 available_bytes(void)
{
	vm_statistics64_data_t pages;
	mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
	guint64 page_bytes = sysctl_number("hw.pagesize");

	if (page_bytes == FACTS_UNKNOWN ||
	    host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&pages, &count) !=
	            KERN_SUCCESS)
		return FACTS_UNKNOWN;

	return ((guint64)pages.free_count + pages.inactive_count + pages.purgeable_count) *
	       page_bytes;
}

char *arm_features_read(void)
{
	static const struct {
		const char *name, *feature;
	} table[] = { { "hw.optional.neon", "neon " },
		      { "hw.optional.arm.FEAT_DotProd", "dotprod " },
		      { "hw.optional.arm.FEAT_I8MM", "i8mm " } };
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (sysctl_number(table[i].name) == 1)
			g_string_append(list, table[i].feature);

	return g_strchomp(g_string_free(list, FALSE));
}

/* On an Intel Mac there is no such name. */
static Fact is_translated(void)
{
	guint64 value = sysctl_number("sysctl.proc_translated");

	return value == 1 ? FACT_YES : FACT_NO;
}

/* What a browser has downloaded carries this attribute until somebody lets it through. */
static Fact is_quarantined(void)
{
	char path[PATH_MAX];
	uint32_t size_bytes = sizeof(path);

	if (_NSGetExecutablePath(path, &size_bytes) != 0)
		return FACT_UNKNOWN;
	return getxattr(path, "com.apple.quarantine", NULL, 0, 0, 0) >= 0 ? FACT_YES : FACT_NO;
}

static Fact exists(const FactsSource *source, const char *path)
{
	return source_exists(source, path) ? FACT_YES : FACT_NO;
}

static void read_system(const FactsSource *source, FactsSystem *system)
{
	struct utsname names;

	if (uname(&names) == 0) {
		system->name = g_strdup(names.sysname);
		system->architecture = g_strdup(names.machine);
		system->kernel = g_strdup(names.release);
	}
	system->id = g_strdup("macos");
	system->version = sysctl_text("kern.osproductversion");
	if (system->version != NULL)
		system->pretty = g_strdup_printf("macOS %s", system->version);
	system->has_no_new_privs = FACT_NO;
	system->is_translated = is_translated();
	system->has_rosetta = exists(source, "/Library/Apple/usr/libexec/oah/libRosettaRuntime");
	system->has_developer_tools =
		exists(source, "/Library/Developer/CommandLineTools/usr/bin/git") == FACT_YES
			? FACT_YES
			: exists(source, "/var/db/xcode_select_link");
	system->is_quarantined = is_quarantined();
}

static void read_memory(FactsMemory *memory)
{
	struct xsw_usage usage;
	gsize size_bytes = sizeof(usage);

	memory->installed_bytes = sysctl_number("hw.memsize");
	memory->total_bytes = memory->installed_bytes;
	memory->available_bytes = available_bytes();
	memory->source = g_strdup("sysctl hw.memsize");
	if (sysctlbyname("vm.swapusage", &usage, &size_bytes, NULL, 0) == 0) {
		memory->swap_bytes = usage.xsu_total;
		memory->swap_free_bytes = usage.xsu_avail;
	}
}

static void read_cpu(FactsCpu *cpu)
{
	guint64 can_virtualize = sysctl_number("kern.hv_support");

	cpu->affinity = sysctl_number("hw.activecpu");
	cpu->online = cpu->affinity;
	cpu->physical = sysctl_number("hw.physicalcpu");
	cpu->count = cpu->affinity;
	cpu->source = g_strdup("sysctl hw.activecpu");
	if (can_virtualize != FACTS_UNKNOWN)
		cpu->has_virtualization = can_virtualize == 1 ? FACT_YES : FACT_NO;
}

/* An update of the system writes this file. */
static void read_clock(FactsClock *clock)
{
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
	struct stat status;

	clock->now_s = now_s >= 0 ? (guint64)now_s : FACTS_UNKNOWN;
	if (stat("/private/var/db/.AppleSetupDone", &status) == 0 && status.st_mtime > 0)
		clock->newest_s = (guint64)status.st_mtime;
}

void facts_read_machine(const FactsSource *source, Facts *facts)
{
	read_system(source, &facts->system);
	read_memory(&facts->memory);
	read_cpu(&facts->cpu);
	isa_read(facts->system.architecture, &facts->system, &facts->cpu);
	g_free(facts->system.machine);
	facts->system.machine = g_strdup(sysctl_number("kern.hv_vmm_present") == 1 ? "apple" : "");
	limits_read_process(&facts->limits);
	read_clock(&facts->clock);
}
