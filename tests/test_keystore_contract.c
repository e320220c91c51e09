/* tests/test_keystore_contract.c - one suite, run over every place where keys can be kept
 *
 * The Secret Service is a real one: GNOME Keyring on a bus of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "keystore/helper.h"
#include "tests/keyring_fixture.h"
#include "tests/keystore_fixture.h"

/** A store that all tests of one place share: each leaves it empty. */
typedef struct {
	const char *place;
	KeystoreOptions options;
	Keystore *store;
} Contract;

typedef void (*Test)(const Contract *);

static GBytes *secret_of(const char *value)
{
	return secret_new(value, strlen(value));
}

static void expect_error(GError *error, KeystoreError code)
{
	g_assert_error(error, KEYSTORE_ERROR, (int)code);
	g_error_free(error);
}

static void expect_none(Keystore *store, const char *name)
{
	GError *error = NULL;

	g_assert_null(keystore_lookup(store, name, NULL, &error));
	expect_error(error, KEYSTORE_ERROR_NOT_FOUND);
}

static void remove_key(Keystore *store, const char *name)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(keystore_remove(store, name, &error));
	g_assert_no_error(error);
}

static GPtrArray *list(Keystore *store)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *entries = keystore_list(store, &error);

	g_assert_no_error(error);
	return entries;
}

/* The names, joined by blanks. */
static char *names_of(Keystore *store)
{
	g_autoptr(GPtrArray) entries = list(store);
	GString *names = g_string_new(NULL);

	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		g_string_append_printf(names, "%s%s", i > 0 ? " " : "", entry->name);
	}
	return g_string_free(names, FALSE);
}

static void expect_names(Keystore *store, const char *wanted)
{
	g_autofree char *names = names_of(store);

	g_assert_cmpstr(names, ==, wanted);
}

static KeystoreNote note_of(Keystore *store, const char *name)
{
	g_autoptr(GPtrArray) entries = list(store);

	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		if (strcmp(entry->name, name) == 0)
			return entry->note;
	}
	g_assert_not_reached();
}

static Keystore *open_profile(const Contract *contract, const char *profile)
{
	KeystoreOptions options = contract->options;

	options.profile = profile;
	return keystore_open(&options);
}

