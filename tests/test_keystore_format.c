/* tests/test_keystore_format.c - the file format: damage, wrong keys, bombs, golden file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/format.h"

#include <string.h>
#include <sys/resource.h>

#include "keystore/error.h"

#define SLOT_AT 74
#define SLOT_CHECK_AT (SLOT_AT + 112)

enum { SALTS = 100000, BOMB_MS = 10, BOMB_KIB = 8192 };

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
		              .note = { .created_s = 1, .changed_s = 2 } };

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
	    !format_unlock(&header, key, &file_key, NULL, error))
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
	g_assert_cmpint(record->note.changed_s, ==, 2);
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

static GBytes *read_golden(const char *name)
{
	const char *data = g_getenv("TEST_DATA") ? g_getenv("TEST_DATA") : "tests/data";
	g_autofree char *path = g_build_filename(data, "keystore", name, NULL);
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize size = 0;

	g_assert_true(g_file_get_contents(path, &content, &size, &error));
	return g_bytes_new_take(content, size);
}

static void flip_every_bit(Span span, const SlotKey *key)
{
	g_autofree guint8 *copy = copy_of(span.data, span.size);
	gint64 start_us = g_get_monotonic_time();

	for (gsize bit = 0; bit < span.size * 8; bit++) {
		copy[bit / 8] ^= (guint8)(1U << bit % 8);
		expect((Span){ copy, span.size }, key, KEYSTORE_ERROR_CORRUPT);
		copy[bit / 8] ^= (guint8)(1U << bit % 8);
	}
	g_autoptr(Body) whole = open_file((Span){ copy, span.size }, key, NULL);
	g_assert_nonnull(whole);
	g_test_message("%" G_GSIZE_FORMAT " flips in %" G_GINT64_FORMAT " ms, none accepted",
	               span.size * 8, (g_get_monotonic_time() - start_us) / 1000);
}

/* Cut off at every length, and with up to 3000 bytes more. */
static void try_every_length(Span span, const SlotKey *key)
{
	gsize longest = span.size + 3000;
	g_autofree guint8 *copy = g_malloc0(longest);

	memcpy(copy, span.data, span.size);
	for (gsize size = 0; size <= longest; size++)
		if (size != span.size)
			expect((Span){ copy, size }, key, KEYSTORE_ERROR_CORRUPT);
}

/* On a new file, and on golden ones with several slots. */
static void test_damage(void)
{
	static const char *const names[] = { "v1.0.keystore", "v1.1.keystore" };
	g_autoptr(GBytes) made = file_new(true, false);
	g_autoptr(GBytes) key_file_bytes = read_golden("v1.0.key");
	const SlotKey golden_key = { SLOT_KEY_FILE, span_of(key_file_bytes) };
	SlotKey key = key_file();

	flip_every_bit(span_of(made), &key);
	try_every_length(span_of(made), &key);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GBytes) file = read_golden(names[i]);

		flip_every_bit(span_of(file), &golden_key);
		try_every_length(span_of(file), &golden_key);
	}
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

static glong peak_memory_kib(void)
{
	struct rusage usage;

	g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
	return usage.ru_maxrss;
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
	glong peak_kib = peak_memory_kib();
	gint64 slowest_us = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(costs); i++) {
		gint64 start_us = g_get_monotonic_time();

		memcpy(copy + SLOT_AT + 2, costs[i], sizeof(costs[i]));
		fix_check(copy);
		expect((Span){ copy, span.size }, &key, KEYSTORE_ERROR_CORRUPT);
		slowest_us = MAX(slowest_us, g_get_monotonic_time() - start_us);
	}
	g_test_message("slowest of %" G_GSIZE_FORMAT " bombs refused in %" G_GINT64_FORMAT
	               " us, %ld KiB more memory",
	               G_N_ELEMENTS(costs), slowest_us, peak_memory_kib() - peak_kib);
	g_assert_cmpint(slowest_us, <, BOMB_MS * 1000);
	g_assert_cmpint(peak_memory_kib() - peak_kib, <, BOMB_KIB);
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

static void expect_secret(const BodyRecord *record, const char *value, gsize size)
{
	g_assert_true(record && record->secret_size == size &&
	              memcmp(record->secret, value, size) == 0);
}

static void expect_golden(const Body *body)
{
	const BodyRecord *record = body_find(body, "OPENAI_API_KEY");

	g_assert_cmpint(record->note.created_s, ==, 1700000000);
	g_assert_cmpint(record->note.changed_s, ==, 1700000100);
	expect_secret(record, "sk-golden-0123456789", 20);
	record = body_find(body, "db.password");
	expect_secret(record, "quote\" new\nline = # \xff\xfe end", 26);
}

