/* tests/test_keystore_items.c - profiles, notes, several keys at once, what is derived
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/crypto.h"
#include "tests/keystore_fixture.h"

static Keystore *open_profile(const Fixture *fixture, const char *profile)
{
	KeystoreOptions options = { .path = fixture->path,
		                    .profile = profile,
		                    .passphrase_fd = -1,
		                    .key_file = fixture->key_file };

	return keystore_open(&options);
}

static GBytes *secret_of(const char *text)
{
	return secret_new(text, strlen(text));
}

/* Returns: (transfer full): the note of that key. */
static KeystoreNote note_of(Keystore *store, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = keystore_list(store, &error);

	g_assert_no_error(error);
	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);
		if (strcmp(entry->name, name) == 0)
			return entry->note;
	}
	g_assert_not_reached();
}

static void test_profiles(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) work = open_profile(fixture, "work");
	g_autoptr(Keystore) home = open_profile(fixture, NULL);
	g_autoptr(Keystore) other = open_profile(fixture, "a-b_9");
	g_autoptr(GError) error = NULL;

	fixture_save(work, "API_KEY", "value-at-work");
	fixture_save(home, "API_KEY", "value-at-home");
	fixture_save(other, "OTHER", "other-value");
	fixture_expect(work, "API_KEY", "value-at-work");
	fixture_expect(home, "API_KEY", "value-at-home");
	g_autoptr(GPtrArray) entries = keystore_list(work, &error);
	g_assert_cmpuint(entries->len, ==, 1);
	g_assert_cmpstr(((const KeystoreEntry *)entries->pdata[0])->profile, ==, "work");

	g_auto(GStrv) profiles = keystore_profiles(home, &error);
	g_autofree char *joined = g_strjoinv(" ", profiles);
	g_assert_cmpstr(joined, ==, "a-b_9 default work");

	g_assert_true(keystore_remove(work, "API_KEY", &error));
	fixture_expect(home, "API_KEY", "value-at-home");
	fixture_expect_refusal(work, KEYSTORE_ERROR_NOT_FOUND);
	g_assert_false(keystore_delete_empty(work, &error));
}

static void test_bad_profiles(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const names[] = { "",
		                             "1a",
		                             "-a",
		                             "Work",
		                             "a b",
		                             "a/b",
		                             "../a",
		                             "é",
		                             ".slipway",
		                             ".hidden",
		                             "abcdefghijklmnopqrstuvwxyzabcdefg" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(Keystore) store = open_profile(fixture, names[i]);
		g_autoptr(GBytes) secret = secret_of("some-value");
		g_autoptr(GError) error = NULL;

		g_assert_false(keystore_check_profile(names[i], NULL));
		g_assert_false(keystore_save(store, "KEY", secret, &error));
		g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_NAME);
		fixture_expect_refusal(store, KEYSTORE_ERROR_BAD_NAME);
	}
}

