/* tests/drive_keystore_vectors.c - runs files of Project Wycheproof through keystore/crypto.c
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <jansson.h>
#include <string.h>

#include "keystore/crypto.h"

#define HKDF_MAX_BYTES 8160

typedef struct {
	guint valid;   /* gave what they should */
	guint invalid; /* were refused, as they should be */
	guint foreign; /* invalid ones that cannot be said to keystore/crypto.h at all */
	guint wrong;
} Count;

static GBytes *bytes_of(const json_t *test, const char *name)
{
	const char *hex = json_string_value(json_object_get(test, name));
	gsize size = hex ? strlen(hex) / 2 : 0;
	guint8 *bytes = g_malloc(size + 1);

	for (gsize i = 0; i < size; i++)
		bytes[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
		                    g_ascii_xdigit_value(hex[2 * i + 1]));
	return g_bytes_new_take(bytes, size);
}

static Span span_of(GBytes *bytes)
{
	Span span = { 0 };

	span.data = g_bytes_get_data(bytes, &span.size);
	return span;
}

static bool is_same(Span span, const guint8 *data, gsize size)
{
	return span.size == size && (size == 0 || memcmp(span.data, data, size) == 0);
}

static void count(Count *counts, bool is_valid, bool is_right)
{
	if (!is_right)
		counts->wrong++;
	else if (is_valid)
		counts->valid++;
	else
		counts->invalid++;
}

static void run_chacha(const json_t *test, bool is_valid, Count *counts)
{
	g_autoptr(GBytes) key = bytes_of(test, "key");
	g_autoptr(GBytes) nonce = bytes_of(test, "iv");
	g_autoptr(GBytes) aad = bytes_of(test, "aad");
	g_autoptr(GBytes) plain = bytes_of(test, "msg");
	g_autoptr(GBytes) cipher = bytes_of(test, "ct");
	g_autoptr(GBytes) tag = bytes_of(test, "tag");
	gsize size = g_bytes_get_size(cipher);

	if (g_bytes_get_size(nonce) != CRYPTO_NONCE_BYTES) {
		counts->foreign += !is_valid;
		counts->wrong += is_valid;
		return;
	}
	CryptoBox box = { g_bytes_get_data(key, NULL), g_bytes_get_data(nonce, NULL),
		          span_of(aad) };
	g_autofree guint8 *sealed = g_malloc0(size + CRYPTO_TAG_BYTES);
	g_autofree guint8 *opened = g_malloc0(size + 1);
	g_autofree guint8 *made = g_malloc0(size + CRYPTO_TAG_BYTES);
	if (size > 0)
		memcpy(sealed, g_bytes_get_data(cipher, NULL), size);
	memcpy(sealed + size, g_bytes_get_data(tag, NULL), CRYPTO_TAG_BYTES);
	bool is_open = crypto_open(&box, (Span){ sealed, size + CRYPTO_TAG_BYTES }, opened);
	if (!is_valid) {
		count(counts, false, !is_open);
		return;
	}
	crypto_seal(&box, span_of(plain), made);
	count(counts, true,
	      is_open && is_same(span_of(plain), opened, size) &&
	              memcmp(made, sealed, size + CRYPTO_TAG_BYTES) == 0);
}

static void run_hkdf(const json_t *test, bool is_valid, Count *counts)
{
	g_autoptr(GBytes) key = bytes_of(test, "ikm");
	g_autoptr(GBytes) salt = bytes_of(test, "salt");
	g_autoptr(GBytes) info = bytes_of(test, "info");
	g_autoptr(GBytes) expected = bytes_of(test, "okm");
	gsize size = (gsize)json_integer_value(json_object_get(test, "size"));
	g_autofree guint8 *made = g_malloc0(size + 1);

	if (size > HKDF_MAX_BYTES) {
		counts->foreign += !is_valid;
		counts->wrong += is_valid;
		return;
	}
	crypto_hkdf(span_of(key), span_of(salt), span_of(info), made, size);
	count(counts, is_valid, is_valid && is_same(span_of(expected), made, size));
}

static void run_hmac(const json_t *test, bool is_valid, Count *counts)
{
	g_autoptr(GBytes) key = bytes_of(test, "key");
	g_autoptr(GBytes) data = bytes_of(test, "msg");
	g_autoptr(GBytes) tag = bytes_of(test, "tag");
	guint8 made[32] = { 0 };

	crypto_hmac(span_of(key), span_of(data), made);
	count(counts, is_valid,
	      is_valid == is_same(span_of(tag), made, MIN(g_bytes_get_size(tag), sizeof made)));
}

static const struct {
	const char *algorithm;
	void (*run)(const json_t *test, bool is_valid, Count *counts);
} runners[] = {
	{ "CHACHA20-POLY1305", run_chacha },
	{ "HKDF-SHA-256", run_hkdf },
	{ "HMACSHA256", run_hmac },
};

/* Returns: whether all of the file came out as it says, and all that it announces was there. */
static bool run_file(const char *path)
{
	json_t *file = json_load_file(path, 0, NULL);
	const char *algorithm = json_string_value(json_object_get(file, "algorithm"));
	gsize runner = 0;
	Count counts = { 0 };
	size_t group_index = 0;
	size_t test_index = 0;
	json_t *group = NULL;
	json_t *test = NULL;

	while (runner < G_N_ELEMENTS(runners) &&
	       g_strcmp0(algorithm, runners[runner].algorithm) != 0)
		runner++;
	if (runner == G_N_ELEMENTS(runners)) {
		g_printerr("%s has no vectors that are known here\n", path);
		json_decref(file);
		return false;
	}
	json_array_foreach(json_object_get(file, "testGroups"), group_index, group)
		json_array_foreach(json_object_get(group, "tests"), test_index, test)
	{
		bool is_valid = g_strcmp0(json_string_value(json_object_get(test, "result")),
		                          "invalid") != 0;

		runners[runner].run(test, is_valid, &counts);
	}
	guint total = counts.valid + counts.invalid + counts.foreign + counts.wrong;
	bool is_whole = json_integer_value(json_object_get(file, "numberOfTests")) == total;
	g_print("%s: %u vectors, %u right, %u refused, %u that cannot be said, %u wrong\n",
	        algorithm, total, counts.valid, counts.invalid, counts.foreign, counts.wrong);
	json_decref(file);
	return is_whole && counts.wrong == 0 && counts.valid > 0;
}

int main(int argc, char **argv)
{
	bool is_good = argc > 1;

	for (int i = 1; i < argc; i++)
		is_good = run_file(argv[i]) && is_good;
	return is_good ? 0 : 1;
}
