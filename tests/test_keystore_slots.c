/* tests/test_keystore_slots.c - ways in: added, removed, renewed; rollback; recovery
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "keystore/format.h"
#include "keystore/recover.h"
#include "keystore/slots.h"
#include "tests/keystore_fixture.h"

#define PASSPHRASE "correct horse battery staple"

static char *path_of(const Fixture *fixture, const char *name)
{
	return g_build_filename(fixture->directory, name, NULL);
}

/* Opens the store with the key file called @name. */
static Keystore *open_with(const Fixture *fixture, const char *name)
{
	g_autofree char *key_file = path_of(fixture, name);
	KeystoreOptions options = { .path = fixture->path,
		                    .passphrase_fd = -1,
		                    .key_file = key_file };

	return keystore_open(&options);
}

static Keystore *open_with_passphrase(const Fixture *fixture, const char *name)
{
	g_autofree char *file = path_of(fixture, name);
	KeystoreOptions options = { .path = fixture->path,
		                    .passphrase_fd = -1,
		                    .passphrase_file = file };

	return keystore_open(&options);
}

static void rekey(Keystore *store, const KeystoreRekey *rekey)
{
	g_autoptr(GError) error = NULL;

	if (!keystore_rekey(store, rekey, &error))
		g_error("%s", error->message);
}

static void expect_opens(const Fixture *fixture, const char *name, bool is_expected)
{
	g_autoptr(Keystore) store = open_with(fixture, name);

	if (is_expected)
		fixture_expect(store, "KEY", "some-value");
	else
		fixture_expect_refusal(store, KEYSTORE_ERROR_WRONG_KEY);
}

/* Returns: (transfer full): "KIND LABEL, ..." */
static char *describe(Keystore *store)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) slots = keystore_slots(store, &error);
	g_autoptr(GString) text = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < slots->len; i++) {
		const KeystoreSlot *slot = g_ptr_array_index(slots, i);

		g_assert_cmpuint(slot->number, ==, i + 1);
		g_string_append_printf(text, "%s%s %s", i ? ", " : "", slot->kind, slot->label);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_adds_and_removes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const first[] = { "1", NULL };
	g_autofree char *second = path_of(fixture, "second");
	g_autofree char *third = path_of(fixture, "third");
	g_autofree char *backup = g_strconcat(fixture->path, ".bak", NULL);
	const char *const kept[] = { third, NULL };
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "KEY", "some-value");
	rekey(store, &(KeystoreRekey){ .key_file = second, .label = "laptop" });
	rekey(store, &(KeystoreRekey){ .key_file = third, .label = "desk" });
	expect_opens(fixture, "key", true);
	expect_opens(fixture, "second", true);
	g_autofree char *all = describe(store);
	g_assert_cmpstr(all, ==, "key-file , key-file laptop, key-file desk");

	/* The older copy is still opened by what is removed; neither the new file nor its backup is. */
	g_autoptr(Keystore) by_second = open_with(fixture, "second");
	rekey(by_second, &(KeystoreRekey){ .remove = first, .old_key_files = kept });
	g_autofree char *left = describe(store);
	g_assert_cmpstr(left, ==, "key-file laptop, key-file desk");
	expect_opens(fixture, "key", false);
	expect_opens(fixture, "second", true);
	expect_opens(fixture, "third", true);
	fixture_save(by_second, "KEY", "some-value");
	g_assert_cmpint(g_rename(backup, fixture->path), ==, 0);
	expect_opens(fixture, "key", false);
	expect_opens(fixture, "third", true);
}

/* The one that opened the file is removed: the new one is written, and this process goes on. */
static void test_removes_its_own(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const first[] = { "1", NULL };
	g_autofree char *second = path_of(fixture, "second");
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(Keystore) reader = fixture_open(fixture);

	fixture_save(store, "KEY", "some-value");
	fixture_expect(reader, "KEY", "some-value");
	rekey(store, &(KeystoreRekey){ .key_file = second, .remove = first });
	fixture_save(store, "MORE", "more-value");
	fixture_expect(store, "KEY", "some-value");
	expect_opens(fixture, "second", true);
	fixture_expect_refusal(reader, KEYSTORE_ERROR_WRONG_KEY);
}

