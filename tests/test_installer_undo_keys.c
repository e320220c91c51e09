/* tests/test_installer_undo_keys.c - taking back keys and stores: ours only, where they were put
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/installer_fixture.h"

static void test_keys(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	Keystore *store = fixture->host.keystore;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) secret = g_bytes_new_static("secret-value", 12);
	g_autoptr(json_t) recipe = json_array();
	g_autofree char *directory = g_path_get_dirname(fixture->keystore_path);

	recipe_add(recipe, "rmdir_if_empty", "path", directory, NULL);
	recipe_add(recipe, "keystore_delete", "path", fixture->keystore_path, "key_file",
	           fixture->key_file, NULL);
	recipe_add(recipe, "key_delete", "name", "OURS", NULL);

	undo_twice(fixture, recipe, NULL); /* nothing was made yet */
	g_assert_true(file_make_dirs(directory, 0700, NULL, &error));
	g_assert_true(keystore_make_key_file(fixture->key_file, &error));
	undo_twice(fixture, recipe, NULL); /* killed before the store */
	g_assert_false(file_exists(fixture->key_file));

	g_assert_true(file_make_dirs(directory, 0700, NULL, &error));
	g_assert_true(keystore_make_key_file(fixture->key_file, &error));
	g_assert_true(keystore_save(store, "OURS", secret, &error));
	g_assert_true(keystore_save(store, "THEIRS", secret, &error));
	undo_twice(fixture, recipe, "is not empty"); /* another key keeps the store */
	g_assert_true(file_exists(fixture->keystore_path));

	g_assert_true(keystore_remove(store, "THEIRS", &error));
	undo_twice(fixture, recipe, NULL);
	g_assert_no_error(error);
	g_assert_false(file_exists(directory));
}

/* What was put into the desktop's keyring is looked for there, not in the file. */
static void test_key_places(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *place;
		int status; /* 0: done */
		bool is_left;
	} cases[] = {
		{ "secret-service", KEYSTORE_ERROR_UNAVAILABLE, true },
		{ "nowhere", STATUS_CONFIG, true },
		{ "file", 0, false },
	};
	Keystore *store = fixture->host.keystore;
	g_autofree char *directory = g_path_get_dirname(fixture->keystore_path);
	g_autoptr(GBytes) secret = g_bytes_new_static("secret-value", 12);

	g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
	g_unsetenv("XDG_RUNTIME_DIR");
	g_assert_true(file_make_dirs(directory, 0700, NULL, NULL));
	g_assert_true(keystore_make_key_file(fixture->key_file, NULL));
	g_assert_true(keystore_save(store, "OURS", secret, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_t) recipe = json_array();
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) entries = NULL;

		recipe_add(recipe, "key_delete", "name", "OURS", "backend", cases[i].place, NULL);
		g_assert_true(try_undo(fixture, recipe, &error) == (cases[i].status == 0));
		g_assert_true(!error || error->code == cases[i].status);
		entries = keystore_list(store, NULL);
		g_assert_cmpuint(entries->len, ==, cases[i].is_left ? 1 : 0);
	}
}

/* A key of another profile with the same name is somebody else's; a key in one keeps the store. */
static void test_key_profiles(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) secret = g_bytes_new_static("secret-value", 12);
	g_autoptr(json_t) recipe = json_array();
	g_autofree char *directory = g_path_get_dirname(fixture->keystore_path);

	g_assert_true(file_make_dirs(directory, 0700, NULL, &error));
	g_assert_true(keystore_make_key_file(fixture->key_file, &error));
	Keystore *theirs = keystore_in(fixture->host.keystore, "file", NULL, &error);
	Keystore *ours = keystore_in(fixture->host.keystore, "file", "work", &error);
	g_assert_true(keystore_save(theirs, "SAME", secret, &error));
	g_assert_true(keystore_save(ours, "SAME", secret, &error));

	recipe_add(recipe, "keystore_delete", "path", fixture->keystore_path, "key_file",
	           fixture->key_file, NULL);
	recipe_add(recipe, "key_delete", "name", "SAME", "backend", "file", "profile", "work",
	           NULL);
	g_assert_true(try_undo(fixture, recipe, &error));
	g_assert_no_error(error);
	g_autoptr(GPtrArray) kept = keystore_list(theirs, &error);
	g_autoptr(GPtrArray) gone = keystore_list(ours, &error);
	g_assert_cmpuint(kept->len, ==, 1);
	g_assert_cmpuint(gone->len, ==, 0);
	g_assert_true(file_exists(fixture->keystore_path));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/undo/keys", test_keys);
	add("/undo/key-places", test_key_places);
	add("/undo/key-profiles", test_key_profiles);
	return g_test_run();
}
