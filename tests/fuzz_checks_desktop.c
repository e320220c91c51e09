/* tests/fuzz_checks_desktop.c - settings files and engines' answers are somebody else's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/json.h"
#include "checks/facts_desktop_read.h"
#include "checks/facts_engine.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

static void parse_settings(GBytes *text, Facts *facts)
{
	const FactsDesktop *desktop = &facts->desktop;

	desktop_parse(text, &facts->desktop);
	g_assert(desktop->state == DESKTOP_READ || desktop->state == DESKTOP_MALFORMED);
	g_assert((desktop->memory == DESKTOP_SETTING_SET) ==
	         (desktop->memory_bytes != FACTS_UNKNOWN));
	g_assert(desktop->memory_bytes != 0 && desktop->cpu_count != 0 && desktop->disk_bytes != 0);
	desktop_compare(text, &facts->desktop);
	g_assert(desktop->differing == NULL); /* it agrees with itself */
}

static void parse_wsl(GBytes *text, Facts *facts)
{
	const FactsWsl *wsl = &facts->wsl;

	wsl_config_parse(text, &facts->wsl);
	g_assert(wsl->state == DESKTOP_READ || wsl->state == DESKTOP_MALFORMED);
	g_assert((wsl->memory == DESKTOP_SETTING_SET) == (wsl->memory_bytes != FACTS_UNKNOWN));
}

static void parse_answer(GBytes *text, Facts *facts)
{
	g_autoptr(json_t) answer = json_parse_bytes(text, "answer", NULL);

	if (answer == NULL)
		return;
	engine_take_info(answer, &facts->engine);
	engine_take_version(answer, &facts->engine);
	g_assert(facts->engine.memory_bytes != 0 && facts->engine.cpus != 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size_bytes);
	g_autoptr(Facts) facts = facts_new();

	parse_settings(text, facts);
	parse_wsl(text, facts);
	parse_answer(text, facts);
	return 0;
}