/* A reader with the old data key in its memory notices the new one. */
static void test_new_data_key(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(Keystore) reader = fixture_open(fixture);
	g_autofree char *old = NULL;
	g_autofree char *new = NULL;
	gsize size = 0;

	fixture_save(store, "KEY", "some-value");
	fixture_expect(reader, "KEY", "some-value");
	g_assert_true(g_file_get_contents(fixture->path, &old, &size, NULL));
	rekey(store, &(KeystoreRekey){ .is_new_key = true });
	g_assert_true(g_file_get_contents(fixture->path, &new, &size, NULL));
	g_assert_true(memcmp(old + 74, new + 74, 128) != 0);
	fixture_expect(reader, "KEY", "some-value");
	fixture_save(reader, "KEY", "other-value");
	fixture_expect(store, "KEY", "other-value");
}

static void test_passphrase(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const by_label[] = { "old", NULL };
	g_autofree char *words = path_of(fixture, "words");
	g_autofree char *others = path_of(fixture, "others");
	g_autofree char *key = g_strdup(fixture->key_file);
	const char *const kept[] = { key, NULL };
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_put(words, PASSPHRASE "\n", strlen(PASSPHRASE) + 1);
	fixture_put(others, "another passphrase", 18);
	fixture_save(store, "KEY", "some-value");
	rekey(store, &(KeystoreRekey){ .passphrase_file = words, .label = "old" });
	g_autoptr(Keystore) by_words = open_with_passphrase(fixture, "words");
	rekey(by_words, &(KeystoreRekey){ .passphrase_file = others,
	                                  .label = "new",
	                                  .remove = by_label,
	                                  .old_key_files = kept });
	g_autofree char *left = describe(store);
	g_assert_cmpstr(left, ==, "key-file , passphrase new");
	g_autoptr(Keystore) by_others = open_with_passphrase(fixture, "others");
	g_autoptr(Keystore) by_old = open_with_passphrase(fixture, "words");
	fixture_expect(by_others, "KEY", "some-value");
	fixture_expect_refusal(by_old, KEYSTORE_ERROR_WRONG_KEY);
}

static void test_refusals(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const none[] = { "9", NULL };
	static const char *const unknown[] = { "attic", NULL };
	static const char *const both[] = { "1", "desk", NULL };
	static const char *const first[] = { "1", NULL };
	g_autofree char *second = path_of(fixture, "second");
	g_autofree char *weak = path_of(fixture, "weak");
	const struct {
		KeystoreRekey rekey;
		GQuark domain;
		int code;
	} cases[] = {
		{ { .remove = none }, FAULT, STATUS_USAGE },
		{ { .remove = unknown }, FAULT, STATUS_USAGE },
		{ { .remove = both }, FAULT, STATUS_USAGE },
		{ { .key_file = second, .label = "7" }, FAULT, STATUS_USAGE },
		{ { .key_file = second, .label = "a b" }, FAULT, STATUS_USAGE },
		{ { .remove = first },
		  KEYSTORE_ERROR,
		  KEYSTORE_ERROR_LOCKED }, /* desk has to open */
		{ { .has_passphrase = true }, KEYSTORE_ERROR, KEYSTORE_ERROR_LOCKED },
		{ { .passphrase_file = weak }, KEYSTORE_ERROR, KEYSTORE_ERROR_BAD_SECRET },
		{ { .has_keyring = true }, KEYSTORE_ERROR, KEYSTORE_ERROR_UNAVAILABLE },
	};
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
	g_unsetenv("XDG_RUNTIME_DIR");
	g_assert_false(keystore_rekey(store, &cases[0].rekey, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_UNAVAILABLE);
	fixture_put(weak, "too short", 9);
	fixture_save(store, "KEY", "some-value");
	rekey(store, &(KeystoreRekey){ .key_file = second, .label = "desk" });
	g_autofree char *before = keystore_peek(store);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) cause = NULL;

		g_assert_false(keystore_rekey(store, &cases[i].rekey, &cause));
		g_assert_error(cause, cases[i].domain, cases[i].code);
	}
	g_autofree char *after = keystore_peek(store);
	g_assert_cmpstr(before, ==, after);
}

static void test_too_many(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	fixture_save(store, "KEY", "some-value");
	for (guint i = 1; i < FORMAT_SLOTS_MAX; i++) {
		g_autofree char *name = g_strdup_printf("more%u", i);
		g_autofree char *path = path_of(fixture, name);
		rekey(store, &(KeystoreRekey){ .key_file = path });
	}
	g_assert_false(
		keystore_rekey(store, &(KeystoreRekey){ .key_file = fixture->key_file }, &error));
	g_assert_error(error, FAULT, STATUS_USAGE);
	expect_opens(fixture, "more7", true);
}

