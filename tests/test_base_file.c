/* tests/test_base_file.c - base/file and base/paths on a throw-away directory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/paths.h"
#include "tests/base_fixture.h"

static void test_read(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "file");
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) too_large = NULL;
	g_autoptr(GError) proc_error = NULL;

	(void)data;
	put(fixture, "file", "12345", 0644);
	g_autoptr(GBytes) whole = file_read(path, 5, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(whole), ==, 5);

	g_assert_null(file_read(path, 4, &too_large));
	g_assert_error(too_large, FAULT, STATUS_DATA);

	/* Files of /proc say that they have no bytes. */
	if (g_file_test("/proc/self/status", G_FILE_TEST_EXISTS)) {
		g_autoptr(GBytes) status = file_read("/proc/self/status", 1 << 20, &proc_error);
		g_assert_no_error(proc_error);
		g_assert_cmpuint(g_bytes_get_size(status), >, 100);
	}
}

static void test_read_refuses(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *name;
		ExitStatus read_status;
		ExitStatus digest_status;
	} rows[] = {
		{ "absent", STATUS_CANNOT_CREATE, STATUS_CANNOT_CREATE },
		{ "file/below", STATUS_CANNOT_CREATE, STATUS_CANNOT_CREATE },
		{ "directory", STATUS_DATA, STATUS_DATA },
		{ "fifo", STATUS_DATA, STATUS_DATA },
		{ "dangling", STATUS_CANNOT_CREATE, STATUS_DATA },
		{ "loop", STATUS_CANNOT_CREATE, STATUS_DATA },
		{ "link", STATUS_OK, STATUS_DATA },
	};
	g_autofree char *directory = in(fixture, "directory");
	g_autofree char *fifo = in(fixture, "fifo");

	(void)data;
	put(fixture, "file", "x", 0644);
	put_link(fixture, "dangling", "nowhere");
	put_link(fixture, "loop", "loop");
	put_link(fixture, "link", "file");
	g_assert_cmpint(mkdir(directory, 0755), ==, 0);
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = in(fixture, rows[i].name);
		g_autoptr(GError) read_error = NULL;
		g_autoptr(GError) digest_error = NULL;
		g_autoptr(GBytes) bytes = file_read(path, 100, &read_error);

		if (rows[i].read_status == STATUS_OK)
			g_assert_no_error(read_error);
		else
			g_assert_error(read_error, FAULT, (int)rows[i].read_status);
		g_assert_true(!bytes == (rows[i].read_status != STATUS_OK));
		g_assert_null(file_digest(path, &digest_error));
		g_assert_error(digest_error, FAULT, (int)rows[i].digest_status);
	}
}

static void test_write_replaces(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "file");
	g_autofree char *outside = in(fixture, "outside");
	g_autoptr(GError) error = NULL;
	struct stat status = { 0 };

	(void)data;
	(void)umask(077);
	put(fixture, "outside", "untouched", 0600);
	put_link(fixture, "file", "outside");
	g_assert_true(file_write(path, "new", 3, 0644, &error));
	g_assert_no_error(error);
	g_assert_cmpint(lstat(path, &status), ==, 0);
	g_assert_true(S_ISREG(status.st_mode));
	g_assert_cmpuint(status.st_mode & 07777, ==, 0644);
	assert_content(path, "new");
	assert_content(outside, "untouched");

	g_assert_true(file_write(path, NULL, 0, 0400, &error));
	g_assert_true(file_write(path, "again", 5, 0400, &error));
	assert_content(path, "again");
	g_assert_cmpuint(count_entries(fixture->path), ==, 2);
}

static void test_write_longest_name(Fixture *fixture, gconstpointer data)
{
	g_autofree char *name = g_strnfill(255, 'n');
	g_autofree char *path = in(fixture, name);
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(file_write(path, "x", 1, 0600, &error));
	g_assert_no_error(error);
}

