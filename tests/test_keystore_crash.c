/* tests/test_keystore_crash.c - several writers, killed writers, a full disk
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/lock.h"
#include "tests/keystore_fixture.h"

enum { WRITERS = 8, SAVES = 25, KILLS = 200, PATIENCE = 20 };

static guint count_leftovers(const Fixture *fixture)
{
	g_autoptr(GDir) listing = g_dir_open(fixture->directory, 0, NULL);
	const char *name = NULL;
	guint count = 0;

	while ((name = g_dir_read_name(listing)))
		count += g_str_has_suffix(name, ".tmp") ? 1 : 0;
	return count;
}

/* Among eight that write without a pause one may wait longer than the store does: it tries again. */
static bool save(const Fixture *fixture, const char *name, const char *value)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new(value, strlen(value));
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < PATIENCE; i++) {
		g_clear_error(&error);
		if (keystore_save(store, name, secret, &error))
			return true;
		if (!g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_TIMEOUT))
			break;
	}
	g_printerr("# %s\n", error->message);
	return false;
}

static void write_many(const Fixture *fixture, guint writer)
{
	for (guint i = 0; i < SAVES; i++) {
		g_autofree char *name = g_strdup_printf("W%u.%u", writer, i);

		if (!save(fixture, name, "some-value"))
			_exit(1);
	}
	_exit(0);
}

static void expect_exit(pid_t child, int expected)
{
	int status = 0;

	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, expected);
}

static void test_writers(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	pid_t children[WRITERS];
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GError) error = NULL;
	gint64 start_us = g_get_monotonic_time();

	for (guint i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			write_many(fixture, i);
	}
	for (guint i = 0; i < WRITERS; i++)
		expect_exit(children[i], 0);

	g_autoptr(GPtrArray) entries = keystore_list(store, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(entries->len, ==, WRITERS * SAVES);
	g_autofree char *peek = keystore_peek(store);
	g_assert_true(g_str_has_suffix(peek, ":200"));
	g_test_message("%d saves by %d writers in %" G_GINT64_FORMAT " ms", WRITERS * SAVES,
	               WRITERS, (g_get_monotonic_time() - start_us) / 1000);
}

static void save_for_ever(const Fixture *fixture)
{
	for (guint i = 0;; i++) {
		g_autofree char *value = g_strdup_printf("value-%u", i);

		if (!save(fixture, "CHANGING", value))
			_exit(1);
	}
}

/* Kills at moments spread over two saves and a bit. */
static void test_kills(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	guint left = 0;
	gint64 start_us = g_get_monotonic_time();

	g_assert_true(save(fixture, "STEADY", "steady-value"));
	g_assert_true(save(fixture, "CHANGING", "value-first"));
	gint64 save_us = MAX((g_get_monotonic_time() - start_us) / 2, 1000);
	for (guint i = 0; i < KILLS; i++) {
		g_autoptr(Keystore) store = fixture_open(fixture);
		g_autoptr(GError) error = NULL;
		pid_t child = fork();

		if (child == 0)
			save_for_ever(fixture);
		g_usleep((gulong)(save_us * 5 / 2 * i / KILLS));
		g_assert_cmpint(kill(child, SIGKILL), ==, 0);
		g_assert_cmpint(waitpid(child, NULL, 0), ==, child);

		fixture_expect(store, "STEADY", "steady-value");
		g_autoptr(GBytes) secret = keystore_lookup(store, "CHANGING", NULL, &error);
		g_assert_no_error(error);
		g_assert_true(g_str_has_prefix(secret_text(secret), "value-"));
		left += count_leftovers(fixture);
	}
	g_assert_true(save(fixture, "CHANGING", "last-value"));
	g_assert_cmpuint(count_leftovers(fixture), ==, 0);
	g_test_message("%d kills, %u leftovers seen on the way, none at the end", KILLS, left);
}

static void test_sweeps_its_own_only(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *ours =
		g_build_filename(fixture->directory, ".keystore.0badf00d.tmp", NULL);
	g_autofree char *backup =
		g_build_filename(fixture->directory, ".keystore.bak.0badf00d.tmp", NULL);
	g_autofree char *other = g_build_filename(fixture->directory, ".other.0badf00d.tmp", NULL);

	fixture_put(ours, "x", 1);
	fixture_put(backup, "x", 1);
	fixture_put(other, "x", 1);
	g_assert_true(save(fixture, "KEY", "some-value"));
	g_assert_cmpuint(count_leftovers(fixture), ==, 1);
	g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
}

/* The disk is full after 500 bytes: the write fails, or the signal kills the writer. */
static void save_with_limit(const Fixture *fixture, bool is_ignored)
{
	const struct rlimit limit = { 500, 500 };
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new("new-value", 9);
	g_autoptr(GError) error = NULL;

	(void)signal(SIGXFSZ, is_ignored ? SIG_IGN : SIG_DFL);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(3);
	if (keystore_save(store, "KEY", secret, &error))
		_exit(2);
	_exit(error->domain == FAULT && count_leftovers(fixture) == 0 ? 0 : 1);
}

static void test_full_disk(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	int status = 0;

	g_assert_true(save(fixture, "KEY", "old-value"));
	pid_t child = fork();
	if (child == 0)
		save_with_limit(fixture, true);
	expect_exit(child, 0);
	fixture_expect(store, "KEY", "old-value");

	child = fork();
	if (child == 0)
		save_with_limit(fixture, false);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
	fixture_expect(store, "KEY", "old-value");
	g_assert_true(save(fixture, "KEY", "new-value"));
	g_assert_cmpuint(count_leftovers(fixture), ==, 0);
}

/* Readers need no lock; a writer gives up after five seconds. */
static void test_lock_is_held(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *lock_path = g_strconcat(fixture->path, ".lock", NULL);
	g_autoptr(Keystore) store = fixture_open(fixture);
	g_autoptr(GBytes) secret = secret_new("new-value", 9);
	g_autoptr(GError) error = NULL;

	fixture_save(store, "KEY", "old-value");
	g_autoptr(Lock) lock = lock_take(lock_path, "a test", 0, &error);
	g_assert_no_error(error);
	g_assert_nonnull(lock);
	gint64 start_us = g_get_monotonic_time();
	g_assert_false(keystore_save(store, "KEY", secret, &error));
	g_assert_error(error, KEYSTORE_ERROR, KEYSTORE_ERROR_TIMEOUT);
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, 8 * G_USEC_PER_SEC);
	fixture_expect(store, "KEY", "old-value");
}

int main(int argc, char **argv)
{
	secret_init();
	cancel_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/crash/writers", test_writers);
	FIXTURE_TEST("/keystore/crash/kills", test_kills);
	FIXTURE_TEST("/keystore/crash/sweeps", test_sweeps_its_own_only);
	FIXTURE_TEST("/keystore/crash/full-disk", test_full_disk);
	FIXTURE_TEST("/keystore/crash/lock-is-held", test_lock_is_held);
	return g_test_run();
}
