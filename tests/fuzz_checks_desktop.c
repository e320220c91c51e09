/* tests/fuzz_checks_desktop.c - a settings file is somebody else's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_private.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size_bytes);
	g_autoptr(Facts) facts = facts_new();
	FactsDesktop *desktop = &facts->desktop;

	desktop_parse(text, desktop);
	g_assert(desktop->state == DESKTOP_READ || desktop->state == DESKTOP_MALFORMED);
	g_assert((desktop->memory == DESKTOP_SETTING_SET) ==
	         (desktop->memory_bytes != FACTS_UNKNOWN));
	g_assert(desktop->memory_bytes != 0 && desktop->cpu_count != 0 && desktop->disk_bytes != 0);
	return 0;
}