/* A slot of N = 2^14 gets the cost of today at the next write that knows the passphrase. */
static void test_raises_cost(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const char *dir = g_getenv("TEST_DATA") ? g_getenv("TEST_DATA") : "tests/data";
	g_autofree char *golden = g_build_filename(dir, "keystore", "v1.1.keystore", NULL);
	g_autofree char *words = path_of(fixture, "words");
	g_autofree char *content = NULL;
	gsize size = 0;

	g_assert_true(g_file_get_contents(golden, &content, &size, NULL));
	fixture_put(fixture->path, content, size);
	fixture_put(words, PASSPHRASE, strlen(PASSPHRASE));
	g_autoptr(Keystore) store = open_with_passphrase(fixture, "words");
	fixture_save(store, "KEY", "some-value");
	g_autoptr(GPtrArray) slots = keystore_slots(store, NULL);
	const KeystoreSlot *slot = g_ptr_array_index(slots, 1);
	g_assert_null(strstr(slot->cost, "2^14"));
	g_assert_cmpstr(slot->label, ==, "paper");
	g_autoptr(Keystore) again = open_with_passphrase(fixture, "words");
	fixture_expect(again, "KEY", "some-value");
}

static Keystore *open_seeing(const Fixture *fixture, bool accepts)
{
	g_autofree char *seen = g_build_filename(fixture->directory, "state", "seen", NULL);
	KeystoreOptions options = { .path = fixture->path,
		                    .seen_path = seen,
		                    .accept_rollback = accepts,
		                    .passphrase_fd = -1,
		                    .key_file = fixture->key_file };

	return keystore_open(&options);
}

static void copy_file(const char *from, const char *to)
{
	g_autofree char *content = NULL;
	gsize size = 0;

	g_assert_true(g_file_get_contents(from, &content, &size, NULL));
	fixture_put(to, content, size);
}

