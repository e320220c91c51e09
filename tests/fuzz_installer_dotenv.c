/* tests/fuzz_installer_dotenv.c - any bytes as a .env file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/dotenv.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

/* Whatever was read is inside the text, and is gone once it is commented out. */
int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(Dotenv) file = dotenv_parse(bytes, "fuzz", NULL);

	if (!file)
		return 0;

	const GPtrArray *entries = dotenv_entries(file);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < entries->len; i++) {
		const DotenvEntry *entry = g_ptr_array_index(entries, i);

		g_assert_true(entry->start + entry->size <= size);
		g_assert_true(!entry->value || !entry->fault);
		g_ptr_array_add(names, entry->name);
	}
	g_ptr_array_add(names, NULL);

	g_autoptr(GBytes) without = dotenv_comment_out(file, (const char *const *)names->pdata);
	g_autoptr(Dotenv) again = dotenv_parse(without, "again", NULL);
	g_assert_nonnull(again);
	g_assert_cmpuint(dotenv_entries(again)->len, ==, 0);
	return 0;
}
