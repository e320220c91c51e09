/* tests/test_installer_secret_files.c - keys in files: in memory only, for one project, and gone
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/secret.h"
#include "installer/secret_files.h"
#include "tests/installer_fixture.h"

#define CANARY "canary-0123456789abcdef"

/* A directory in memory, and one in it for a project. */
typedef struct {
	char *place;
	char *directory;
	GPtrArray *changed;
} Memory;

static void memory_up(Memory *memory, gconstpointer data G_GNUC_UNUSED)
{
	memory->place = g_strdup("/dev/shm/slipway-test-XXXXXX");
	g_assert_nonnull(g_mkdtemp(memory->place));
	memory->directory = g_build_filename(memory->place, "slipway", "secrets", "demo", NULL);
	memory->changed = g_ptr_array_new_with_free_func(g_free);
}

static void memory_down(Memory *memory, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(tree_remove(memory->place, NULL));
	g_ptr_array_unref(memory->changed);
	g_free(memory->directory);
	g_free(memory->place);
}

static bool write_texts(Memory *memory, const char *a, const char *b, GError **error)
{
	static const char *const names[] = { "A", "B", NULL };
	g_autoptr(GBytes) first = a ? secret_new(a, strlen(a)) : NULL;
	g_autoptr(GBytes) second = b ? secret_new(b, strlen(b)) : NULL;
	GBytes *const secrets[] = { first, second };

	g_ptr_array_set_size(memory->changed, 0);
	return secret_files_write(memory->directory, names, secrets, memory->changed, error);
}

static struct stat stat_of(const Memory *memory, const char *name)
{
	g_autofree char *path = g_build_filename(memory->directory, name, NULL);
	struct stat st = { 0 };

	if (lstat(path, &st) != 0)
		st.st_mode = 0;
	return st;
}

static void assert_changed(const Memory *memory, const char *expected)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < memory->changed->len; i++)
		g_string_append(names, memory->changed->pdata[i]);
	g_assert_cmpstr(names->str, ==, expected);
}

static void test_files(Memory *memory, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	mode_t before = umask(0);

	g_assert_true(write_texts(memory, CANARY, "two\nlines\n", &error));
	umask(before);
	g_assert_no_error(error);
	assert_changed(memory, "AB");
	g_assert_cmpuint(stat_of(memory, "A").st_mode, ==, S_IFREG | 0444);
	g_assert_cmpuint(stat_of(memory, ".").st_mode, ==, S_IFDIR | 0700);
	g_assert_cmpuint(stat_of(memory, "..").st_mode, ==, S_IFDIR | 0700);
	g_assert_cmpuint(stat_of(memory, "../..").st_mode, ==, S_IFDIR | 0700);

	/* What a container has mounted stays the same file while its value does. */
	ino_t a = stat_of(memory, "A").st_ino;
	ino_t b = stat_of(memory, "B").st_ino;
	g_assert_true(write_texts(memory, CANARY, "two\nlines\n", &error));
	assert_changed(memory, "");
	g_assert_cmpuint(stat_of(memory, "A").st_ino, ==, a);
	g_assert_cmpuint(stat_of(memory, "B").st_ino, ==, b);

	g_assert_true(write_texts(memory, CANARY, "two\nlines", &error));
	assert_changed(memory, "B");
	g_assert_cmpint(stat_of(memory, "B").st_size, ==, (goffset)strlen("two\nlines"));
	g_assert_true(write_texts(memory, CANARY, NULL, &error));
	assert_changed(memory, "B");
	g_assert_cmpuint(stat_of(memory, "B").st_mode, ==, 0);
	g_assert_no_error(error);
}

