/* tests/test_keystore_body.c - the records inside the encrypted file: each version, each edit
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/body.h"

#include <string.h>

#include "base/fault.h"
#include "keystore/bytes.h"
#include "keystore/crypto.h"
#include "keystore/error.h"

#define FIXED_BYTES 61

static bool body_accepts(const guint8 *bytes, gsize size, guint minor)
{
	guint8 *data = crypto_alloc(size);
	g_autoptr(GError) error = NULL;

	memcpy(data, bytes, size);
	g_autoptr(Body) body = body_parse(data, size, minor, &error);
	if (!body)
		g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_CORRUPT);
	return body != NULL;
}

/* @minor: 0: without the parts that came with version 1; 2: with four bytes more. */
static guint8 *put_record(guint8 *at, guint minor, const char *name, const char *secret)
{
	at = bytes_store(at, strlen(name), 1);
	at = bytes_store(at, strlen(secret), 4);
	at = bytes_store(bytes_store(at, 1, 8), 1, 8);
	if (minor > 0)
		at = bytes_store(bytes_store(at, 0, 8), 0, 8) + 16 + 8;
	if (minor > 1)
		at = bytes_store(at, 0xfedcba98, 4);
	at = bytes_put(at, name, strlen(name) + 1);
	return bytes_put(at, secret, strlen(secret));
}

static guint8 *put_start(guint8 *at, guint minor, guint32 count)
{
	at = bytes_store(at, count, 4);
	return minor == 0 ? at : bytes_store(at, minor > 1 ? FIXED_BYTES + 4 : FIXED_BYTES, 2);
}

static void test_records(void)
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

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		for (guint minor = 0; minor <= 2; minor++) {
			guint8 bytes[2 * BODY_BLOCK] = { 0 };
			guint8 *at = put_start(bytes, minor, cases[i].count);

			at = put_record(at, minor, cases[i].first, cases[i].secret);
			put_record(at, minor, cases[i].second, cases[i].secret);
			g_assert_true(body_accepts(bytes, BODY_BLOCK, minor) == cases[i].is_good);
			g_assert_false(body_accepts(bytes, 2 * BODY_BLOCK, minor));
			g_assert_false(body_accepts(bytes, 100, minor));
		}
}

/* Each version reads what is its own, and nothing that only looks like it. */
static void test_versions(void)
{
	for (guint wrote = 0; wrote <= 2; wrote++)
		for (guint reads = 0; reads <= 3; reads++) {
			guint8 bytes[BODY_BLOCK] = { 0 };
			guint8 *at = put_start(bytes, wrote, 1);
			bool is_newer = wrote > 0 && reads > 1;

			put_record(at, wrote, "A", "x");
			g_assert_true(body_accepts(bytes, BODY_BLOCK, reads) ==
			              (wrote == reads || is_newer));
		}
}

