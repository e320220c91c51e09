/* tests/test_keystore_format.c - the file format: damage, wrong keys, bombs, golden file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/format.h"

#include <string.h>

#include "keystore/bytes.h"
#include "keystore/error.h"

#define SLOT_AT 74
#define SLOT_CHECK_AT (SLOT_AT + 112)

static const guint8 key_bytes[CRYPTO_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const char passphrase[] = "correct horse battery staple";
static const ScryptCost cheap = { 14, 8, 1 };

static guint8 *copy_of(gconstpointer data, gsize size)
{
	guint8 *copy = g_malloc(size);

	memcpy(copy, data, size);
	return copy;
}

static SlotKey key_file(void)
{
	return (SlotKey){ SLOT_KEY_FILE, { key_bytes, sizeof(key_bytes) } };
}

static SlotKey words(const char *text)
{
	return (SlotKey){ SLOT_PASSPHRASE, { text, strlen(text) } };
}

static Body *body_of(const char *name, const char *secret)
{
	g_autoptr(Body) empty = body_new();
	BodyRecord record = { .name = name,
		              .secret = (const guint8 *)secret,
		              .secret_size = strlen(secret),
		              .created_s = 1,
		              .changed_s = 2 };

	return body_with(empty, &record, NULL);
}

/* A store with one slot of each kind that @has asks for. */
static GBytes *file_new(bool has_key_file, bool has_passphrase)
{
	FormatHeader header;
	g_auto(CryptoKey) file_key = { 0 };
	g_autoptr(Body) body = body_of("API_KEY", "s3cret-value");
	SlotKey key = key_file();
	SlotKey phrase = words(passphrase);

	format_new(&header, &file_key);
	if (has_key_file)
		g_assert_true(format_add_slot(&header, &file_key, &key, cheap, NULL));
	if (has_passphrase)
		g_assert_true(format_add_slot(&header, &file_key, &phrase, cheap, NULL));
	return format_seal(&header, &file_key, body);
}

static Body *open_file(Span file, const SlotKey *key, GError **error)
{
	FormatHeader header = { 0 };
	g_auto(CryptoKey) file_key = { 0 };

	if (!format_parse(file, "store", &header, error) ||
	    !format_unlock(&header, key, &file_key, error))
		return NULL;
	return format_open(file, &header, &file_key, "store", error);
}

static void expect(Span file, const SlotKey *key, KeystoreError code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Body) body = open_file(file, key, &error);

	g_assert_null(body);
	g_assert_error(error, KEYSTORE_ERROR, (int)code);
}

static void expect_opens(Span file, const SlotKey *key)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Body) body = open_file(file, key, &error);

	g_assert_no_error(error);
	const BodyRecord *record = body_find(body, "API_KEY");
	g_assert_nonnull(record);
	g_assert_cmpint(record->changed_s, ==, 2);
	g_assert_true(record->secret_size == 12 && memcmp(record->secret, "s3cret-value", 12) == 0);
}

static Span span_of(GBytes *bytes)
{
	Span span = { 0 };

	span.data = g_bytes_get_data(bytes, &span.size);
	return span;
}

static void test_both_slots(void)
{
	g_autoptr(GBytes) file = file_new(true, true);
	SlotKey key = key_file();
	SlotKey phrase = words(passphrase);

	expect_opens(span_of(file), &key);
	expect_opens(span_of(file), &phrase);
}

static void test_wrong_key(void)
{
	g_autoptr(GBytes) by_key = file_new(true, false);
	g_autoptr(GBytes) by_phrase = file_new(false, true);
	SlotKey key = key_file();
	SlotKey wrong_key = { SLOT_KEY_FILE, { "0123456789abcdef0123456789abcdeX", 32 } };
	SlotKey phrase = words(passphrase);
	SlotKey wrong_phrase = words("correct horse battery stable");

	expect(span_of(by_key), &wrong_key, KEYSTORE_ERROR_WRONG_KEY);
	expect(span_of(by_key), &phrase, KEYSTORE_ERROR_WRONG_KEY);
	expect(span_of(by_phrase), &key, KEYSTORE_ERROR_WRONG_KEY);
	expect(span_of(by_phrase), &wrong_phrase, KEYSTORE_ERROR_WRONG_KEY);
}

static void test_every_bit(void)
{
	g_autoptr(GBytes) file = file_new(true, false);
	SlotKey key = key_file();
	Span span = span_of(file);
	g_autofree guint8 *copy = copy_of(span.data, span.size);
	gint64 start_us = g_get_monotonic_time();

	for (gsize bit = 0; bit < span.size * 8; bit++) {
		copy[bit / 8] ^= (guint8)(1U << bit % 8);
		expect((Span){ copy, span.size }, &key, KEYSTORE_ERROR_CORRUPT);
		copy[bit / 8] ^= (guint8)(1U << bit % 8);
	}
	expect_opens((Span){ copy, span.size }, &key);
	g_test_message("%" G_GSIZE_FORMAT " flips in %" G_GINT64_FORMAT " ms", span.size * 8,
	               (g_get_monotonic_time() - start_us) / 1000);
}