/* Files that were written by a released version are read for ever, by each way in. */
static void test_golden(void)
{
	static const char keyring[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	g_autoptr(GBytes) key_file_bytes = read_golden("v1.0.key");
	const SlotKey by_key_file = { SLOT_KEY_FILE, span_of(key_file_bytes) };
	const struct {
		const char *name;
		SlotKey key;
		guint count;
	} cases[] = {
		{ "v1.0.keystore", by_key_file, 2 },
		{ "v1.0.keystore", words(passphrase), 2 },
		{ "v1.1.keystore", by_key_file, 4 },
		{ "v1.1.keystore", words(passphrase), 4 },
		{ "v1.1.keystore", { SLOT_KEYRING, { keyring, sizeof(keyring) - 1 } }, 4 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) file = read_golden(cases[i].name);
		g_autoptr(GError) error = NULL;
		g_autoptr(Body) body = open_file(span_of(file), &cases[i].key, &error);

		g_assert_no_error(error);
		g_assert_cmpuint(body_count(body), ==, cases[i].count);
		expect_golden(body);
	}
}

static void test_golden_notes(void)
{
	g_autoptr(GBytes) key_file_bytes = read_golden("v1.0.key");
	g_autoptr(GBytes) file = read_golden("v1.1.keystore");
	const SlotKey key = { SLOT_KEY_FILE, span_of(key_file_bytes) };
	g_autoptr(Body) body = open_file(span_of(file), &key, NULL);
	FormatHeader header = { 0 };

	const BodyRecord *record = body_find(body, "OPENAI_API_KEY");
	g_assert_cmpint(record->note.expires_s, ==, 1800000000);
	g_assert_cmpint(record->note.verified_s, ==, 1700000200);
	g_assert_cmpstr(record->note.origin, ==, "prompt");
	g_assert_cmpstr(record->note.fingerprint, ==, "0a1b2c3d");
	record = body_find(body, "work/OPENAI_API_KEY");
	expect_secret(record, "sk-golden-work", 14);
	g_assert_cmpstr(record->note.origin, ==, "stdin");
	record = body_find(body, "db.password");
	g_assert_cmpstr(record->note.fingerprint, ==, "");
	g_assert_cmpuint(body_count_keys(body), ==, 3);

	g_assert_true(format_parse(span_of(file), "golden", &header, NULL));
	g_assert_cmpuint(header.minor, ==, 1);
	g_assert_cmpstr(header.slots[1].label, ==, "paper");
	g_assert_cmpstr(header.slots[2].label, ==, "laptop");
}

/* A file of version 1.0 becomes 1.1 when it is written, with all that was in it. */
static void test_upgrade(void)
{
	g_autoptr(GBytes) key_file_bytes = read_golden("v1.0.key");
	g_autoptr(GBytes) file = read_golden("v1.0.keystore");
	const SlotKey key = { SLOT_KEY_FILE, span_of(key_file_bytes) };
	FormatHeader header = { 0 };
	g_auto(CryptoKey) file_key = { 0 };

	g_assert_true(format_parse(span_of(file), "golden", &header, NULL));
	g_assert_cmpuint(header.minor, ==, 0);
	g_assert_true(format_unlock(&header, &key, &file_key, NULL, NULL));
	g_autoptr(Body) old = format_open(span_of(file), &header, &file_key, "golden", NULL);
	g_autoptr(Body) copy = body_copy(old);
	g_autoptr(GBytes) again = format_seal(&header, &file_key, copy);
	g_autoptr(Body) body = open_file(span_of(again), &key, NULL);
	expect_golden(body);
	g_assert_true(format_parse(span_of(again), "golden", &header, NULL));
	g_assert_cmpuint(header.minor, ==, 1);
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
	header.slots[0].type = SLOT_KEY_FILE;
	for (guint i = 0; i < SALTS; i++) {
		g_autoptr(GBytes) file = format_seal(&header, &file_key, body);

		g_assert_true(g_hash_table_add(seen, g_bytes_new_from_bytes(file, 40, 32)));
	}
	g_assert_cmpuint(header.generation, ==, SALTS);
	g_test_message("%d writes, no salt twice", SALTS);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keystore/format/both-slots", test_both_slots);
	g_test_add_func("/keystore/format/wrong-key", test_wrong_key);
	g_test_add_func("/keystore/format/damage", test_damage);
	g_test_add_func("/keystore/format/swapped-halves", test_swapped_halves);
	g_test_add_func("/keystore/format/bombs", test_bombs);
	g_test_add_func("/keystore/format/changed-cost", test_changed_cost);
	g_test_add_func("/keystore/format/newer-versions", test_newer_versions);
	g_test_add_func("/keystore/format/golden", test_golden);
	g_test_add_func("/keystore/format/golden-notes", test_golden_notes);
	g_test_add_func("/keystore/format/upgrade", test_upgrade);
	g_test_add_func("/keystore/format/fresh-salts", test_fresh_salts);
	return g_test_run();
}
