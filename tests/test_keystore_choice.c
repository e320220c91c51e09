/* tests/test_keystore_choice.c - which back end is taken, that it stays, and where there is no bus
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "base/file.h"
#include "keystore/choice.h"
#include "tests/keystore_fixture.h"

static Keystore *open_with(const Fixture *fixture, const char *back_end)
{
	KeystoreOptions options = {
		.back_end = back_end,
		.path = fixture->path,
		.passphrase_fd = -1,
		.key_file = fixture->key_file,
		.answer_timeout_ms = 1000,
	};

	return keystore_open(&options);
}

static void write_record(const Fixture *fixture, const char *text)
{
	g_autofree char *record = g_strconcat(fixture->path, ".backend", NULL);

	fixture_put(record, text, strlen(text));
}

static void expect_place(const Fixture *fixture, const char *back_end, const char *expected)
{
	g_autoptr(Keystore) store = open_with(fixture, back_end);
	g_autoptr(GError) error = NULL;
	const char *why = NULL;

	g_assert_cmpstr(keystore_back_end(store, &why, &error), ==, expected);
	g_assert_no_error(error);
	g_assert_cmpstr(why, !=, NULL);
}

static void test_names(void)
{
	const char *const *names = keystore_back_ends();

	g_assert_cmpuint(g_strv_length((char **)(guintptr)names), >=, 1);
	g_assert_true(g_strv_contains(names, "file"));
	g_assert_false(g_strv_contains(names, "auto"));
}

static void test_auto_without_a_bus(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	expect_place(fixture, NULL, "file");
	expect_place(fixture, "file", "file");
	expect_place(fixture, "auto", "file");
	g_autoptr(Keystore) store = open_with(fixture, "auto");
	g_assert_false(keystore_exists(store));
	g_assert_null(keystore_peek(store));

	fixture_save(store, "A_KEY", "value-of-a-key");
	g_assert_true(keystore_exists(store));
	g_assert_true(keystore_is_unattended(store));
	expect_place(fixture, "auto", "file");
	g_autofree char *record = g_strconcat(fixture->path, ".backend", NULL);
	g_assert_false(file_exists(record)); /* the file says it itself */
}

static void test_unknown(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const names[] = { "", "AUTO", "keyring", "secret_service" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(Keystore) store = open_with(fixture, names[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(keystore_back_end(store, NULL, &error));
		g_assert_error(error, FAULT, STATUS_CONFIG);
	}
}

static void expect_unavailable(GError **error)
{
	g_assert_error(*error, KEYSTORE_ERROR, KEYSTORE_ERROR_UNAVAILABLE);
	g_assert_nonnull(fault_hint(*error));
	g_clear_error(error);
}

/* Every question is answered, none with "there is no such key", and nothing is made. */
static void test_recorded_but_gone(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GBytes) secret = secret_new("value", 5);
	g_autoptr(GError) error = NULL;

	write_record(fixture, "secret-service\n");
	expect_place(fixture, "auto", "secret-service");
	g_autoptr(Keystore) store = open_with(fixture, "auto");
	g_assert_true(keystore_exists(store));
	g_assert_true(keystore_is_unattended(store));
	g_assert_null(keystore_peek(store));
	g_assert_null(keystore_lookup(store, "ANY", NULL, &error));
	expect_unavailable(&error);
	g_assert_null(keystore_list(store, &error));
	expect_unavailable(&error);
	g_assert_false(keystore_save(store, "ANY", secret, &error));
	expect_unavailable(&error);
	g_assert_false(keystore_remove(store, "ANY", &error));
	expect_unavailable(&error);
	g_assert_false(keystore_delete_empty(store, &error));
	expect_unavailable(&error);
	g_assert_false(file_exists(fixture->path));
	expect_place(fixture, "auto", "secret-service");
}

static void test_failed_first_write(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = open_with(fixture, "secret-service");
	g_autoptr(GBytes) secret = secret_new("value", 5);
	g_autoptr(GError) error = NULL;

	g_assert_false(keystore_exists(store));
	g_assert_false(keystore_save(store, "ANY", secret, &error));
	expect_unavailable(&error);
	g_assert_false(keystore_exists(store));
	expect_place(fixture, "auto", "file");
}

static void test_bad_records(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const texts[] = { "",        "\n",
		                             "file",    "file\nfile\n",
		                             "File\n",  "fi le\n",
		                             " file\n", "file\r\n",
		                             "/etc\n",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		write_record(fixture, texts[i]);
		g_autoptr(Keystore) store = open_with(fixture, "auto");
		g_assert_null(keystore_back_end(store, NULL, &error));
		g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_CORRUPT);
		g_assert_true(keystore_exists(store));
		g_assert_false(keystore_is_unattended(store));
	}
}

/* A process with another answer from the bus was faster: no key goes where nobody looks for it. */
static void test_overtaken(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = open_with(fixture, "auto");
	g_autoptr(GBytes) secret = secret_new("value", 5);
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(keystore_back_end(store, NULL, &error), ==, "file");
	write_record(fixture, "secret-service\n");
	g_assert_false(keystore_save(store, "ANY", secret, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_TIMEOUT);
	g_assert_false(file_exists(fixture->path));
}

static void test_record(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *after = NULL;
	g_autofree char *lock = g_strconcat(fixture->path, ".lock", NULL);

	g_assert_true(choice_record(fixture->path, "secret-service", &first, &error));
	g_assert_cmpstr(first, ==, "secret-service");
	g_assert_true(choice_record(fixture->path, "other", &second, &error));
	g_assert_cmpstr(second, ==, "secret-service");
	g_assert_true(choice_forget(fixture->path, "other", &error));
	expect_place(fixture, "auto", "secret-service");
	g_assert_true(choice_forget(fixture->path, "secret-service", &error));
	g_assert_true(choice_read(fixture->path, &after, &error));
	g_assert_no_error(error);
	g_assert_null(after);
	g_assert_false(file_exists(lock));
}

static void test_other_places(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = open_with(fixture, "auto");
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(keystore_back_end(store, NULL, &error), ==, "file");
	g_assert_true(keystore_in(store, "file", NULL, &error) == store);
	Keystore *other = keystore_in(store, "secret-service", NULL, &error);
	g_assert_nonnull(other);
	g_assert_true(other != store &&
	              keystore_in(store, "secret-service", NULL, &error) == other);
	g_assert_false(keystore_exists(other));
	g_assert_null(keystore_in(store, "nowhere", NULL, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

int main(int argc, char **argv)
{
	g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
	g_unsetenv("XDG_RUNTIME_DIR");
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/choice/names", test_names);
	FIXTURE_TEST("/choice/auto-without-a-bus", test_auto_without_a_bus);
	FIXTURE_TEST("/choice/unknown", test_unknown);
	FIXTURE_TEST("/choice/recorded-but-gone", test_recorded_but_gone);
	FIXTURE_TEST("/choice/failed-first-write", test_failed_first_write);
	FIXTURE_TEST("/choice/bad-records", test_bad_records);
	FIXTURE_TEST("/choice/overtaken", test_overtaken);
	FIXTURE_TEST("/choice/record", test_record);
	FIXTURE_TEST("/choice/other-places", test_other_places);
	return g_test_run();
}
