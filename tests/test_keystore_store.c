/* tests/test_keystore_store.c - saving, finding, environment, what is on the disk
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/keystore_fixture.h"

#define NAME_65 "A2345678901234567890123456789012345678901234567890123456789012345"

static void test_saves_and_finds(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Keystore) store = fixture_open(fixture);
	const char *source = NULL;

	g_assert_false(keystore_exists(store));
	g_assert_null(keystore_peek(store));
	fixture_save(store, "OPENAI_API_KEY", "sk-first-value");
	fixture_expect(store, "OPENAI_API_KEY", "sk-first-value");
	fixture_save(store, "OPENAI_API_KEY", "sk-second-value");

	g_autoptr(Keystore) again = fixture_open(fixture);
	g_autoptr(GBytes) secret = keystore_lookup(again, "OPENAI_API_KEY", &source, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(secret_text(secret), ==, "sk-second-value");
	g_assert_cmpstr(source, ==, "file");
}

static void test_round_trip(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const values[] = {
		"x",
		"with \"quotes\" and 'single' ones",
		"two\nlines\n",
		"a=b;c=d",
		"# no comment",
		"\r\n\t ",
		"\xff\xfe not UTF-8 \x80",
		"$HOME `id` $(id)",
		"-----BEGIN KEY-----\nabc\n",
	};
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autofree char *large = g_strnfill(KEYSTORE_SECRET_MAX, 'k');

	fixture_save(store, "LARGE", large);
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autofree char *name = g_strdup_printf("KEY_%" G_GSIZE_FORMAT, i);
		fixture_save(store, name, values[i]);
	}

	g_autoptr(Keystore) again = fixture_open(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autofree char *name = g_strdup_printf("KEY_%" G_GSIZE_FORMAT, i);
		fixture_expect(again, name, values[i]);
	}
	fixture_expect(again, "LARGE", large);
}

static void test_refuses_bad_names(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const names[] = { "",    "1KEY", "_KEY", "a/b", "..",   "a b",
		                             "a\n", "a=b",  "é",    "-a",  ".key", NAME_65 };
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new("value", 5);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) on_save = NULL;
		g_autoptr(GError) on_lookup = NULL;

		g_assert_false(keystore_save(store, names[i], secret, &on_save));
		g_assert_error(on_save, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_NAME);
		g_assert_null(keystore_lookup(store, names[i], NULL, &on_lookup));
		g_assert_error(on_lookup, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_NAME);
	}
	g_assert_false(keystore_exists(store));
}

static void test_refuses_bad_secrets(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char large[KEYSTORE_SECRET_MAX + 1] = { 'x' };
	const struct {
		const char *value;
		gsize size;
	} cases[] = {
		{ "", 0 }, { "NUL\0inside-secret", 17 }, { "x\0", 2 }, { large, sizeof(large) }
	};
	g_autoptr(Keystore) store = fixture_open(fixture);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) secret = secret_new(cases[i].value, cases[i].size);

		g_assert_false(keystore_save(store, "KEY", secret, &error));
		g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_SECRET);
		g_assert_null(strstr(error->message, "inside"));
	}
	g_assert_false(keystore_exists(store));
}

static void test_absent_store(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GPtrArray) entries = keystore_list(store, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(entries->len, ==, 0);
	fixture_expect_refusal(store, KEYSTORE_ERROR_NOT_FOUND);
	g_assert_false(keystore_remove(store, "ANY", &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	g_assert_false(keystore_exists(store));
}

static void test_list_and_remove(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "B", "same-secret");
	fixture_save(store, "A", "same-secret");
	fixture_save(store, "C", "other-secret");
	g_autoptr(GPtrArray) entries = keystore_list(store, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(entries->len, ==, 3);
	const KeystoreEntry *a = g_ptr_array_index(entries, 0);
	const KeystoreEntry *b = g_ptr_array_index(entries, 1);
	const KeystoreEntry *c = g_ptr_array_index(entries, 2);
	g_assert_cmpstr(a->name, ==, "A");
	g_assert_cmpuint(strlen(a->note.fingerprint), ==, 8);
	g_assert_cmpstr(a->note.fingerprint, ==, b->note.fingerprint);
	g_assert_cmpstr(a->note.fingerprint, !=, c->note.fingerprint);
	g_assert_cmpint(a->note.changed_s, >, 1600000000);

	g_assert_true(keystore_remove(store, "B", &error));
	g_assert_no_error(error);
	g_assert_false(keystore_remove(store, "B", &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	fixture_expect(store, "A", "same-secret");
}

static void test_same_secret_writes_nothing(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "KEY", "some-value");
	g_autofree char *before = keystore_peek(store);
	fixture_save(store, "KEY", "some-value");
	g_autofree char *same = keystore_peek(store);
	fixture_save(store, "KEY", "another-value");
	g_autofree char *after = keystore_peek(store);

	g_assert_true(g_str_has_suffix(before, ":1"));
	g_assert_cmpstr(before, ==, same);
	g_assert_true(g_str_has_suffix(after, ":2"));
	g_assert_cmpuint(strlen(after), ==, 34);
}

static void test_environment_wins(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Keystore) store = fixture_open(fixture);
	const char *source = NULL;

	fixture_save(store, "SLIPWAY_TEST_KEY", "from-the-file");
	g_setenv("SLIPWAY_TEST_KEY", "from-the-environment", true);
	g_autoptr(GBytes) secret = keystore_lookup(store, "SLIPWAY_TEST_KEY", &source, &error);
	g_assert_cmpstr(secret_text(secret), ==, "from-the-environment");
	g_assert_cmpstr(source, ==, "environment");
	g_autofree char *masked = secret_mask("it was from-the-environment");
	g_assert_cmpstr(masked, ==, "it was [masked]");

	g_setenv("SLIPWAY_TEST_KEY", "", true);
	fixture_expect(store, "SLIPWAY_TEST_KEY", "from-the-file");
	g_unsetenv("SLIPWAY_TEST_KEY");
	g_autofree char *peek = keystore_peek(store);
	g_assert_true(g_str_has_suffix(peek, ":1"));
}

static void test_nothing_in_the_clear(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const suffixes[] = { "", ".bak", ".lock" };
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "CANARY_NAME", "canary-secret-1");
	fixture_save(store, "CANARY_NAME", "canary-secret-2");
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strconcat(fixture->path, suffixes[i], NULL);
		g_autofree char *content = NULL;
		gsize size = 0;
		GStatBuf status;

		g_assert_true(g_file_get_contents(path, &content, &size, NULL));
		g_assert_null(g_strstr_len(content, (gssize)size, "canary"));
		g_assert_null(g_strstr_len(content, (gssize)size, "CANARY"));
		g_assert_cmpint(g_stat(path, &status), ==, 0);
		g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
	}
}

static void test_backup_opens(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autofree char *backup = g_strconcat(fixture->path, ".bak", NULL);

	fixture_save(store, "KEY", "old-value");
	fixture_save(store, "KEY", "new-value");
	g_assert_cmpint(g_rename(backup, fixture->path), ==, 0);
	fixture_expect(store, "KEY", "old-value");
}

static void test_wrong_key(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autofree char *other_key = g_build_filename(fixture->directory, "other", NULL);
	KeystoreOptions options = { .path = fixture->path,
		                    .passphrase_fd = -1,
		                    .key_file = other_key };
	g_autoptr(Keystore) wrong = keystore_open(&options);

	fixture_save(store, "ANY", "some-value");
	g_assert_true(keystore_make_key_file(other_key, NULL));
	fixture_expect_refusal(wrong, KEYSTORE_ERROR_WRONG_KEY);
	g_file_set_contents(fixture->path, "this is not a keystore", -1, NULL);
	g_assert_cmpint(g_chmod(fixture->path, 0600), ==, 0);
	fixture_expect_refusal(store, KEYSTORE_ERROR_CORRUPT);
}

static void test_delete_empty(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	g_assert_true(keystore_delete_empty(store, &error));
	fixture_save(store, "KEY", "some-value");
	g_assert_false(keystore_delete_empty(store, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_true(keystore_remove(store, "KEY", &error));

	/* The store goes last, so that a second try finds what the first had to leave. */
	g_autofree char *damaged = g_strconcat(fixture->path, ".damaged", NULL);
	g_assert_cmpint(g_mkdir(damaged, 0700), ==, 0);
	g_assert_false(keystore_delete_empty(store, &error));
	g_clear_error(&error);
	g_assert_true(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
	g_assert_cmpint(g_rmdir(damaged), ==, 0);
	g_assert_true(keystore_delete_empty(store, &error));
	g_assert_no_error(error);

	g_autoptr(GDir) listing = g_dir_open(fixture->directory, 0, NULL);
	g_assert_cmpstr(g_dir_read_name(listing), ==, "key");
	g_assert_null(g_dir_read_name(listing));
}

