/* tests/fuzz_payload_archive.c - an archive may come from anybody
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/archive.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	g_autoptr(GBytes) archive = g_bytes_new(data, size_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) member =
		archive_read_member(archive, "fuzz", "x/stack.ini", 1 << 20, &error);

	g_assert_true((member == NULL) == (error != NULL));
	return 0;
}
