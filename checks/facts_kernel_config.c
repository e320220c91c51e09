/* checks/facts_kernel_config.c - what the kernel was built without, of what engines need
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gio/gio.h>
#include <string.h>

#include "base/file.h"
#include "checks/facts_tools.h"

/* Largest list of options, and largest one that is compressed.  Source: ours; they have 300 and 70 KiB. */
#define CONFIG_MAX_BYTES ((gsize)4 * 1024 * 1024)

/* Source: what every container engine needs, of what Docker's documentation lists as generally necessary.
 * Left out is what newer kernels call otherwise or do in another way. */
static const char *const needed_table[] = {
	"NAMESPACES",
	"NET_NS",
	"PID_NS",
	"IPC_NS",
	"UTS_NS",
	"CGROUPS",
	"CGROUP_SCHED",
	"CPUSETS",
	"MEMCG",
	"KEYS",
	"VETH",
	"BRIDGE",
	"BRIDGE_NETFILTER",
	"NF_NAT",
	"NETFILTER_XT_MATCH_ADDRTYPE",
	"NETFILTER_XT_MATCH_CONNTRACK",
	"POSIX_MQUEUE",
	"OVERLAY_FS",
};

/* Returns: (transfer full) (nullable) */
static GBytes *unzip(GBytes *packed)
{
	g_autoptr(GInputStream) memory = g_memory_input_stream_new_from_bytes(packed);
	g_autoptr(GConverter) converter =
		G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
	g_autoptr(GInputStream) stream = g_converter_input_stream_new(memory, converter);
	g_autofree char *text = g_malloc(CONFIG_MAX_BYTES);
	gsize size_bytes = 0;

	if (!g_input_stream_read_all(stream, text, CONFIG_MAX_BYTES, &size_bytes, NULL, NULL))
		return NULL;
	return g_bytes_new(text, size_bytes);
}

/* Returns: (transfer full) (nullable): the text of the running kernel's list; @file: where it is. */
static char *read_config(const char *release, char **file)
{
	char *places[] = { g_strdup("/proc/config.gz"), g_strconcat("/boot/config-", release, NULL),
		           g_strdup_printf("/usr/lib/modules/%s/config", release),
		           g_strdup_printf("/lib/modules/%s/config", release) };
	char *text = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *place = places[i];
		g_autoptr(GBytes) bytes =
			text == NULL ? file_read(place, CONFIG_MAX_BYTES, NULL) : NULL;
		g_autoptr(GBytes) plain = bytes != NULL && g_str_has_suffix(place, ".gz")
		                                  ? unzip(bytes)
		                          : bytes != NULL ? g_bytes_ref(bytes)
		                                          : NULL;

		if (plain == NULL)
			continue;
		text = g_strndup(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain));
		*file = g_steal_pointer(&place);
	}
	return text;
}

/* "CONFIG_VETH=m" stands on a line of its own. */
static bool has_option(const char *text, const char *name)
{
	g_autofree char *built_in = g_strdup_printf("\nCONFIG_%s=y", name);
	g_autofree char *module = g_strdup_printf("\nCONFIG_%s=m", name);

	return strstr(text, built_in) != NULL || strstr(text, module) != NULL;
}

char *kernel_config_lacks(const char *text)
{
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(needed_table); i++)
		if (!has_option(text, needed_table[i]))
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "",
			                       needed_table[i]);

	return g_string_free(list, FALSE);
}

/* One that has not a single of them is no such list. */
void facts_ask_kernel(Facts *facts)
{
	FactsKernel *kernel = &facts->kernel;
	g_autofree char *text = facts->system.kernel != NULL && kernel->config == NULL
	                                ? read_config(facts->system.kernel, &kernel->config)
	                                : NULL;

	if (text != NULL && strstr(text, "\nCONFIG_") != NULL)
		kernel->lacks = kernel_config_lacks(text);
}
