/* tests/fuzz_payload_stack.c - a stack.ini may come from anybody
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/stack.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(Stack) stack = stack_parse(text, "fuzz", &error);

	g_assert_true((stack == NULL) == (error != NULL));
	return 0;
}