static void test_every_length(void)
{
	g_autoptr(GBytes) file = file_new(true, false);
	SlotKey key = key_file();
	Span span = span_of(file);
	gsize longest = span.size + 3000;
	g_autofree guint8 *copy = g_malloc0(longest);

	memcpy(copy, span.data, span.size);
	for (gsize size = 0; size <= longest; size++)
		if (size != span.size)
			expect((Span){ copy, size }, &key, KEYSTORE_ERROR_CORRUPT);
}

/* The header of one store before the body of another one, with the same keys. */
static void test_swapped_halves(void)
{
	FormatHeader header;
	g_auto(CryptoKey) file_key = { 0 };
	g_autoptr(Body) body = body_of("API_KEY", "s3cret-value");
	SlotKey key = key_file();

	format_new(&header, &file_key);
	g_assert_true(format_add_slot(&header, &file_key, &key, cheap, NULL));
	g_autoptr(GBytes) first = format_seal(&header, &file_key, body);
	g_autoptr(GBytes) second = format_seal(&header, &file_key, body);
	gsize size = g_bytes_get_size(first);
	gsize body_size = BODY_BLOCK + CRYPTO_TAG_BYTES;
	g_autofree guint8 *mixed = copy_of(g_bytes_get_data(first, NULL), size);

	g_assert_true(memcmp(mixed, g_bytes_get_data(second, NULL), size) != 0);
	memcpy(mixed + size - body_size,
	       (const guint8 *)g_bytes_get_data(second, NULL) + size - body_size, body_size);
	expect((Span){ mixed, size }, &key, KEYSTORE_ERROR_CORRUPT);
}

/* Makes the check of the first slot right again, as an attacker would. */
static void fix_check(guint8 *file)
{
	guint8 data[FORMAT_ID_BYTES + 112];
	guint8 digest[32];

	memcpy(data, file + 24, FORMAT_ID_BYTES);
	memcpy(data + FORMAT_ID_BYTES, file + SLOT_AT, 112);
	crypto_sha256((Span){ data, sizeof(data) }, digest);
	memcpy(file + SLOT_CHECK_AT, digest, 16);
}

static void test_bombs(void)
{
	static const guint8 costs[][3] = {
		{ 63, 8, 1 }, { 64, 8, 1 }, { 255, 255, 255 }, { 20, 8, 1 }, { 19, 8, 3 },
		{ 13, 8, 1 }, { 0, 8, 1 },  { 17, 0, 1 },      { 17, 8, 0 }, { 17, 8, 17 },
		{ 17, 9, 1 }, { 17, 1, 1 }, { 18, 8, 16 },
	};
	g_autoptr(GBytes) file = file_new(false, true);
	SlotKey key = words(passphrase);
	Span span = span_of(file);
	g_autofree guint8 *copy = copy_of(span.data, span.size);
	gint64 start_us = g_get_monotonic_time();

	for (gsize i = 0; i < G_N_ELEMENTS(costs); i++) {
		memcpy(copy + SLOT_AT + 2, costs[i], sizeof(costs[i]));
		fix_check(copy);
		expect((Span){ copy, span.size }, &key, KEYSTORE_ERROR_CORRUPT);
	}
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, 100 * 1000);
}

/* The cost is bound to the wrapped key: a cheaper one does not open it either. */
static void test_changed_cost(void)
{
	g_autoptr(GBytes) file = file_new(false, true);
	SlotKey key = words(passphrase);
	Span span = span_of(file);
	g_autofree guint8 *copy = copy_of(span.data, span.size);

	copy[SLOT_AT + 4] = 2;
	fix_check(copy);
	expect((Span){ copy, span.size }, &key, KEYSTORE_ERROR_WRONG_KEY);
}

static void test_newer_versions(void)
{
	g_autoptr(GBytes) file = file_new(true, false);
	Span span = span_of(file);
	g_autofree guint8 *copy = copy_of(span.data, span.size);
	g_autoptr(GError) error = NULL;
	FormatHeader header = { 0 };

	copy[10] = 7; /* minor: well formed, the seal is checked later */
	g_assert_true(format_parse((Span){ copy, span.size }, "store", &header, &error));
	g_assert_cmpuint(header.minor, ==, 7);
	copy[8] = 2;
	g_assert_false(format_parse((Span){ copy, span.size }, "store", &header, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, "has format 2"));
}

static void test_golden(void)
{
	const char *data = g_getenv("TEST_DATA") ? g_getenv("TEST_DATA") : "tests/data";
	g_autofree char *path = g_build_filename(data, "keystore", "v1.0.keystore", NULL);
	g_autofree char *key_path = g_build_filename(data, "keystore", "v1.0.key", NULL);
	g_autofree char *file = NULL;
	g_autofree char *key_text = NULL;
	gsize file_size = 0;
	gsize key_size = 0;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_get_contents(path, &file, &file_size, &error));
	g_assert_true(g_file_get_contents(key_path, &key_text, &key_size, &error));
	const SlotKey keys[] = { { SLOT_KEY_FILE, { key_text, key_size } }, words(passphrase) };

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(Body) body = open_file((Span){ file, file_size }, &keys[i], &error);

		g_assert_no_error(error);
		g_assert_cmpuint(body_count(body), ==, 2);
		const BodyRecord *record = body_find(body, "OPENAI_API_KEY");
		g_assert_cmpint(record->created_s, ==, 1700000000);
		g_assert_cmpint(record->changed_s, ==, 1700000100);
		g_assert_true(memcmp(record->secret, "sk-golden-0123456789", 20) == 0);
		record = body_find(body, "db.password");
		g_assert_cmpuint(record->secret_size, ==, 26);
		g_assert_true(memcmp(record->secret, "quote\" new\nline = # \xff\xfe end", 26) ==
		              0);
	}
}