static void test_rollback(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *old = path_of(fixture, "old");
	g_autofree char *seen = g_build_filename(fixture->directory, "state", "seen", NULL);
	g_autoptr(Keystore) store = open_seeing(fixture, false);
	g_autoptr(Keystore) blind = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new("new-value", 9);
	g_autoptr(GError) error = NULL;

	fixture_save(store, "ANY", "old-value");
	copy_file(fixture->path, old);
	fixture_save(store, "ANY", "new-value");
	copy_file(old, fixture->path);
	fixture_expect_refusal(store, KEYSTORE_ERROR_STALE);
	g_assert_false(keystore_save(store, "ANY", secret, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_STALE);

	/* Another version of the same generation; written by a machine that has not seen the other. */
	fixture_save(blind, "ANY", "forked-value");
	fixture_expect_refusal(store, KEYSTORE_ERROR_STALE);

	g_autoptr(Keystore) accepting = open_seeing(fixture, true);
	fixture_expect(accepting, "ANY", "forked-value");
	fixture_expect(store, "ANY", "forked-value");
	copy_file(old, fixture->path);
	g_assert_cmpint(g_unlink(seen), ==, 0); /* nothing is known: nothing is refused */
	fixture_expect(store, "ANY", "old-value");
	fixture_put(seen, "slipway-seen 1 x y z\n", 21);
	fixture_expect(store, "ANY", "old-value");
}

static void test_new_store_is_no_rollback(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *seen = g_build_filename(fixture->directory, "state", "seen", NULL);
	g_autoptr(Keystore) store = open_seeing(fixture, false);

	fixture_save(store, "ANY", "first-value");
	fixture_save(store, "ANY", "second-value");
	g_assert_cmpint(g_unlink(fixture->path), ==, 0);
	fixture_expect_refusal(store, KEYSTORE_ERROR_NOT_FOUND);
	fixture_save(store, "ANY", "third-value");
	fixture_expect(store, "ANY", "third-value");
	g_assert_true(keystore_remove(store, "ANY", NULL));
	g_assert_true(keystore_delete_empty(store, NULL));
	g_assert_false(g_file_test(seen, G_FILE_TEST_EXISTS));
}

static void damage(const char *path)
{
	g_autofree char *content = NULL;
	gsize size = 0;

	g_assert_true(g_file_get_contents(path, &content, &size, NULL));
	content[size / 2] ^= 1;
	fixture_put(path, content, size);
}

static void test_recovers(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *damaged = g_strconcat(fixture->path, ".damaged", NULL);
	g_autoptr(Keystore) store = open_seeing(fixture, false);
	g_autoptr(GError) error = NULL;
	g_auto(KeystoreVersions) whole = { 0 };
	g_auto(KeystoreVersions) half = { 0 };

	fixture_save(store, "ANY", "first-value");
	fixture_save(store, "ANY", "second-value");
	g_assert_true(keystore_examine(store, &whole, &error));
	g_assert_true(whole.current.is_whole && whole.backup.is_whole);
	g_assert_cmpuint(whole.current.keys, ==, 1);
	g_assert_cmpuint(whole.current.generation, ==, 2);

	damage(fixture->path);
	fixture_expect_refusal(store, KEYSTORE_ERROR_CORRUPT);
	g_assert_true(keystore_examine(store, &half, &error));
	g_assert_true(!half.current.is_whole && half.current.problem && half.backup.is_whole);
	g_assert_true(keystore_recover(store, &error));
	g_assert_no_error(error);
	fixture_expect(store, "ANY", "first-value");
	g_assert_true(g_file_test(damaged, G_FILE_TEST_EXISTS));
	fixture_save(store, "ANY", "third-value");
	fixture_expect(store, "ANY", "third-value");
}

static void test_cannot_recover(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *backup = g_strconcat(fixture->path, ".bak", NULL);
	g_autofree char *other = path_of(fixture, "other");
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;

	fixture_save(store, "ANY", "first-value");
	g_assert_false(keystore_recover(store, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	fixture_expect(store, "ANY", "first-value");
	fixture_save(store, "ANY", "second-value");
	damage(fixture->path);
	damage(backup);
	g_assert_false(keystore_recover(store, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_CORRUPT);
	g_clear_error(&error);

	/* A wrong key is no damage. */
	g_assert_true(keystore_make_key_file(other, NULL));
	g_autoptr(Keystore) stranger = open_with(fixture, "other");
	g_auto(KeystoreVersions) versions = { 0 };
	g_assert_false(keystore_examine(stranger, &versions, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_WRONG_KEY);
}

static GBytes *answer(const char *prompt G_GNUC_UNUSED, gpointer data, GError **error G_GNUC_UNUSED)
{
	guint *asked = data;

	(*asked)++;
	return secret_new(PASSPHRASE, strlen(PASSPHRASE));
}

/* Looking and recovering take one question, though the file could not be opened. */
static void test_recovery_asks_once(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	guint asked = 0;
	KeystoreOptions options = {
		.path = fixture->path, .passphrase_fd = -1, .ask = answer, .data = &asked
	};
	g_autoptr(Keystore) maker = keystore_open(&options);
	g_autoptr(Keystore) store = keystore_open(&options);
	g_autoptr(GError) error = NULL;
	g_auto(KeystoreVersions) versions = { 0 };

	fixture_save(maker, "ANY", "first-value");
	fixture_save(maker, "ANY", "second-value");
	fixture_put(fixture->path, "not a keystore", 14);
	asked = 0;
	g_assert_true(keystore_examine(store, &versions, &error));
	g_assert_true(keystore_recover(store, &error));
	g_assert_no_error(error);
	fixture_expect(store, "ANY", "first-value");
	g_assert_cmpuint(asked, ==, 1);
}

int main(int argc, char **argv)
{
	secret_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/slots/adds-and-removes", test_adds_and_removes);
	FIXTURE_TEST("/keystore/slots/removes-its-own", test_removes_its_own);
	FIXTURE_TEST("/keystore/slots/new-data-key", test_new_data_key);
	FIXTURE_TEST("/keystore/slots/passphrase", test_passphrase);
	FIXTURE_TEST("/keystore/slots/refusals", test_refusals);
	FIXTURE_TEST("/keystore/slots/too-many", test_too_many);
	FIXTURE_TEST("/keystore/slots/raises-cost", test_raises_cost);
	FIXTURE_TEST("/keystore/seen/rollback", test_rollback);
	FIXTURE_TEST("/keystore/seen/new-store", test_new_store_is_no_rollback);
	FIXTURE_TEST("/keystore/recover/recovers", test_recovers);
	FIXTURE_TEST("/keystore/recover/cannot", test_cannot_recover);
	FIXTURE_TEST("/keystore/recover/asks-once", test_recovery_asks_once);
	return g_test_run();
}
