/* tests/fuzz_keystore_body.c - the decrypted records, which the seal hides from the other fuzzer
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "keystore/body.h"
#include "keystore/crypto.h"

#define BLOCKS_MAX 4
#define VERSIONS 3

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

/* What was read of version 1 is written back as the same bytes; of another one, once it was written. */
static void check_again(const Body *body, guint minor)
{
	gsize size = 0;
	gsize again_size = 0;
	g_autoptr(Body) first = body_copy(body);
	const guint8 *data = body_data(minor == 1 ? body : first, &size);

	if (body_count(body) == 0)
		return;
	g_autoptr(Body) again = body_with(first, body_record(body, 0), NULL);
	g_assert_nonnull(again);
	const guint8 *again_data = body_data(again, &again_size);
	g_assert_true(size == again_size && memcmp(data, again_data, size) == 0);
	g_autoptr(Body) less = body_without(body, body_record(body, 0)->name);
	g_assert_cmpuint(body_count(less), ==, body_count(body) - 1);
	g_assert_cmpuint(body_count_keys(body), <=, body_count(body));
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	gsize padded = (size + BODY_BLOCK - 1) / BODY_BLOCK * BODY_BLOCK;
	guint minor = size > 0 ? data[size - 1] % VERSIONS : 1;
	g_autoptr(GError) error = NULL;

	if (padded == 0 || padded > (gsize)BLOCKS_MAX * BODY_BLOCK)
		return 0;
	guint8 *copy = crypto_alloc(padded);
	memcpy(copy, data, size - 1);
	g_autoptr(Body) body = body_parse(copy, padded, minor, &error);
	g_assert_true((body == NULL) == (error != NULL));
	if (body)
		check_again(body, minor);
	return 0;
}