static guint8 *put_record(guint8 *at, const char *name, const char *secret)
{
	at = bytes_store(at, strlen(name), 1);
	at = bytes_store(at, strlen(secret), 4);
	at = bytes_store(bytes_store(at, 1, 8), 1, 8);
	at = bytes_put(at, name, strlen(name) + 1);
	return bytes_put(at, secret, strlen(secret));
}

static bool body_accepts(const guint8 *bytes, gsize size)
{
	guint8 *data = crypto_alloc(size);
	g_autoptr(GError) error = NULL;

	memcpy(data, bytes, size);
	g_autoptr(Body) body = body_parse(data, size, &error);
	if (!body)
		g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_CORRUPT);
	return body != NULL;
}

static void test_body(void)
{
	static const struct {
		const char *first, *second; /* names */
		const char *secret;
		guint32 count;
		bool is_good;
	} cases[] = {
		{ "A", "B", "x", 2, true },           { "B", "A", "x", 2, false }, /* order */
		{ "A", "A", "x", 2, false },                                       /* twice */
		{ "A", "B", "", 2, false },                                        /* no secret */
		{ "1", "B", "x", 2, false },                                       /* bad name */
		{ "A", "B/C", "x", 2, false },        { "", "B", "x", 2, false },
		{ "A", "B", "x", 1, false }, /* a record in the padding */
		{ "A", "B", "x", 3, false }, /* a record of zeros */
		{ "A", "B", "x", 0xffffffff, false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint8 bytes[2 * BODY_BLOCK] = { 0 };
		guint8 *at = bytes_store(bytes, cases[i].count, 4);

		at = put_record(at, cases[i].first, cases[i].secret);
		put_record(at, cases[i].second, cases[i].secret);
		g_assert_true(body_accepts(bytes, BODY_BLOCK) == cases[i].is_good);
		g_assert_false(body_accepts(bytes, 2 * BODY_BLOCK)); /* too much padding */
		g_assert_false(body_accepts(bytes, 100));
	}
}

static void test_body_edits(void)
{
	g_autoptr(Body) empty = body_new();
	g_autoptr(Body) one = body_of("MIDDLE", "m");
	BodyRecord first = { "ALPHA", (const guint8 *)"a", 1, 5, 6 };
	g_autoptr(Body) two = body_with(one, &first, NULL);
	BodyRecord changed = { "MIDDLE", (const guint8 *)"mm", 2, 7, 8 };
	g_autoptr(Body) same = body_with(two, &changed, NULL);
	g_autoptr(Body) gone = body_without(same, "ALPHA");

	g_assert_cmpuint(body_count(empty), ==, 0);
	g_assert_cmpstr(body_record(two, 0)->name, ==, "ALPHA");
	g_assert_cmpuint(body_count(same), ==, 2);
	g_assert_cmpuint(body_find(same, "MIDDLE")->secret_size, ==, 2);
	g_assert_cmpuint(body_count(gone), ==, 1);
	g_assert_null(body_find(gone, "ALPHA"));
}

static void test_fresh_salts(void)
{
	FormatHeader header;
	g_auto(CryptoKey) file_key = { 0 };
	g_autoptr(Body) body = body_new();
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
	                                                   (GDestroyNotify)g_bytes_unref, NULL);

	format_new(&header, &file_key);
	header.slot_count = 1;
	for (guint i = 0; i < 2000; i++) {
		g_autoptr(GBytes) file = format_seal(&header, &file_key, body);

		g_assert_true(g_hash_table_add(seen, g_bytes_new_from_bytes(file, 40, 32)));
	}
	g_assert_cmpuint(header.generation, ==, 2000);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keystore/format/both-slots", test_both_slots);
	g_test_add_func("/keystore/format/wrong-key", test_wrong_key);
	g_test_add_func("/keystore/format/every-bit", test_every_bit);
	g_test_add_func("/keystore/format/every-length", test_every_length);
	g_test_add_func("/keystore/format/swapped-halves", test_swapped_halves);
	g_test_add_func("/keystore/format/bombs", test_bombs);
	g_test_add_func("/keystore/format/changed-cost", test_changed_cost);
	g_test_add_func("/keystore/format/newer-versions", test_newer_versions);
	g_test_add_func("/keystore/format/golden", test_golden);
	g_test_add_func("/keystore/format/fresh-salts", test_fresh_salts);
	g_test_add_func("/keystore/body/records", test_body);
	g_test_add_func("/keystore/body/edits", test_body_edits);
	return g_test_run();
}
