/* tests/fuzz_payload_openpgp.c - a file of keys comes from the network
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "payload/openpgp.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size_bytes)
{
	static const char fingerprint[] = "0000000000000000000000000000000000000000";
	g_autoptr(GBytes) file = g_bytes_new(data, size_bytes);
	g_autoptr(GError) error = NULL;

	g_assert_false(openpgp_check_key(file, fingerprint, &error));
	g_assert_true(g_error_matches(error, FAULT, STATUS_DATA) ||
	              g_error_matches(error, FAULT, STATUS_UNTRUSTED));
	return 0;
}
