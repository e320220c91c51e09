/* tests/test_base_tree.c - base/tree and base/lock on a throw-away directory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <sys/wait.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/lock.h"
#include "tests/base_fixture.h"

#define DIGEST_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void make_sample_tree(const Fixture *fixture)
{
	put(fixture, "tree/a", "abc", 0644);
	put(fixture, "tree/sub/run", "abc", 0755);
	put(fixture, "tree/sub/deep/b", "", 0600);
	put(fixture, "tree/sub/__pycache__/a.cpython-311.pyc", "x", 0644);
	put(fixture, "tree/old.pyc", "x", 0644);
	put(fixture, "outside/kept", "x", 0644);
	put_link(fixture, "tree/link", "../outside");
	put_link(fixture, "tree/dangling", "/nowhere");
}

static void test_tree_list(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *key;
		const char *value;
	} rows[] = {
		{ "a", "f 0644 3 " DIGEST_OF_ABC },
		{ "sub", "d" },
		{ "sub/run", "f 0755 3 " DIGEST_OF_ABC },
		{ "sub/deep", "d" },
		{ "link", "l ../outside" },
		{ "dangling", "l /nowhere" },
		{ "sub/caf\\351", "l \\377" }, /* no UTF-8 */
	};
	g_autofree char *path = in(fixture, "tree");
	g_autoptr(GError) error = NULL;

	(void)data;
	make_sample_tree(fixture);
	put_link(fixture, "tree/sub/caf\xe9", "\xff");
	g_autoptr(json_t) listing = tree_list(path, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(json_object_size(listing), ==, G_N_ELEMENTS(rows) + 1);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpstr(json_string_value(json_object_get(listing, rows[i].key)), ==,
		                rows[i].value);
}

static void test_tree_list_refuses(Fixture *fixture, gconstpointer data)
{
	static const char *const names[] = { "absent", "tree/link", "tree/a" };

	(void)data;
	make_sample_tree(fixture);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = in(fixture, names[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(tree_list(path, &error));
		g_assert_nonnull(error);
		g_assert_false(tree_sync("/no-such-directory", NULL));
	}
}

static void test_tree_remove(Fixture *fixture, gconstpointer data)
{
	static const char *const locked[] = { "tree/sub/deep", "tree/sub", "tree" };
	g_autofree char *path = in(fixture, "tree");
	g_autofree char *link = in(fixture, "link");
	g_autofree char *fifo = in(fixture, "tree/fifo");
	g_autofree char *below = in(fixture, "tree/a/absent"); /* tree/a is a file */
	g_autoptr(GError) error = NULL;

	(void)data;
	make_sample_tree(fixture);
	put_link(fixture, "link", "outside");
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(locked); i++) {
		g_autofree char *directory = in(fixture, locked[i]);
		g_assert_cmpint(chmod(directory, i == 0 ? 0000 : 0555), ==, 0);
	}

	g_assert_true(tree_remove(below, &error));
	g_assert_true(tree_remove(path, &error));
	g_assert_true(tree_remove(path, &error));
	g_assert_true(tree_remove(link, &error)); /* the link, not what it names */
	g_assert_no_error(error);
	g_assert_false(file_exists(path));
	g_assert_false(file_exists(link));
	g_assert_true(is_there(fixture, "outside/kept"));
	g_assert_cmpuint(count_entries(fixture->path), ==, 1);
}

static void test_tree_remove_refuses_root(void)
{
	static const char *const paths[] = { "/", "//", "/usr/.." };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(tree_remove(paths[i], &error));
		g_assert_error(error, FAULT, STATUS_DENIED);
	}
}

static bool has_path(GPtrArray *paths, const char *path)
{
	return g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL);
}

