/* checks/facts_gpu_macos.c - the card of a Mac, which shares its memory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_gpu_private.h"
#include "checks/facts_sysctl_macos.h"

/* What Metal recommends as its working set, unless somebody set a limit: two thirds of a small machine's
 * memory, three quarters of one above 36 GiB.  Source: MTLDevice.recommendedMaxWorkingSetSize, as seen
 * on machines of 16 and 128 GiB; asking it needs Objective-C. */
#define SMALL_BYTES ((guint64)36 << 30)

static guint64 budget(void)
{
	guint64 memory_bytes = sysctl_number("hw.memsize");
	guint64 limit_mib = sysctl_number("iogpu.wired_limit_mb");

	if (limit_mib != 0 && limit_mib <= G_MAXINT64 >> 20)
		return limit_mib << 20;
	if (memory_bytes == FACTS_UNKNOWN)
		return FACTS_UNKNOWN;
	return memory_bytes <= SMALL_BYTES ? memory_bytes / 3 * 2 : memory_bytes / 4 * 3;
}

/* In a Mac with an Intel processor Ollama computes on that one. */
void facts_read_gpu(const FactsSource *source G_GNUC_UNUSED, Facts *facts)
{
	FactsCard *card;

	if (g_strcmp0(facts->system.architecture, "arm64") != 0)
		return;

	facts->gpu.metal_bytes = budget();
	card = facts_card_new();
	card->vendor = g_strdup("apple");
	card->name = sysctl_text("machdep.cpu.brand_string");
	card->shared_bytes = facts->gpu.metal_bytes;
	g_ptr_array_add(facts->cards, card);
}
