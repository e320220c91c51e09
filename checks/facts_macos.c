/* checks/facts_macos.c - what only macOS answers, or answers in its own way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <mach/mach.h>
#include <string.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "checks/facts_private.h"

const char *const engine_socket_table[] = { "$HOME/.docker/run/docker.sock",
	                                    "$HOME/.orbstack/run/docker.sock",
	                                    "$HOME/.rd/docker.sock",
	                                    "$HOME/.colima/default/docker.sock" };
const gsize engine_socket_count = G_N_ELEMENTS(engine_socket_table);

const char *const desktop_directory_table[] = { "$HOME/Library/Group Containers/group.com.docker" };
const gsize desktop_directory_count = G_N_ELEMENTS(desktop_directory_table);

const bool port_probe_reuses_address = false;

/* Every engine on macOS runs in a virtual machine. */
Fact peer_is_here(int fd G_GNUC_UNUSED)
{
	return FACT_NO;
}

static guint64 number(const char *name)
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

static char *text(const char *name)
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
	guint64 page_bytes = number("hw.pagesize");

	if (page_bytes == FACTS_UNKNOWN ||
	    host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&pages, &count) !=
	            KERN_SUCCESS)
		return FACTS_UNKNOWN;

	return ((guint64)pages.free_count + pages.inactive_count + pages.purgeable_count) *
	       page_bytes;
}

static guint64 swap_bytes(void)
{
	struct xsw_usage usage;
	gsize size_bytes = sizeof(usage);

	if (sysctlbyname("vm.swapusage", &usage, &size_bytes, NULL, 0) != 0)
		return FACTS_UNKNOWN;
	return usage.xsu_total;
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
		if (number(table[i].name) == 1)
			g_string_append(list, table[i].feature);

	return g_strchomp(g_string_free(list, FALSE));
}

static void read_system(FactsSystem *system)
{
	struct utsname names;

	if (uname(&names) == 0) {
		system->name = g_strdup(names.sysname);
		system->architecture = g_strdup(names.machine);
		system->kernel = g_strdup(names.release);
	}
	system->id = g_strdup("macos");
	system->version = text("kern.osproductversion");
	if (system->version != NULL)
		system->pretty = g_strdup_printf("macOS %s", system->version);
	system->uid = geteuid();
	system->has_no_new_privs = FACT_NO;
}

void facts_read_machine(const FactsSource *source G_GNUC_UNUSED, Facts *facts)
{
	read_system(&facts->system);
	facts->memory.installed_bytes = number("hw.memsize");
	facts->memory.total_bytes = facts->memory.installed_bytes;
	facts->memory.available_bytes = available_bytes();
	facts->memory.swap_bytes = swap_bytes();
	facts->memory.source = g_strdup("sysctl hw.memsize");
	facts->cpu.affinity = number("hw.activecpu");
	facts->cpu.count = facts->cpu.affinity;
	facts->cpu.source = g_strdup("sysctl hw.activecpu");
}