static void test_tree_remove_listed_keeps_edits(Fixture *fixture, gconstpointer data)
{
	static const char *const kept_names[] = { "tree/a", "tree/sub/added", "tree/sub/deep/b",
		                                  "tree/dangling", "tree/new/mine" };
	g_autofree char *path = in(fixture, "tree");
	g_autofree char *mode_changed = in(fixture, "tree/sub/deep/b");
	g_autofree char *link_changed = in(fixture, "tree/dangling");
	g_autofree char *empty = in(fixture, "tree/new/empty/e");
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;

	(void)data;
	make_sample_tree(fixture);
	g_autoptr(json_t) listing = tree_list(path, &error);
	g_assert_nonnull(listing);

	put(fixture, "tree/a", "abd", 0644);
	put(fixture, "tree/sub/added", "x", 0644);
	put(fixture, "tree/new/mine", "x", 0644);
	g_assert_true(file_make_dirs(empty, 0755, NULL, &error));
	g_assert_cmpint(chmod(mode_changed, 0640), ==, 0);
	g_assert_cmpint(unlink(link_changed), ==, 0);
	put_link(fixture, "tree/dangling", "/elsewhere");

	g_assert_true(tree_remove_listed(path, listing, kept, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(kept->len, ==, G_N_ELEMENTS(kept_names));
	for (gsize i = 0; i < G_N_ELEMENTS(kept_names); i++) {
		g_autofree char *name = in(fixture, kept_names[i]);
		g_assert_true(file_exists(name));
		g_assert_true(has_path(kept, name));
	}
	g_assert_false(is_there(fixture, "tree/link"));
	g_assert_false(is_there(fixture, "tree/old.pyc"));
	g_assert_false(is_there(fixture, "tree/sub/run"));
	g_assert_false(is_there(fixture, "tree/sub/__pycache__"));
	g_assert_false(is_there(fixture, "tree/new/empty"));
	g_assert_true(is_there(fixture, "outside/kept"));
}

static void test_tree_remove_listed_whole(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "tree");
	g_autofree char *sub = in(fixture, "tree/sub");
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;

	(void)data;
	make_sample_tree(fixture);
	g_assert_true(tree_sync(path, &error));
	g_autoptr(json_t) listing = tree_list(path, &error);
	g_assert_no_error(error);
	g_assert_cmpint(chmod(sub, 0555), ==, 0);

	g_assert_true(tree_remove_listed(path, listing, kept, &error));
	g_assert_true(tree_remove_listed(path, listing, kept, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(kept->len, ==, 0);
	g_assert_false(file_exists(path));

	/* What stands in the place of our directory is not ours. */
	put_link(fixture, "tree", "outside");
	g_assert_true(tree_remove_listed(path, listing, kept, &error));
	g_assert_true(has_path(kept, path));
	g_assert_true(is_there(fixture, "outside/kept"));
}

static void test_lock_names_its_holder(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "lock");
	g_autofree char *expected = g_strdup_printf(
		"%s is locked by pid %d (slipway install localagent)", path, (int)getpid());
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) busy = NULL;
	g_autoptr(GError) late = NULL;
	gint64 start_us = g_get_monotonic_time();

	(void)data;
	Lock *lock = lock_take(path, "slipway install localagent", 0, &error);
	g_assert_no_error(error);
	g_assert_null(lock_take(path, "slipway up", 0, &busy));
	g_assert_error(busy, FAULT, STATUS_BUSY);
	g_autofree char *message = fault_message(busy);
	g_assert_cmpstr(message, ==, expected);
	g_assert_nonnull(fault_hint(busy));
	g_assert_null(lock_take(path, "slipway up", 250, &late));
	g_assert_error(late, FAULT, STATUS_BUSY);
	g_assert_cmpint(g_get_monotonic_time() - start_us, >=, 250000);

	lock_free(lock);
	lock_free(NULL);
	g_autoptr(Lock) again = lock_take(path, "slipway up", 0, &error);
	g_assert_nonnull(again);
	g_assert_true(file_exists(path));
}

static gpointer free_soon(gpointer data)
{
	g_usleep(150000);
	lock_free(data);
	return NULL;
}

static void test_lock_waits(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "lock");
	g_autoptr(GError) error = NULL;

	(void)data;
	Lock *lock = lock_take(path, "first", 0, &error);
	g_assert_no_error(error);
	GThread *thread = g_thread_new("free", free_soon, lock);
	g_autoptr(Lock) second = lock_take(path, "second", 10000, &error);
	g_assert_nonnull(second);
	(void)g_thread_join(thread);
}

/* In a child, whose signals are its own. */
static void test_lock_waiting_is_cancelled(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "lock");
	g_autoptr(Lock) lock = lock_take(path, "first", 0, NULL);
	gint64 start_us = g_get_monotonic_time();
	int status = 0;
	pid_t child = fork();

	(void)data;
	g_assert_nonnull(lock);
	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		g_autoptr(GError) error = NULL;
		cancel_init();
		(void)raise(SIGINT);
		Lock *second = lock_take(path, "second", 60000, &error);
		_exit(second ? 1 : (int)fault_status(error));
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(WEXITSTATUS(status), ==, STATUS_INTERRUPTED);
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, 10000000);
}

static void test_lock_dies_with_its_holder(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "lock");
	g_autoptr(GError) error = NULL;
	int ready[2] = { -1, -1 };
	char byte = 0;

	(void)data;
	g_assert_cmpint(pipe(ready), ==, 0);
	pid_t child = fork();
	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		Lock *lock = lock_take(path, "child", 0, NULL);
		(void)!write(ready[1], lock ? "y" : "n", 1);
		(void)pause();
		_exit(0);
	}
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	g_assert_cmpint(byte, ==, 'y');
	g_assert_cmpint(kill(child, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
	(void)close(ready[0]);
	(void)close(ready[1]);

	g_autoptr(Lock) lock = lock_take(path, "parent", 0, &error);
	g_assert_no_error(error);
	g_assert_nonnull(lock);
}

static void test_lock_refuses(Fixture *fixture, gconstpointer data)
{
	static const char *const names[] = { "absent/lock", "link", "directory", "fifo" };
	g_autofree char *directory = in(fixture, "directory");
	g_autofree char *fifo = in(fixture, "fifo");

	(void)data;
	put(fixture, "file", "x", 0644);
	put_link(fixture, "link", "file");
	g_assert_cmpint(mkdir(directory, 0755), ==, 0);
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = in(fixture, names[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(lock_take(path, "test", 0, &error));
		g_assert_nonnull(error);
		g_assert_true(error->domain == FAULT);
	}
	g_autofree char *file = in(fixture, "file");
	assert_content(file, "x");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/base/tree/list", test_tree_list);
	add("/base/tree/list-refuses", test_tree_list_refuses);
	add("/base/tree/remove", test_tree_remove);
	g_test_add_func("/base/tree/remove-refuses-root", test_tree_remove_refuses_root);
	add("/base/tree/remove-listed-keeps-edits", test_tree_remove_listed_keeps_edits);
	add("/base/tree/remove-listed-whole", test_tree_remove_listed_whole);
	add("/base/lock/holder", test_lock_names_its_holder);
	add("/base/lock/waits", test_lock_waits);
	add("/base/lock/cancelled", test_lock_waiting_is_cancelled);
	add("/base/lock/dies-with-its-holder", test_lock_dies_with_its_holder);
	add("/base/lock/refuses", test_lock_refuses);
	return g_test_run();
}
