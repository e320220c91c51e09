/* tests/fuzz_base_ini.c - an INI file is input from outside
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/ini.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

/* What was accepted holds what base/ini.h promises. */
static void check_entry(const IniFile *ini, const IniEntry *entry)
{
	g_autoptr(GError) error = NULL;
	guint64 size = 0;

	g_assert(entry->section[0] && entry->key[0]);
	g_assert(g_utf8_validate(entry->value, -1, NULL));
	g_assert(entry->line >= 1 && entry->column >= 1);
	g_assert(ini_find(ini, entry->section, entry->key) == entry);
	g_assert(ini_size(ini, entry, &size, &error) == !error);
	g_strfreev(ini_list(entry->value));
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(IniFile) ini = ini_parse_bytes(text, "fuzz", &error);

	g_assert(!ini == !!error);
	if (error) {
		g_assert(g_error_matches(error, FAULT, STATUS_CONFIG));
		g_assert(!strstr(error->message, "the INI library"));
	}
	for (guint i = 0; ini && i < ini_entries(ini)->len; i++)
		check_entry(ini, g_ptr_array_index(ini_entries(ini), i));
	return 0;
}