static void test_profiles(void)
{
	static const struct {
		const char *joined;
		const char *profile; /* NULL: not a name */
		const char *name;
	} cases[] = {
		{ "A", "default", "A" },
		{ "work/A", "work", "A" },
		{ ".slipway/master", ".slipway", "master" },
		{ "default/A", NULL, NULL }, /* one way only to write it */
		{ "Work/A", NULL, NULL },
		{ "1work/A", NULL, NULL },
		{ "work/", NULL, NULL },
		{ "/A", NULL, NULL },
		{ "work/a/b", NULL, NULL },
		{ ".other/A", NULL, NULL },
		{ "abcdefghijklmnopqrstuvwxyzabcdef/A", "abcdefghijklmnopqrstuvwxyzabcdef", "A" },
		{ "abcdefghijklmnopqrstuvwxyzabcdefg/A", NULL, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *profile = NULL;
		const char *name = body_split(cases[i].joined, &profile);
		guint8 bytes[BODY_BLOCK] = { 0 };

		put_record(put_start(bytes, 1, 1), 1, cases[i].joined, "x");
		g_assert_true(body_accepts(bytes, BODY_BLOCK, 1) == (cases[i].profile != NULL));
		g_assert_cmpstr(name, ==, cases[i].name);
		g_assert_cmpstr(profile, ==, cases[i].profile);
		if (!name)
			continue;
		g_autofree char *joined = body_join(profile, name);
		g_assert_cmpstr(joined, ==, cases[i].joined);
	}
}

/* The texts of a note have one form each. */
static void test_notes(void)
{
	static const struct {
		const char *origin;
		const char *fingerprint;
		bool is_good;
	} cases[] = {
		{ "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0", true },
		{ "stdin\0\0\0\0\0\0\0\0\0\0\0", "0123cdef", true },
		{ "abcdefghijklmno\0", "ffffffff", true },
		{ "abcdefghijklmnop", "ffffffff", false }, /* no end */
		{ "stdin\0x\0\0\0\0\0\0\0\0\0", "ffffffff", false },
		{ "Stdin\0\0\0\0\0\0\0\0\0\0\0", "ffffffff", false },
		{ "stdin\0\0\0\0\0\0\0\0\0\0\0", "fffffff\0", false },
		{ "stdin\0\0\0\0\0\0\0\0\0\0\0", "FFFFFFFF", false },
		{ "stdin\0\0\0\0\0\0\0\0\0\0\0", "\0fffffff", false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint8 bytes[BODY_BLOCK] = { 0 };
		guint8 *start = put_start(bytes, 1, 1);

		put_record(start, 1, "A", "x");
		memcpy(start + 37, cases[i].origin, 16);
		memcpy(start + 53, cases[i].fingerprint, 8);
		g_assert_true(body_accepts(bytes, BODY_BLOCK, 1) == cases[i].is_good);
	}
}

static BodyRecord record_of(const char *name, const char *secret)
{
	return (BodyRecord){ .name = name,
		             .secret = (const guint8 *)secret,
		             .secret_size = strlen(secret),
		             .note = { 1, 2, 3, 4, "import", "01234567" } };
}

static void test_edits(void)
{
	g_autoptr(Body) empty = body_new();
	BodyRecord middle = record_of("MIDDLE", "m");
	BodyRecord first = record_of("ALPHA", "a");
	BodyRecord changed = record_of("MIDDLE", "mm");
	BodyRecord own = record_of(".slipway/master", "0");
	g_autoptr(Body) one = body_with(empty, &middle, NULL);
	g_autoptr(Body) two = body_with(one, &first, NULL);
	g_autoptr(Body) same = body_with(two, &changed, NULL);
	g_autoptr(Body) more = body_with(same, &own, NULL);
	g_autoptr(Body) gone = body_without(more, "ALPHA");

	g_assert_cmpuint(body_count(empty), ==, 0);
	g_assert_cmpstr(body_record(two, 0)->name, ==, "ALPHA");
	g_assert_cmpuint(body_count(same), ==, 2);
	g_assert_cmpuint(body_find(same, "MIDDLE")->secret_size, ==, 2);
	g_assert_cmpuint(body_count(gone), ==, 2);
	g_assert_cmpuint(body_count_keys(gone), ==, 1);
	g_assert_null(body_find(gone, "ALPHA"));
	const KeystoreNote *note = &body_find(gone, "MIDDLE")->note;
	g_assert_cmpint(note->created_s + note->changed_s + note->expires_s + note->verified_s, ==,
	                10);
	g_assert_cmpstr(note->origin, ==, "import");
	g_assert_cmpstr(note->fingerprint, ==, "01234567");
}

static void test_full(void)
{
	g_autofree char *large = g_strnfill(KEYSTORE_SECRET_MAX, 'x');
	Body *body = body_new();
	g_autoptr(GError) error = NULL;

	for (guint i = 0; body; i++) {
		g_autofree char *name = g_strdup_printf("K%u", i);
		BodyRecord record = record_of(name, large);
		Body *next = body_with(body, &record, &error);

		g_assert_true(next || i > 60);
		body_free(body);
		body = next;
	}
	g_assert_error(error, FAULT, STATUS_DATA);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keystore/body/records", test_records);
	g_test_add_func("/keystore/body/versions", test_versions);
	g_test_add_func("/keystore/body/profiles", test_profiles);
	g_test_add_func("/keystore/body/notes", test_notes);
	g_test_add_func("/keystore/body/edits", test_edits);
	g_test_add_func("/keystore/body/full", test_full);
	return g_test_run();
}