static void test_values(const Contract *contract)
{
	g_autofree char *large = g_strnfill(8192, '-');
	g_autofree char *largest = g_strnfill(KEYSTORE_SECRET_MAX, 'x');
	g_autofree char *longest = g_strnfill(64, 'N');
	const char *const values[] = {
		"x",
		"pässwörd – ключ – 鍵 🔑",
		"-leading",
		"--stdin",
		" blanks around ",
		"two\nlines\n\n",
		"\r\n\t\x01\x7f",
		"\xff\xfe no UTF-8 \x80",
		"'\"$(id)`\\",
		large,
		largest,
	};
	const char *const names[] = { "K", "a.b_c-D.0", longest };

	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		const char *name = names[i % G_N_ELEMENTS(names)];

		fixture_save(contract->store, name, values[i]);
		fixture_expect(contract->store, name, values[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		remove_key(contract->store, names[i]);
}

static void test_refused(const Contract *contract)
{
	g_autofree char *too_large = g_strnfill(KEYSTORE_SECRET_MAX + 1, 'x');
	g_autofree char *too_long = g_strnfill(65, 'N');
	const char *const names[] = { "", "1A", "-A", ".A", "A B", "A/B", "A\n", "Ä", too_long };
	g_autoptr(GBytes) good = secret_of("good");
	GBytes *const bad[] = { secret_new("", 0), secret_new("a\0b", 3), secret_of(too_large) };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		GError *error = NULL;

		g_assert_false(keystore_save(contract->store, names[i], good, &error));
		expect_error(error, KEYSTORE_ERROR_BAD_NAME);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;

		g_assert_false(keystore_save(contract->store, "A_KEY", bad[i], &error));
		expect_error(error, KEYSTORE_ERROR_BAD_SECRET);
		g_bytes_unref(bad[i]);
	}
	expect_names(contract->store, "");
}

static void test_replace(const Contract *contract)
{
	fixture_save(contract->store, "A_KEY", "first");
	KeystoreNote first = note_of(contract->store, "A_KEY");
	fixture_save(contract->store, "A_KEY", "second");
	KeystoreNote second = note_of(contract->store, "A_KEY");

	fixture_expect(contract->store, "A_KEY", "second");
	expect_names(contract->store, "A_KEY");
	g_assert_cmpint(first.created_s, >, 0);
	g_assert_cmpint(first.created_s, ==, second.created_s);
	g_assert_cmpint(second.changed_s, >=, first.changed_s);
	g_assert_cmpuint(strlen(first.fingerprint), ==, 8);
	g_assert_cmpstr(first.fingerprint, !=, second.fingerprint);
	fixture_save(contract->store, "A_KEY", "first");
	g_assert_cmpstr(note_of(contract->store, "A_KEY").fingerprint, ==, first.fingerprint);
	remove_key(contract->store, "A_KEY");
}

static void test_remove_one_of_many(const Contract *contract)
{
	static const char *const names[] = {
		"KB", "KA", "KC", "ka", "KAB", "KA.B", "KA-B", "KA_B"
	};
	GError *error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		fixture_save(contract->store, names[i], names[i]);
	expect_names(contract->store, "KA KA-B KA.B KAB KA_B KB KC ka");
	remove_key(contract->store, "KA");
	expect_none(contract->store, "KA");
	g_assert_false(keystore_remove(contract->store, "KA", &error));
	expect_error(error, KEYSTORE_ERROR_NOT_FOUND);
	expect_names(contract->store, "KA-B KA.B KAB KA_B KB KC ka");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i], "KA") != 0) {
			fixture_expect(contract->store, names[i], names[i]);
			remove_key(contract->store, names[i]);
		}
}

static void test_profiles(const Contract *contract)
{
	g_autoptr(Keystore) work = open_profile(contract, "work");
	g_autoptr(Keystore) other = open_profile(contract, "a-2_b");
	g_autoptr(GError) error = NULL;

	fixture_save(contract->store, "A_KEY", "of default");
	fixture_save(work, "A_KEY", "of work");
	fixture_save(work, "B_KEY", "only of work");
	fixture_save(other, "A_KEY", "of a-2_b");
	fixture_expect(contract->store, "A_KEY", "of default");
	fixture_expect(work, "A_KEY", "of work");
	expect_none(contract->store, "B_KEY");
	expect_names(contract->store, "A_KEY");
	expect_names(work, "A_KEY B_KEY");

	g_auto(GStrv) profiles = keystore_profiles(work, &error);
	g_assert_no_error(error);
	g_autofree char *joined = g_strjoinv(" ", profiles);
	g_assert_cmpstr(joined, ==, "a-2_b default work");

	remove_key(work, "A_KEY");
	expect_none(work, "A_KEY");
	fixture_expect(contract->store, "A_KEY", "of default");
	fixture_expect(other, "A_KEY", "of a-2_b");
	remove_key(work, "B_KEY");
	remove_key(other, "A_KEY");
	remove_key(contract->store, "A_KEY");
}