static void test_files_go(Memory *memory, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *temp = g_build_filename(memory->directory, ".A.0badcafe.tmp", NULL);
	g_autofree char *ours = g_build_filename(memory->place, "slipway", NULL);
	g_autofree char *other = g_build_filename(ours, "secrets", "other", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(secret_files_remove(memory->directory, &error));
	g_assert_true(write_texts(memory, "a", "b", &error));
	put_path(temp, CANARY, 0600); /* what a killed writer leaves */
	g_assert_true(write_texts(memory, "a", "b", &error));
	g_assert_false(file_exists(temp));

	put_path(temp, CANARY, 0600);
	g_assert_cmpint(g_mkdir(other, 0700), ==, 0);
	g_assert_true(secret_files_remove(memory->directory, &error));
	g_assert_false(file_exists(memory->directory));
	g_assert_true(file_exists(other));
	g_assert_cmpint(g_rmdir(other), ==, 0);
	g_assert_true(write_texts(memory, "a", "b", &error));
	g_assert_true(secret_files_remove(memory->directory, &error));
	g_assert_true(secret_files_remove(memory->directory, &error));
	g_assert_false(file_exists(ours));
	g_assert_no_error(error);
}

/* Whoever else could read or place a key there. */
static void test_files_refuse(Memory *memory, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *ours = g_build_filename(memory->place, "slipway", NULL);
	g_autofree char *elsewhere = g_build_filename(memory->place, "elsewhere", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir(ours, 0700), ==, 0);
	g_assert_cmpint(chmod(ours, 0750), ==, 0);
	g_assert_false(write_texts(memory, CANARY, NULL, &error));
	g_assert_error(error, FAULT, STATUS_DENIED);
	g_clear_error(&error);

	g_assert_cmpint(g_rmdir(ours), ==, 0);
	g_assert_cmpint(g_mkdir(elsewhere, 0700), ==, 0);
	g_assert_cmpint(symlink(elsewhere, ours), ==, 0);
	g_assert_false(write_texts(memory, CANARY, NULL, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_cmpint(g_rmdir(elsewhere), ==, 0); /* nothing was put into it */
	g_assert_cmpint(unlink(ours), ==, 0);
}

static void test_files_not_on_a_disk(void)
{
	char place[] = "/var/tmp/slipway-test-XXXXXX";
	g_assert_nonnull(g_mkdtemp(place));
	Memory memory = { .directory = g_build_filename(place, "slipway", "secrets", "demo", NULL),
		          .changed = g_ptr_array_new_with_free_func(g_free) };
	g_autoptr(GError) error = NULL;

	g_assert_false(write_texts(&memory, CANARY, NULL, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_cmpuint(stat_of(&memory, "A").st_mode, ==, 0);
	g_assert_true(tree_remove(place, NULL));
	g_ptr_array_unref(memory.changed);
	g_free(memory.directory);
}

static void test_directories(void)
{
	static const char *const bad_projects[] = { "", ".", "..", "a/b", "A", "-a", "../x", NULL };
	static const char *const bad_paths[] = { "/etc",
		                                 "/home/slipway/secrets",
		                                 "/run/slipway/secrets/..",
		                                 "/run/other/secrets/demo",
		                                 "/run/slipway/files/demo",
		                                 "run/slipway/secrets/demo",
		                                 NULL };

	for (const char *const *project = bad_projects; *project; project++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(secret_files_directory(*project, &error));
		g_assert_error(error, FAULT, STATUS_CONFIG);
	}
	for (const char *const *path = bad_paths; *path; path++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(secret_files_remove(*path, &error));
		g_assert_error(error, FAULT, STATUS_FOREIGN);
	}
	g_autoptr(GError) error = NULL;
	g_autofree char *directory = secret_files_directory("demo", &error);
	g_assert_no_error(error);
	g_assert_true(g_str_has_suffix(directory, "/secrets/demo"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/secret-files", Memory, NULL, memory_up, test_files, memory_down);
	g_test_add("/secret-files/go", Memory, NULL, memory_up, test_files_go, memory_down);
	g_test_add("/secret-files/refuse", Memory, NULL, memory_up, test_files_refuse, memory_down);
	g_test_add_func("/secret-files/not-on-a-disk", test_files_not_on_a_disk);
	g_test_add_func("/secret-files/directories", test_directories);
	return g_test_run();
}
