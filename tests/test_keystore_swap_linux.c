/* tests/test_keystore_swap_linux.c - somebody exchanges the store for something else, all the time
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/keystore_fixture.h"

enum { SWAPS = 100000, SECONDS_MAX = 60 };

#define EXCHANGE 2 /* RENAME_EXCHANGE of renameat2(2) */

static void swap_often(const char *path, const char *other)
{
	for (guint i = 0; i < SWAPS; i++)
		if (syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, EXCHANGE) != 0)
			_exit(1);
	_exit(0);
}

/* Only what is in the store may ever be read, or nothing. */
static void read_while_swapped(const Fixture *fixture, const char *other, const char *what)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	gint64 start_us = g_get_monotonic_time();
	guint reads = 0;
	guint found = 0;
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		swap_often(fixture->path, other);
	while (waitpid(child, &status, WNOHANG) == 0) {
		g_autoptr(GBytes) secret = keystore_lookup(store, "ANY", NULL, NULL);

		g_assert_true(!secret || strcmp(secret_text(secret), "some-value") == 0);
		reads++;
		found += secret != NULL;
	}
	gint64 took_us = g_get_monotonic_time() - start_us;
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	g_test_message("%d swaps with %s in %" G_GINT64_FORMAT " ms: %u reads, %u of the store",
	               SWAPS, what, took_us / 1000, reads, found);
	g_assert_cmpuint(reads, >, 100);
	g_assert_cmpint(took_us, <, SECONDS_MAX * G_USEC_PER_SEC);
}

/* A store that our key opens too, so that only the guard stands between us and it. */
static char *plant(const Fixture *fixture)
{
	g_autoptr(Keystore) store = fixture_open(fixture);
	char *planted = g_strconcat(fixture->path, ".planted", NULL);

	fixture_save(store, "ANY", "planted-value");
	g_assert_cmpint(g_rename(fixture->path, planted), ==, 0);
	fixture_save(store, "ANY", "some-value");
	return planted;
}

static void test_symlink(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *planted = plant(fixture);
	g_autofree char *link = g_strconcat(fixture->path, ".link", NULL);

	g_assert_cmpint(symlink(planted, link), ==, 0);
	read_while_swapped(fixture, link, "a symlink");
}

static void test_hard_link(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *planted = plant(fixture);
	g_autofree char *name = g_strconcat(fixture->path, ".name", NULL);

	g_assert_cmpint(link(planted, name), ==, 0);
	read_while_swapped(fixture, planted, "a file of two names");
}

static void test_open_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *planted = plant(fixture);

	g_assert_cmpint(g_chmod(planted, 0666), ==, 0);
	read_while_swapped(fixture, planted, "a file for all");
}

static void test_fifo(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *fifo = g_strconcat(fixture->path, ".fifo", NULL);
	g_autoptr(Keystore) store = fixture_open(fixture);

	fixture_save(store, "ANY", "some-value");
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	read_while_swapped(fixture, fifo, "a FIFO");
}

int main(int argc, char **argv)
{
	secret_init();
	g_test_init(&argc, &argv, NULL);
	FIXTURE_TEST("/keystore/swap/symlink", test_symlink);
	FIXTURE_TEST("/keystore/swap/hard-link", test_hard_link);
	FIXTURE_TEST("/keystore/swap/open-file", test_open_file);
	FIXTURE_TEST("/keystore/swap/fifo", test_fifo);
	return g_test_run();
}
