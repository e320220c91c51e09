/* tests/fuzz_keystore_file.c - a store file is input of somebody else until its seal is checked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "keystore/format.h"

#define SLOT_AT 74
#define SLOT_BYTES 128
#define CHECKED_BYTES 112

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

/* Makes the checks of the slots right, which no fuzzer would guess. */
static void fix_checks(guint8 *file, gsize size)
{
	guint8 data[FORMAT_ID_BYTES + CHECKED_BYTES];
	guint8 digest[32];

	for (gsize at = SLOT_AT; at + SLOT_BYTES <= size; at += SLOT_BYTES) {
		memcpy(data, file + 24, FORMAT_ID_BYTES);
		memcpy(data + FORMAT_ID_BYTES, file + at, CHECKED_BYTES);
		crypto_sha256((Span){ data, sizeof(data) }, digest);
		memcpy(file + at + CHECKED_BYTES, digest, 16);
	}
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
	static const guint8 key[CRYPTO_KEY_BYTES] = { 1, 2, 3 };
	const SlotKey slot_key = { SLOT_KEY_FILE, { key, sizeof(key) } };
	g_autofree guint8 *copy = g_malloc(size + 1);
	FormatHeader header = { 0 };
	g_auto(CryptoKey) file_key = { 0 };
	g_autoptr(GError) error = NULL;

	memcpy(copy, data, size);
	if (size > 0 && data[size - 1] & 1)
		fix_checks(copy, size);
	if (!format_parse((Span){ copy, size }, "fuzz", &header, &error)) {
		g_assert_nonnull(error);
		return 0;
	}

	/* Not proven to be ours: the body does not open, whatever the key. */
	(void)format_unlock(&header, &slot_key, &file_key, NULL, NULL);
	g_autoptr(Body) body =
		format_open((Span){ copy, size }, &header, &file_key, "fuzz", &error);
	g_assert_true((body == NULL) == (error != NULL));
	return 0;
}