static void test_full(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autofree char *large = g_strnfill(KEYSTORE_SECRET_MAX, 'x');
	g_autoptr(GBytes) secret = secret_new(large, KEYSTORE_SECRET_MAX);
	g_autoptr(GError) error = NULL;
	guint count = 0;

	while (count < 100) {
		g_autofree char *name = g_strdup_printf("KEY%u", count);
		if (!keystore_save(store, name, secret, &error))
			break;
		count++;
	}
	g_assert_cmpuint(count, >, 60);
	g_assert_nonnull(strstr(error->message, "full"));
	fixture_expect(store, "KEY0", large);
}

static void test_cost(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	enum { RUNS = 200 };

	for (guint i = 0; i < 10; i++) {
		g_autofree char *name = g_strdup_printf("KEY%u", i);
		fixture_save(store, name, "some-value-of-a-key");
	}
	gint64 start_us = g_get_monotonic_time();
	for (guint i = 0; i < RUNS; i++) {
		g_autoptr(Keystore) fresh = fixture_open(fixture);
		fixture_expect(fresh, "KEY5", "some-value-of-a-key");
	}
	gint64 took_us = (g_get_monotonic_time() - start_us) / RUNS;
	g_test_message("open, unlock with a key file, look up: %" G_GINT64_FORMAT " us", took_us);
	g_assert_cmpint(took_us, <, 5000);
}

int main(int argc, char **argv)
{
	secret_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/store/saves-and-finds", test_saves_and_finds);
	FIXTURE_TEST("/keystore/store/round-trip", test_round_trip);
	FIXTURE_TEST("/keystore/store/bad-names", test_refuses_bad_names);
	FIXTURE_TEST("/keystore/store/bad-secrets", test_refuses_bad_secrets);
	FIXTURE_TEST("/keystore/store/absent", test_absent_store);
	FIXTURE_TEST("/keystore/store/list-and-remove", test_list_and_remove);
	FIXTURE_TEST("/keystore/store/same-secret", test_same_secret_writes_nothing);
	FIXTURE_TEST("/keystore/store/environment", test_environment_wins);
	FIXTURE_TEST("/keystore/store/nothing-in-the-clear", test_nothing_in_the_clear);
	FIXTURE_TEST("/keystore/store/backup", test_backup_opens);
	FIXTURE_TEST("/keystore/store/wrong-key", test_wrong_key);
	FIXTURE_TEST("/keystore/store/delete-empty", test_delete_empty);
	FIXTURE_TEST("/keystore/store/full", test_full);
	FIXTURE_TEST("/keystore/store/cost", test_cost);
	return g_test_run();
}