static void test_write_refuses(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *name;
		ExitStatus status;
	} rows[] = {
		{ "absent/file", STATUS_CANNOT_CREATE },
		{ "file/below", STATUS_CANNOT_CREATE },
		{ "directory", STATUS_IO },
		{ "directory/", STATUS_IO },
	};

	(void)data;
	put(fixture, "file", "x", 0644);
	put(fixture, "directory/inner", "x", 0644);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat(fixture->path, "/", rows[i].name, NULL);
		g_autoptr(GError) error = NULL;

		g_assert_false(file_write(path, "y", 1, 0644, &error));
		g_assert_error(error, FAULT, (int)rows[i].status);
	}
	g_assert_cmpuint(count_entries(fixture->path), ==, 2);
	g_assert_true(is_there(fixture, "directory/inner"));
}

/* As when the disk is full: the old file stands, no litter. */
static void test_write_out_of_space(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "file");
	g_autofree char *big = g_strnfill(100000, 'x');
	g_autoptr(GError) error = NULL;
	struct rlimit before = { 0 };

	(void)data;
	put(fixture, "file", "old", 0644);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	struct rlimit small = { 1000, before.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	bool is_written = file_write(path, big, 100000, 0644, &error);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);

	g_assert_false(is_written);
	g_assert_error(error, FAULT, STATUS_IO);
	assert_content(path, "old");
	g_assert_cmpuint(count_entries(fixture->path), ==, 1);
}

/* A reader sees the old or the new content, never a part: that is what a crash leaves too. */
static void test_write_is_atomic(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "file");
	g_autofree char *a = g_strnfill(50000, 'a');
	g_autofree char *b = g_strnfill(50000, 'b');
	int status = 0;

	(void)data;
	put(fixture, "file", a, 0644);
	pid_t writer = fork();
	g_assert_cmpint(writer, >=, 0);
	while (writer == 0) /* until it is killed */
		if (!file_write(path, b, 50000, 0644, NULL) ||
		    !file_write(path, a, 50000, 0644, NULL))
			_exit(1);

	for (int i = 0; i < 300; i++) {
		g_autoptr(GBytes) bytes = file_read(path, 60000, NULL);
		g_assert_nonnull(bytes);
		const char *text = g_bytes_get_data(bytes, NULL);
		g_assert_cmpuint(g_bytes_get_size(bytes), ==, 50000);
		g_assert_true(memcmp(text, text[0] == 'a' ? a : b, 50000) == 0);
	}
	g_assert_cmpint(kill(writer, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(writer, &status, 0), ==, writer);
	g_assert_true(WIFSIGNALED(status));
}

static void test_digest(Fixture *fixture, gconstpointer data)
{
	static const struct {
		gsize size_bytes;
		const char *digest; /* NULL: compare the two functions only */
	} rows[] = {
		{ 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ 1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" },
		{ 128 * 1024 - 1, NULL },
		{ 128 * 1024, NULL },
		{ 128 * 1024 + 1, NULL },
	};
	g_autofree char *path = in(fixture, "file");

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = g_strnfill(rows[i].size_bytes, 'x');
		g_autoptr(GBytes) bytes = g_bytes_new_static(text, rows[i].size_bytes);

		g_assert_true(file_write(path, text, rows[i].size_bytes, 0644, &error));
		g_autofree char *of_file = file_digest(path, &error);
		g_autofree char *of_bytes = file_digest_bytes(bytes);
		g_assert_no_error(error);
		g_assert_cmpstr(of_file, ==, of_bytes);
		g_assert_true(file_is_digest(of_file));
		g_assert_false(file_is_digest(of_file + 1));
		of_file[0] = 'G';
		g_assert_false(file_is_digest(of_file));
		of_file[0] = of_bytes[0];
		if (rows[i].digest)
			g_assert_cmpstr(of_file, ==, rows[i].digest);
	}
}

static void test_remove_and_rename(Fixture *fixture, gconstpointer data)
{
	g_autofree char *a = in(fixture, "a");
	g_autofree char *b = in(fixture, "sub/b");
	g_autofree char *sub = in(fixture, "sub");
	g_autofree char *below = in(fixture, "sub/b/c");
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) is_directory = NULL;
	g_autoptr(GError) absent = NULL;

	(void)data;
	put(fixture, "a", "x", 0644);
	put(fixture, "sub/other", "x", 0644);
	g_assert_true(file_rename(a, b, &error));
	g_assert_no_error(error);
	g_assert_false(file_exists(a));
	assert_content(b, "x");
	g_assert_true(file_remove(below, &error)); /* below a file there is nothing */
	g_assert_true(file_remove(b, &error));
	g_assert_true(file_remove(b, &error));
	g_assert_no_error(error);
	g_assert_false(file_exists(b));

	g_assert_false(file_remove(sub, &is_directory));
	g_assert_nonnull(is_directory);
	g_assert_false(file_rename(a, b, &absent));
	g_assert_error(absent, FAULT, STATUS_CANNOT_CREATE);
}

