/* tests/fuzz_base_json.c - a JSON document is input from outside
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) value = json_parse_bytes(text, "fuzz", &error);

	g_assert(!value == !!error);
	if (!value)
		return 0;

	/* The canonical text is a fixed point. */
	g_autofree char *once = json_canonical(value);
	g_autoptr(GBytes) once_bytes = g_bytes_new(once, strlen(once));
	g_autoptr(json_t) again = json_parse_bytes(once_bytes, "again", &error);
	g_assert_no_error(error);
	g_autofree char *twice = json_canonical(again);
	g_assert_cmpstr(once, ==, twice);
	return 0;
}