static void test_notes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const KeystoreNote first = { .origin = "prompt", .expires_s = 2000000000 };
	const KeystoreNote second = { .origin = "rotate",
		                      .verified_s = 1900000000,
		                      .created_s = 1,
		                      .changed_s = 1,
		                      .fingerprint = "00000000" };
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_of("some-value");
	g_autoptr(GError) error = NULL;

	g_assert_true(keystore_save_noted(store, "KEY", secret, &first, &error));
	KeystoreNote made = note_of(store, "KEY");
	g_assert_cmpstr(made.origin, ==, "prompt");
	g_assert_cmpint(made.expires_s, ==, 2000000000);
	g_assert_cmpint(made.created_s, >, 1600000000);
	g_assert_cmpuint(strlen(made.fingerprint), ==, 8);

	g_assert_true(keystore_note(store, "KEY", &second, &error));
	KeystoreNote noted = note_of(store, "KEY");
	g_assert_cmpstr(noted.origin, ==, "rotate");
	g_assert_cmpint(noted.expires_s, ==, 0);
	g_assert_cmpint(noted.verified_s, ==, 1900000000);
	g_assert_cmpint(noted.created_s, ==, made.created_s);
	g_assert_cmpstr(noted.fingerprint, ==, made.fingerprint);
	fixture_expect(store, "KEY", "some-value");

	g_assert_false(keystore_note(store, "NO_KEY", &first, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	fixture_save(store, "KEY", "another-value");
	KeystoreNote plain = note_of(store, "KEY");
	g_assert_cmpstr(plain.origin, ==, "");
	g_assert_cmpint(plain.created_s, ==, made.created_s);
	g_assert_cmpstr(plain.fingerprint, !=, made.fingerprint);
}

static void test_rename_profile(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const KeystoreNote note = { .origin = "prompt", .expires_s = 2000000000 };
	g_autoptr(Keystore) work = open_profile(fixture, "work");
	g_autoptr(Keystore) home = open_profile(fixture, "home");
	g_autoptr(GBytes) secret = secret_of("value-at-work");
	g_autoptr(GError) error = NULL;
	guint count = 0;

	g_assert_true(keystore_rename_profile(work, "home", &count, &error));
	g_assert_cmpuint(count, ==, 0);
	g_assert_true(keystore_save_noted(work, "API_KEY", secret, &note, &error));
	KeystoreNote before = note_of(work, "API_KEY");
	fixture_save(work, "SAME", "the-same-value"); /* a killed run has copied this one */
	fixture_save(home, "SAME", "the-same-value");
	fixture_save(home, "OWN", "value-at-home");
	g_assert_true(keystore_rename_profile(work, "home", &count, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(count, ==, 2);
	fixture_expect(home, "API_KEY", "value-at-work");
	fixture_expect(home, "SAME", "the-same-value");
	fixture_expect(home, "OWN", "value-at-home");
	KeystoreNote after = note_of(home, "API_KEY");
	g_assert_cmpint(after.created_s, ==, before.created_s);
	g_assert_cmpint(after.changed_s, ==, before.changed_s);
	g_assert_cmpint(after.expires_s, ==, before.expires_s);
	g_assert_cmpstr(after.origin, ==, before.origin);
	g_assert_cmpstr(after.fingerprint, ==, before.fingerprint);
	g_auto(GStrv) profiles = keystore_profiles(home, &error);
	g_autofree char *joined = g_strjoinv(" ", profiles);
	g_assert_cmpstr(joined, ==, "home");

	fixture_save(work, "SAME", "another-value");
	fixture_save(work, "MORE", "more-value");
	g_assert_false(keystore_rename_profile(work, "home", &count, &error));
	g_assert_nonnull(strstr(error->message, "has another SAME already"));
	fixture_expect(work, "SAME", "another-value");
	fixture_expect(home, "SAME", "the-same-value");
	fixture_expect(work, "MORE", "more-value");
	g_clear_error(&error);
	g_assert_false(keystore_rename_profile(work, ".slipway", &count, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_NAME);
}

static void test_lookup_all(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const names[] = { "ONE", "MISSING", "SLIPWAY_TEST_KEY", "TWO", NULL };
	static const char *const bad[] = { "ONE", "b/ad", NULL };
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;
	GBytes *secrets[4] = { NULL };

	fixture_save(store, "ONE", "first-value");
	fixture_save(store, "TWO", "second-value");
	g_setenv("SLIPWAY_TEST_KEY", "from-the-environment", true);
	g_assert_true(keystore_lookup_all(store, names, secrets, &error));
	g_unsetenv("SLIPWAY_TEST_KEY");
	g_assert_cmpstr(secret_text(secrets[0]), ==, "first-value");
	g_assert_null(secrets[1]);
	g_assert_cmpstr(secret_text(secrets[2]), ==, "from-the-environment");
	g_assert_cmpstr(secret_text(secrets[3]), ==, "second-value");
	for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
		g_clear_pointer(&secrets[i], g_bytes_unref);

	g_assert_false(keystore_lookup_all(store, bad, secrets, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_NAME);
	g_assert_null(secrets[0]);
}

static void test_all_or_none(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) fresh = secret_of("fresh-value");
	g_autoptr(GBytes) old = secret_of("old-value");
	const KeystoreNote note = { .origin = "rotate" };
	const KeystoreChange rotate[] = { { "KEY.previous", old, NULL },
		                          { "KEY", fresh, &note },
		                          { "KEY.pending", NULL, NULL } };
	const KeystoreChange bad[] = { { "KEY", old, NULL }, { "MISSING", NULL, NULL } };
	g_autoptr(GError) error = NULL;

	fixture_save(store, "KEY", "old-value");
	fixture_save(store, "KEY.pending", "fresh-value");
	g_autofree char *before = keystore_peek(store);
	g_assert_true(keystore_apply(store, rotate, G_N_ELEMENTS(rotate), &error));
	g_assert_no_error(error);
	g_autofree char *after = keystore_peek(store);
	g_assert_true(g_str_has_suffix(before, ":2") && g_str_has_suffix(after, ":3"));
	fixture_expect(store, "KEY", "fresh-value");
	fixture_expect(store, "KEY.previous", "old-value");

	g_assert_false(keystore_apply(store, bad, G_N_ELEMENTS(bad), &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	fixture_expect(store, "KEY", "fresh-value");
	g_autofree char *same = keystore_peek(store);
	g_assert_cmpstr(same, ==, after);
}

static void test_derive(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	g_assert_null(keystore_derive(store, "audit", &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	fixture_save(store, "KEY", "some-value");
	g_autoptr(GBytes) first = keystore_derive(store, "audit", &error);
	g_autoptr(GBytes) other = keystore_derive(store, "other", &error);
	fixture_save(store, "KEY", "another-value");
	g_autoptr(Keystore) again_store = open_profile(fixture, "work");
	g_autoptr(GBytes) again = keystore_derive(again_store, "audit", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(first), ==, CRYPTO_KEY_BYTES);
	g_assert_true(g_bytes_equal(first, again));
	g_assert_false(g_bytes_equal(first, other));
}

/* The store's own items are not keys, and go with the last one. */
static void test_own_items(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	fixture_save(store, "KEY", "some-value");
	g_autoptr(GPtrArray) entries = keystore_list(store, &error);
	g_assert_cmpuint(entries->len, ==, 1);
	g_assert_true(keystore_remove(store, "KEY", &error));
	g_auto(GStrv) profiles = keystore_profiles(store, &error);
	g_assert_cmpuint(g_strv_length(profiles), ==, 0);
	g_assert_true(keystore_delete_empty(store, &error));
	g_assert_no_error(error);
	g_assert_false(keystore_exists(store));
}

int main(int argc, char **argv)
{
	secret_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/items/profiles", test_profiles);
	FIXTURE_TEST("/keystore/items/bad-profiles", test_bad_profiles);
	FIXTURE_TEST("/keystore/items/notes", test_notes);
	FIXTURE_TEST("/keystore/items/rename-profile", test_rename_profile);
	FIXTURE_TEST("/keystore/items/lookup-all", test_lookup_all);
	FIXTURE_TEST("/keystore/items/all-or-none", test_all_or_none);
	FIXTURE_TEST("/keystore/items/derive", test_derive);
	FIXTURE_TEST("/keystore/items/own", test_own_items);
	return g_test_run();
}
