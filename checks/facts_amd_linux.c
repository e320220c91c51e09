/* checks/facts_amd_linux.c - what ROCm needs of a machine: AMD's compute driver and the right to use it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "checks/facts_gpu_private.h"

#define NODES "/sys/class/kfd/kfd/topology/nodes"

static Fact can_use(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);

	if (access(full, F_OK) != 0)
		return FACT_UNKNOWN;
	return faccessat(AT_FDCWD, full, R_OK | W_OK, AT_EACCESS) == 0 ? FACT_YES : FACT_NO;
}

/* Each of them: a machine may have one for each card. */
static Fact can_use_render(const FactsSource *source)
{
	g_autoptr(GPtrArray) names = source_list(source, "/dev/dri");
	Fact result = FACT_UNKNOWN;

	for (guint i = 0; i < names->len && result != FACT_NO; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename("/dev/dri", name, NULL);

		if (g_str_has_prefix(name, "renderD"))
			result = can_use(source, path);
	}
	return result;
}

/* "NAME VALUE" on a line of its own. */
static guint64 property(const char *text, const char *name)
{
	g_autofree char *key = g_strdup_printf("\n%s ", name);
	const char *line = strstr(text, key);

	return line != NULL ? source_parse_number(line + strlen(key)) : FACTS_UNKNOWN;
}

/* Where the node is on the bus: location_id has bus and function in its bytes. */
static bool is_at(const FactsCard *card, guint64 domain, guint64 location)
{
	g_autofree char *address = g_strdup_printf(
		"%04x:%02x:%02x.%x", (guint)domain & 0xffff, (guint)(location >> 8) & 0xff,
		(guint)(location >> 3) & 0x1f, (guint)location & 0x7);

	return g_strcmp0(card->address, address) == 0;
}

/* 90010 is version 9.0.10: "gfx90a". */
static void read_node(const FactsSource *source, const char *name, GPtrArray *cards)
{
	g_autofree char *path = g_build_filename(NODES, name, "properties", NULL);
	g_autofree char *said = source_read(source, path);
	g_autofree char *text = g_strconcat("\n", said, NULL);
	guint64 version = property(text, "gfx_target_version");
	guint64 location = property(text, "location_id");
	guint64 domain = property(text, "domain");

	if (version == 0 || version == FACTS_UNKNOWN || location == FACTS_UNKNOWN)
		return;

	for (guint i = 0; i < cards->len; i++) {
		FactsCard *card = g_ptr_array_index(cards, i);

		if (card->target == NULL &&
		    is_at(card, domain != FACTS_UNKNOWN ? domain : 0, location))
			card->target = g_strdup_printf("gfx%u%x%x", (guint)(version / 10000),
			                               (guint)(version / 100 % 100),
			                               (guint)(version % 100));
	}
}

void amd_read(const FactsSource *source, Facts *facts)
{
	g_autoptr(GPtrArray) nodes = source_list(source, NODES);

	facts->gpu.has_kfd = source_exists(source, "/dev/kfd") ? FACT_YES : FACT_NO;
	facts->gpu.can_use_kfd = can_use(source, "/dev/kfd");
	facts->gpu.can_use_render = can_use_render(source);
	for (guint i = 0; i < nodes->len; i++)
		read_node(source, g_ptr_array_index(nodes, i), facts->cards);
}