static void test_notes(const Contract *contract)
{
	const KeystoreNote given = { .expires_s = 1900000000,
		                     .verified_s = 1700000000,
		                     .origin = "import" };
	const KeystoreNote later = { .verified_s = 1700000001, .origin = "stdin" };
	g_autoptr(GBytes) secret = secret_of("noted");
	GError *error = NULL;

	g_assert_true(keystore_save_noted(contract->store, "A_KEY", secret, &given, &error));
	g_assert_no_error(error);
	KeystoreNote first = note_of(contract->store, "A_KEY");
	g_assert_cmpstr(first.origin, ==, "import");
	g_assert_cmpint(first.expires_s, ==, given.expires_s);
	g_assert_cmpint(first.verified_s, ==, given.verified_s);

	g_assert_true(keystore_note(contract->store, "A_KEY", &later, &error));
	g_assert_no_error(error);
	KeystoreNote second = note_of(contract->store, "A_KEY");
	g_assert_cmpstr(second.origin, ==, "stdin");
	g_assert_cmpint(second.expires_s, ==, 0);
	g_assert_cmpint(second.verified_s, ==, later.verified_s);
	g_assert_cmpint(second.created_s, ==, first.created_s);
	g_assert_cmpint(second.changed_s, ==, first.changed_s);
	g_assert_cmpstr(second.fingerprint, ==, first.fingerprint);
	fixture_expect(contract->store, "A_KEY", "noted");
	expect_names(contract->store, "A_KEY");

	g_assert_false(keystore_note(contract->store, "NO_KEY", &later, &error));
	expect_error(error, KEYSTORE_ERROR_NOT_FOUND);
	remove_key(contract->store, "A_KEY");
}

static void test_many_at_once(const Contract *contract)
{
	static const char *const names[] = { "K0", "K1", "NONE", "K2", "K3", "K4", "OLD", NULL };
	GBytes *secrets[G_N_ELEMENTS(names)] = { NULL };
	GBytes *values[] = { secret_of("v0"), secret_of("v1"), secret_of("v2"), secret_of("v3"),
		             secret_of("v4") };
	const KeystoreChange changes[] = {
		{ "K0", values[0], NULL }, { "K1", values[1], NULL }, { "K2", values[2], NULL },
		{ "K3", values[3], NULL }, { "K4", values[4], NULL }, { "OLD", NULL, NULL },
	};
	g_autoptr(GError) error = NULL;

	fixture_save(contract->store, "OLD", "old");
	g_assert_true(keystore_apply(contract->store, changes, G_N_ELEMENTS(changes), &error));
	g_assert_no_error(error);
	g_assert_true(keystore_lookup_all(contract->store, names, secrets, &error));
	g_assert_no_error(error);
	for (gsize i = 0; names[i]; i++) {
		g_assert_cmpint(secrets[i] != NULL, ==, names[i][0] == 'K');
		if (secrets[i])
			g_assert_cmpint(secret_text(secrets[i])[1], ==, names[i][1]);
		g_clear_pointer(&secrets[i], g_bytes_unref);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		remove_key(contract->store, changes[i].name);
		g_bytes_unref(values[i]);
	}
}

static void test_another_process(const Contract *contract)
{
	g_autoptr(Keystore) other = open_profile(contract, NULL);

	fixture_save(contract->store, "A_KEY", "ours");
	fixture_expect(other, "A_KEY", "ours");
	fixture_save(other, "A_KEY", "theirs");
	fixture_expect(contract->store, "A_KEY", "theirs");
	remove_key(other, "A_KEY");
	expect_none(contract->store, "A_KEY");
}