static void test_make_dirs(Fixture *fixture, gconstpointer data)
{
	g_autofree char *deep = in(fixture, "one//two/./three/");
	g_autofree char *below_file = in(fixture, "file/x");
	g_autofree char *in_link = in(fixture, "link/inner");
	g_autofree char *one = in(fixture, "one");
	g_autofree char *three = in(fixture, "one/two/three");
	g_autoptr(GPtrArray) created = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) not_directory = NULL;
	struct stat status = { 0 };

	(void)data;
	(void)umask(077);
	g_assert_true(file_make_dirs(deep, 0755, created, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(created->len, ==, 3);
	g_assert_cmpstr(g_ptr_array_index(created, 0), ==, one);
	g_assert_cmpstr(g_ptr_array_index(created, 2), ==, three);
	g_assert_cmpint(stat(three, &status), ==, 0);
	g_assert_cmpuint(status.st_mode & 07777, ==, 0755);

	g_assert_true(file_make_dirs(deep, 0700, created, &error));
	g_assert_cmpuint(created->len, ==, 3);

	put_link(fixture, "link", "one");
	g_assert_true(file_make_dirs(in_link, 0700, NULL, &error));
	g_assert_true(is_there(fixture, "one/inner"));

	put(fixture, "file", "x", 0644);
	g_assert_false(file_make_dirs(below_file, 0755, NULL, &not_directory));
	g_assert_error(not_directory, FAULT, STATUS_CANNOT_CREATE);
}

static void clear_xdg(void)
{
	g_unsetenv("XDG_CONFIG_HOME");
	g_unsetenv("XDG_DATA_HOME");
	g_unsetenv("XDG_STATE_HOME");
	g_unsetenv("XDG_CACHE_HOME");
}

static void test_paths_defaults(Fixture *fixture, gconstpointer data)
{
	g_autofree char *config = in(fixture, ".config/slipway");
	g_autofree char *share = in(fixture, ".local/share/slipway");
	g_autofree char *state = in(fixture, ".local/state/slipway");
	g_autofree char *cache = in(fixture, ".cache/slipway");
	g_autofree char *bin = in(fixture, ".local/bin");
	g_autofree char *home = g_strconcat("/", fixture->path, "//./", NULL);
	g_autoptr(GError) error = NULL;

	(void)data;
	clear_xdg();
	g_assert_true(g_setenv("HOME", home, TRUE));
	g_autoptr(Paths) paths = paths_new(&error);
	g_assert_no_error(error);
	g_assert_cmpstr(paths->home, ==, fixture->path);
	g_assert_cmpstr(paths->config, ==, config);
	g_assert_cmpstr(paths->data, ==, share);
	g_assert_cmpstr(paths->state, ==, state);
	g_assert_cmpstr(paths->cache, ==, cache);
	g_assert_cmpstr(paths->bin, ==, bin);
	g_assert_cmpuint(count_entries(fixture->path), ==, 0);
}

static void test_paths_honour_xdg(Fixture *fixture, gconstpointer data)
{
	g_autofree char *state = in(fixture, ".local/state/slipway");
	g_autofree char *cache = in(fixture, ".cache/slipway");
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(g_setenv("HOME", fixture->path, TRUE));
	g_assert_true(g_setenv("XDG_CONFIG_HOME", "/c/", TRUE));
	g_assert_true(g_setenv("XDG_DATA_HOME", "/d/../e", TRUE));
	g_assert_true(g_setenv("XDG_STATE_HOME", "relative/is/ignored", TRUE));
	g_assert_true(g_setenv("XDG_CACHE_HOME", "", TRUE));
	g_autoptr(Paths) paths = paths_new(&error);
	g_assert_no_error(error);
	g_assert_cmpstr(paths->config, ==, "/c/slipway");
	g_assert_cmpstr(paths->data, ==, "/e/slipway");
	g_assert_cmpstr(paths->state, ==, state);
	g_assert_cmpstr(paths->cache, ==, cache);
	clear_xdg();
}

static void test_paths_home_rules(void)
{
	const bool is_root = geteuid() == 0;
	const struct {
		const char *home;
		ExitStatus status;
	} rows[] = {
		{ "", STATUS_CONFIG },
		{ "relative", STATUS_CONFIG },
		{ "~", STATUS_CONFIG },
		{ "/", is_root ? STATUS_OK : STATUS_CONFIG },
		{ "//", is_root ? STATUS_OK : STATUS_CONFIG },
		{ "/usr", is_root ? STATUS_OK : STATUS_DENIED },
		{ "/nonexistent/home", STATUS_OK },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(g_setenv("HOME", rows[i].home, TRUE));
		g_autoptr(Paths) paths = paths_new(&error);
		if (rows[i].status == STATUS_OK)
			g_assert_no_error(error);
		else
			g_assert_error(error, FAULT, (int)rows[i].status);
		g_assert_true(!paths == (rows[i].status != STATUS_OK));
	}

	g_unsetenv("HOME"); /* then the user database knows it, or that is an error */
	g_autoptr(GError) error = NULL;
	g_autoptr(Paths) paths = paths_new(&error);
	g_assert_true(paths ? g_path_is_absolute(paths->home) : error != NULL);
	paths_free(NULL);
}

static void test_paths_expand(void)
{
	static const struct {
		const char *text;
		const char *path; /* NULL: CONFIG */
	} rows[] = {
		{ "~", "/h" },   { "~/", "/h" },    { "~/a/../b", "/h/b" }, { "/x//y/", "/x/y" },
		{ "//x", "/x" }, { "/", "/" },      { "~user/x", NULL },    { "relative", NULL },
		{ "", NULL },    { "./~/x", NULL },
	};
	char home[] = "/h";
	const Paths paths = { .home = home };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *path = paths_expand(&paths, rows[i].text, &error);

		g_assert_cmpstr(path, ==, rows[i].path);
		if (!rows[i].path)
			g_assert_error(error, FAULT, STATUS_CONFIG);
	}
}

