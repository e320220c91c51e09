/* tests/test_keystore_guard.c - files and directories that others could touch are refused
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/stat.h>
#include <unistd.h>

#include "keystore/format.h"
#include "tests/keystore_fixture.h"

static void make_store(const Fixture *fixture)
{
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "ANY", "some-value");
}

/* Looking up is refused, and so is saving; the message ends with a hint that has @hint in it. */
static void expect_denied(const Fixture *fixture, const char *hint)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new("new-value", 9);
	g_autoptr(GError) error = NULL;

	fixture_expect_refusal(store, KEYSTORE_ERROR_DENIED);
	g_assert_false(keystore_save(store, "ANY", secret, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_DENIED);
	const char *line = strchr(error->message, '\n');
	g_assert_true(!hint || (line && strstr(line, hint)));
}

static void test_modes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const mode_t modes[] = { 0644, 0640, 0604, 0660, 0601, 0777 };
	g_autoptr(Keystore) store = fixture_open(fixture);

	make_store(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_assert_cmpint(g_chmod(fixture->path, modes[i]), ==, 0);
		expect_denied(fixture, "chmod 600");
	}
	g_assert_cmpint(g_chmod(fixture->path, 0400), ==, 0);
	fixture_expect(store, "ANY", "some-value");
}

static void test_owner(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	make_store(fixture);
	if (geteuid() != 0)
		return; /* only root can give a file away */

	g_assert_cmpint(chown(fixture->path, 65534, (gid_t)-1), ==, 0);
	g_setenv("SUDO_UID", "65534", true);
	expect_denied(fixture, "without sudo");
	g_unsetenv("SUDO_UID");
	expect_denied(fixture, "as the user who owns it");
}

static void test_symlink(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *real = g_strconcat(fixture->path, ".real", NULL);

	make_store(fixture);
	g_assert_cmpint(g_rename(fixture->path, real), ==, 0);
	g_assert_cmpint(symlink(real, fixture->path), ==, 0);
	expect_denied(fixture, NULL);
	g_assert_cmpint(g_unlink(real), ==, 0); /* dangling */
	expect_denied(fixture, NULL);
}

static void test_hard_link(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *other = g_strconcat(fixture->path, ".other", NULL);

	make_store(fixture);
	g_assert_cmpint(link(fixture->path, other), ==, 0);
	expect_denied(fixture, NULL);
}

static void test_not_a_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(g_mkdir(fixture->path, 0700), ==, 0);
	expect_denied(fixture, NULL);
	g_assert_cmpint(g_rmdir(fixture->path), ==, 0);
	g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
	expect_denied(fixture, NULL);
}

static void test_too_large(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);

	make_store(fixture);
	g_assert_cmpint(truncate(fixture->path, FORMAT_MAX_BYTES + 1), ==, 0);
	fixture_expect_refusal(store, KEYSTORE_ERROR_CORRUPT);
	g_assert_cmpint(truncate(fixture->path, (off_t)1 << 40), ==, 0);
	fixture_expect_refusal(store, KEYSTORE_ERROR_CORRUPT);
}

static void test_directories(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);

	make_store(fixture);
	g_assert_cmpint(g_chmod(fixture->directory, 0777), ==, 0);
	expect_denied(fixture, "chmod go-w");
	g_assert_cmpint(g_chmod(fixture->directory, 01777), ==, 0);
	fixture_expect(store, "ANY", "some-value");
	g_assert_cmpint(g_chmod(fixture->directory, 0755), ==, 0);
	fixture_expect(store, "ANY", "some-value");
}

/* The directory itself may be reached through a link of ours, not through a place of others. */
static void test_linked_directory(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *inner = g_build_filename(fixture->directory, "inner", NULL);
	g_autofree char *alias = g_build_filename(fixture->directory, "alias", NULL);
	g_autofree char *path = g_build_filename(alias, "keystore", NULL);

	g_assert_cmpint(g_mkdir(inner, 0700), ==, 0);
	g_assert_cmpint(symlink(inner, alias), ==, 0);
	g_free(fixture->path);
	fixture->path = g_steal_pointer(&path);
	make_store(fixture);
	g_assert_cmpint(g_chmod(inner, 0777), ==, 0);
	expect_denied(fixture, "inner");

	/* The link may be further up. */
	g_free(fixture->path);
	fixture->path = g_build_filename(alias, "deep", "keystore", NULL);
	g_assert_cmpint(g_chmod(inner, 0700), ==, 0);
	make_store(fixture);
	g_assert_cmpint(g_chmod(inner, 0777), ==, 0);
	expect_denied(fixture, "inner");
}

static void test_makes_its_directory(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *directory = g_build_filename(fixture->directory, "a", "b", NULL);
	GStatBuf status;

	g_free(fixture->path);
	fixture->path = g_build_filename(directory, "keystore", NULL);
	make_store(fixture);
	g_assert_cmpint(g_stat(directory, &status), ==, 0);
	g_assert_cmpuint(status.st_mode & 07777, ==, 0700);
}

int main(int argc, char **argv)
{
	secret_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/guard/modes", test_modes);
	FIXTURE_TEST("/keystore/guard/owner", test_owner);
	FIXTURE_TEST("/keystore/guard/symlink", test_symlink);
	FIXTURE_TEST("/keystore/guard/hard-link", test_hard_link);
	FIXTURE_TEST("/keystore/guard/not-a-file", test_not_a_file);
	FIXTURE_TEST("/keystore/guard/too-large", test_too_large);
	FIXTURE_TEST("/keystore/guard/directories", test_directories);
	FIXTURE_TEST("/keystore/guard/linked-directory", test_linked_directory);
	FIXTURE_TEST("/keystore/guard/makes-its-directory", test_makes_its_directory);
	return g_test_run();
}