static void test_environment_wins(const Contract *contract)
{
	const char *source = NULL;
	g_autoptr(GError) error = NULL;

	fixture_save(contract->store, "CONTRACT_KEY", "stored");
	g_assert_true(g_setenv("CONTRACT_KEY", "from outside", TRUE));
	g_autoptr(GBytes) secret =
		keystore_lookup(contract->store, "CONTRACT_KEY", &source, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(secret_text(secret), ==, "from outside");
	g_assert_cmpstr(source, ==, "environment");
	g_assert_true(g_setenv("CONTRACT_KEY", "", TRUE));
	fixture_expect(contract->store, "CONTRACT_KEY", "stored");
	g_unsetenv("CONTRACT_KEY");
	remove_key(contract->store, "CONTRACT_KEY");
}

static GBytes *derive(Keystore *store, const char *purpose)
{
	g_autoptr(GError) error = NULL;
	GBytes *key = keystore_derive(store, purpose, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(key), ==, 32);
	return key;
}

static void test_derive(const Contract *contract)
{
	g_autoptr(Keystore) other = open_profile(contract, "work");
	GError *error = NULL;

	fixture_save(contract->store, "A_KEY", "one");
	g_autoptr(GBytes) first = derive(contract->store, "test");
	g_autoptr(GBytes) again = derive(other, "test");
	g_autoptr(GBytes) different = derive(contract->store, "tesu");
	g_assert_true(g_bytes_equal(first, again));
	g_assert_false(g_bytes_equal(first, different));
	expect_names(contract->store, "A_KEY");

	g_assert_false(keystore_delete_empty(contract->store, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	fixture_expect(contract->store, "A_KEY", "one");
	remove_key(contract->store, "A_KEY");
	g_assert_true(keystore_delete_empty(contract->store, &error));
	g_assert_no_error(error);
	g_assert_false(keystore_exists(contract->store));
	g_assert_null(keystore_derive(contract->store, "test", &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	expect_names(contract->store, "");

	fixture_save(contract->store, "A_KEY", "one");
	g_autoptr(GBytes) fresh = derive(contract->store, "test");
	g_assert_false(g_bytes_equal(first, fresh));
	remove_key(contract->store, "A_KEY");
}

/* clang-format off */
static const struct {
	const char *name;
	Test run;
} test_table[] = {
	{ "values",             test_values },
	{ "refused",            test_refused },
	{ "replace",            test_replace },
	{ "remove-one-of-many", test_remove_one_of_many },
	{ "profiles",           test_profiles },
	{ "notes",              test_notes },
	{ "many-at-once",       test_many_at_once },
	{ "another-process",    test_another_process },
	{ "environment-wins",   test_environment_wins },
	{ "derive",             test_derive },
};
/* clang-format on */

/** What g_test calls. */
typedef struct {
	const Contract *contract;
	Test run;
} Case;

static void run_case(gconstpointer data)
{
	const Case *one = data;

	one->run(one->contract);
}

int main(int argc, char **argv)
{
	Fixture fixture = { 0 };

	secret_init();
	if (keystore_is_helper(argc, argv))
		return keystore_helper_main();
	g_test_init(&argc, &argv, NULL);
	fixture_set_up(&fixture, NULL);
	g_autofree char *passphrase = g_build_filename(fixture.directory, "passphrase", NULL);
	g_autofree char *second = g_strconcat(fixture.path, "-2", NULL);
	g_autofree char *third = g_strconcat(fixture.path, "-3", NULL);
	fixture_put(passphrase, "correct horse battery", 21);

	Contract contracts[] = {
		{ "file-key", { .path = fixture.path, .key_file = fixture.key_file }, NULL },
		{ "file-passphrase", { .path = second, .passphrase_file = passphrase }, NULL },
		{ "secret-service", { .path = third, .back_end = "secret-service" }, NULL },
	};
	g_autofree Case *cases = g_new0(Case, G_N_ELEMENTS(contracts) * G_N_ELEMENTS(test_table));
	Session session = session_start(fixture.directory);

	for (gsize i = 0; i < G_N_ELEMENTS(contracts); i++) {
		contracts[i].options.passphrase_fd = -1;
		contracts[i].store = keystore_open(&contracts[i].options);
		for (gsize j = 0; j < G_N_ELEMENTS(test_table); j++) {
			Case *one = &cases[i * G_N_ELEMENTS(test_table) + j];
			g_autofree char *name = g_strdup_printf(
				"/contract/%s/%s", contracts[i].place, test_table[j].name);

			*one = (Case){ &contracts[i], test_table[j].run };
			g_test_add_data_func(name, one, run_case);
		}
	}
	int status = g_test_run();
	for (gsize i = 0; i < G_N_ELEMENTS(contracts); i++)
		keystore_free(contracts[i].store);
	stop(session.keyring);
	stop(session.bus);
	fixture_tear_down(&fixture, NULL);
	return status;
}