static void test_paths_relations(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *path;
		const char *directory;
		bool is_below;
	} rows[] = {
		{ "/a/b", "/a", true },  { "/a", "/a", true },  { "/ab", "/a", false },
		{ "/a", "/a/b", false }, { "/a/b", "/", true }, { "/", "/", true },
	};
	g_autofree char *deep = in(fixture, "a/b/c");
	g_autofree char *there = paths_existing_ancestor(deep);
	g_autofree char *self = paths_existing_ancestor(fixture->path);
	g_autofree char *root = paths_existing_ancestor("/no-such-directory/x");

	(void)data;
	g_assert_cmpstr(there, ==, fixture->path);
	g_assert_cmpstr(self, ==, fixture->path);
	g_assert_cmpstr(root, ==, "/");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_true(paths_is_below(rows[i].path, rows[i].directory) == rows[i].is_below);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/base/file/read", test_read);
	add("/base/file/read-refuses", test_read_refuses);
	add("/base/file/write-replaces", test_write_replaces);
	add("/base/file/write-longest-name", test_write_longest_name);
	add("/base/file/write-refuses", test_write_refuses);
	add("/base/file/write-out-of-space", test_write_out_of_space);
	add("/base/file/write-is-atomic", test_write_is_atomic);
	add("/base/file/digest", test_digest);
	add("/base/file/remove-and-rename", test_remove_and_rename);
	add("/base/file/make-dirs", test_make_dirs);
	add("/base/paths/defaults", test_paths_defaults);
	add("/base/paths/xdg", test_paths_honour_xdg);
	g_test_add_func("/base/paths/home-rules", test_paths_home_rules);
	g_test_add_func("/base/paths/expand", test_paths_expand);
	add("/base/paths/relations", test_paths_relations);
	return g_test_run();
}
