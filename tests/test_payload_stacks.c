/* tests/test_payload_stacks.c - sound archives and stacks, from wherever they come
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "payload/archive.h"
#include "payload/embedded.h"
#include "payload/stacks.h"
#include "tests/tar.h"

#define NOBODY 65534 /* uid of nobody on Linux; any user but root will do */

typedef struct {
	char *root;
	char *target;
} Place;

static void place_make(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	place->root = g_dir_make_tmp("slipway-stacks-XXXXXX", NULL);
	place->target = g_build_filename(place->root, "target", NULL);
}

static void place_clear(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	g_assert_true(tree_remove(place->root, NULL));
	g_free(place->root);
	g_free(place->target);
}

static GBytes *finish(GByteArray *tar, int (*add_filter)(struct archive *))
{
	tar_end(tar);
	if (add_filter)
		tar = tar_compress(tar, add_filter);
	return g_byte_array_free_to_bytes(tar);
}

static void assert_unpacks(const Place *place, GBytes *archive, const ArchiveLimits *limits)
{
	g_autoptr(GError) error = NULL;
	bool is_done = archive_unpack_bytes(archive, "test.tar", place->target, limits, &error);

	g_assert_no_error(error);
	g_assert_true(is_done);
}

static void assert_content(const Place *place, const char *name, const char *want)
{
	g_autofree char *path = g_build_filename(place->target, name, NULL);
	g_autofree char *content = NULL;

	g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, want);
}

static guint mode_of(const Place *place, const char *name)
{
	g_autofree char *path = g_build_filename(place->target, name, NULL);
	struct stat st = { 0 };

	g_assert_cmpint(lstat(path, &st), ==, 0);
	return st.st_mode & 07777;
}

static GByteArray *some_files(void)
{
	GByteArray *tar = g_byte_array_new();

	tar_add(tar, (TarEntry){ "./", '5', .mode = 0777 });
	tar_add(tar, (TarEntry){ "./dir/", '5', .mode = 0777 });
	tar_add(tar, (TarEntry){ "./dir/file", .content = "text", .mode = 0666 });
	tar_add(tar, (TarEntry){ "./dir/run", .content = "#!/bin/sh\n", .mode = 0711 });
	tar_add(tar, (TarEntry){ "implied/secret", .content = "x", .mode = 0400 });
	tar_add(tar, (TarEntry){ "implied/link", '1', "implied/secret" });
	tar_add(tar, (TarEntry){ "empty" });
	return tar;
}

typedef struct {
	const char *path;
	int (*add_filter)(struct archive *);
} Filter;

static const Filter filters[] = {
	{ "/good/tar", NULL },
	{ "/good/gzip", archive_write_add_filter_gzip },
	{ "/good/xz", archive_write_add_filter_xz },
	{ "/good/zstd", archive_write_add_filter_zstd },
};

static void test_filter(Place *place, gconstpointer data)
{
	const Filter *filter = data;
	g_autoptr(GBytes) archive = finish(some_files(), filter->add_filter);

	assert_unpacks(place, archive, NULL);
	assert_content(place, "dir/file", "text");
	assert_content(place, "implied/link", "x");
	assert_content(place, "empty", "");
	g_assert_cmpuint(mode_of(place, "."), ==, 0755);
	g_assert_cmpuint(mode_of(place, "dir"), ==, 0755);
	g_assert_cmpuint(mode_of(place, "implied"), ==, 0755);
	g_assert_cmpuint(mode_of(place, "dir/file"), ==, 0644);
	g_assert_cmpuint(mode_of(place, "dir/run"), ==, 0755);
	g_assert_cmpuint(mode_of(place, "implied/secret"), ==, 0644);
}

/* A megabyte that does not compress: many pieces, headers at every place in one. */
static void test_many_pieces(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	g_autoptr(GBytes) archive = NULL;

	for (int i = 0; i < 300; i++) {
		g_autofree char *name = g_strdup_printf("f%d", i);
		g_autofree char *content =
			g_strnfill((gsize)g_rand_int_range(random, 0, 9000), 'a');

		for (char *at = content; *at; at++)
			*at = (char)g_rand_int_range(random, 1, 127);
		tar_add(tar, (TarEntry){ name, .content = content });
	}
	archive = finish(tar, archive_write_add_filter_gzip);
	assert_unpacks(place, archive, NULL);
}

static void test_symlinks(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	const ArchiveLimits limits = { .has_symlinks = true };
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GBytes) archive = NULL;

	tar_add(tar, (TarEntry){ "lib/libx.so.1", .content = "elf" });
	tar_add(tar, (TarEntry){ "lib/libx.so", '2', "libx.so.1" });
	tar_add(tar, (TarEntry){ "bin/x", '2', "../lib/libx.so" });
	tar_add(tar, (TarEntry){ "bin/here", '2', ".." });
	archive = finish(tar, NULL);
	assert_unpacks(place, archive, &limits);
	assert_content(place, "bin/x", "elf");
	assert_content(place, "bin/here/bin/here/lib/libx.so", "elf");
}

static void test_only_and_strip(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	const char *const only[] = { "top/keep/", NULL };
	const ArchiveLimits limits = { .only = only, .strip_components = 1 };
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GBytes) archive = NULL;

	tar_add(tar, (TarEntry){ "top/", '5' });
	tar_add(tar, (TarEntry){ "top/drop", .content = "d" });
	tar_add(tar, (TarEntry){ "top/keep/x", .content = "x" });
	tar_add(tar, (TarEntry){ "top/keep/y", '1', "top/keep/x" });
	archive = finish(tar, NULL);
	assert_unpacks(place, archive, &limits);
	assert_content(place, "keep/y", "x");

	g_autofree char *dropped = g_build_filename(place->target, "drop", NULL);
	g_assert_false(file_exists(dropped));
}

/* A hole of one page, then "end"; old GNU form. */
static void test_sparse(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GBytes) archive = NULL;
	g_autofree char *path = g_build_filename(place->target, "sparse", NULL);
	struct stat st = { 0 };

	tar_add(tar, (TarEntry){ "sparse", 'S', .content = "end" });
	memcpy(tar->data + 257, "ustar  ", 8);
	memcpy(tar->data + 386, "00000010000\00000000000003", 24);
	memcpy(tar->data + 483, "00000020000", 12);
	tar_seal(tar->data);
	archive = finish(tar, NULL);
	assert_unpacks(place, archive, NULL);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, 020000);
}

static void test_pax_name(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GBytes) archive = NULL;

	tar_add(tar, (TarEntry){ "p", 'x', .content = "13 path=\303\244/b\n" });
	tar_add(tar, (TarEntry){ "ascii", .content = "x" });
	archive = finish(tar, NULL);
	assert_unpacks(place, archive, NULL);
	assert_content(place, "\303\244/b", "x");
}

static void test_target_exists(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	g_autoptr(GBytes) archive = finish(some_files(), NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir(place->target, 0755), ==, 0);
	g_assert_false(archive_unpack_bytes(archive, "x", place->target, NULL, &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
}

static void test_no_parent(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	g_autoptr(GBytes) archive = finish(some_files(), NULL);
	g_autofree char *deep = g_build_filename(place->target, "not", "there", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_false(archive_unpack_bytes(archive, "x", deep, NULL, &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
}

static void test_unwritable_parent(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	g_autoptr(GBytes) archive = finish(some_files(), NULL);
	g_autoptr(GError) error = NULL;
	bool is_root = geteuid() == 0;

	g_assert_cmpint(g_chmod(place->root, 0555), ==, 0);
	g_assert_true(!is_root || seteuid(NOBODY) == 0);
	bool is_done = archive_unpack_bytes(archive, "x", place->target, NULL, &error);
	g_assert_true(!is_root || seteuid(0) == 0);
	g_assert_cmpint(g_chmod(place->root, 0755), ==, 0);
	g_assert_false(is_done);
	g_assert_error(error, FAULT, STATUS_DENIED);
}

static void test_not_a_file(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	g_autofree char *fifo = g_build_filename(place->root, "fifo", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	g_assert_false(archive_unpack_file(fifo, place->target, NULL, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_member(void)
{
	g_autoptr(GBytes) archive = finish(some_files(), archive_write_add_filter_zstd);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = archive_read_member(archive, "x", "dir/file", 100, &error);

	g_assert_no_error(error);
	g_autoptr(GBytes) want = g_bytes_new_static("text", 4);
	g_assert_true(g_bytes_equal(content, want));
	g_assert_null(archive_read_member(archive, "x", "dir/fil", 100, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);
	g_assert_null(archive_read_member(archive, "x", "dir/file", 3, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static char *tiny_path(void)
{
	return g_test_build_filename(G_TEST_DIST, "data", "stacks", "tiny", NULL);
}

static StackBundle *open_good(const char *word)
{
	g_autoptr(GError) error = NULL;
	StackBundle *bundle = stacks_open(word, &error);

	g_assert_no_error(error);
	return bundle;
}

static void assert_not_opened(const char *word, ExitStatus status, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(stacks_open(word, &error));
	g_test_message("%s", error->message);
	g_assert_error(error, FAULT, (int)status);
	g_assert_nonnull(strstr(error->message, why));
}

static GBytes *tiny_archive(const char *prefix)
{
	g_autofree char *path = tiny_path();
	g_autofree char *ini_path = g_build_filename(path, "stack.ini", NULL);
	g_autofree char *ini_name = g_strconcat(prefix, "stack.ini", NULL);
	g_autofree char *hello_name = g_strconcat(prefix, "files/hello.sh", NULL);
	g_autofree char *ini = NULL;
	GByteArray *tar = g_byte_array_new();

	g_assert_true(g_file_get_contents(ini_path, &ini, NULL, NULL));
	tar_add(tar, (TarEntry){ hello_name, .content = "#!/bin/sh\necho hello\n", .mode = 0755 });
	tar_add(tar, (TarEntry){ ini_name, .content = ini });
	return finish(tar, archive_write_add_filter_gzip);
}

/* The same definition has the same digest, wherever it comes from. */
static void test_same_digest(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	static const char *const prefixes[] = { "", "tiny-1.2.3/" };
	g_autofree char *path = tiny_path();
	g_autofree char *file = g_build_filename(place->root, "tiny.tar.gz", NULL);
	g_autoptr(StackBundle) directory = open_good(path);

	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		g_autoptr(GBytes) archive = tiny_archive(prefixes[i]);

		g_assert_true(g_file_set_contents(file, g_bytes_get_data(archive, NULL),
		                                  (gssize)g_bytes_get_size(archive), NULL));
		g_autoptr(StackBundle) bundle = open_good(file);
		g_assert_cmpstr(stacks_digest(bundle), ==, stacks_digest(directory));
		g_assert_cmpstr(stacks_origin(bundle), ==, file);
		g_assert_cmpstr(stacks_definition(bundle)->name, ==, "tiny");
	}
	g_assert_true(stacks_unpack(directory, place->target, NULL));
	g_autoptr(StackBundle) again = open_good(place->target);
	g_assert_cmpstr(stacks_digest(again), ==, stacks_digest(directory));
	g_assert_cmpuint(mode_of(place, "files/hello.sh"), ==, 0755);
}

static void test_read(void)
{
	g_autofree char *path = tiny_path();
	g_autoptr(StackBundle) bundle = open_good(path);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) hello = stacks_read(bundle, "files/hello.sh", &error);

	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(hello), ==, 21);
	g_assert_null(stacks_read(bundle, "../tiny/stack.ini", &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

static void test_no_such_stack(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	assert_not_opened("no-such-stack", STATUS_USAGE, "the embedded ones are:");
	assert_not_opened("", STATUS_USAGE, "there is no stack");
	assert_not_opened("../no/such/stack", STATUS_USAGE, "there is no stack");
	assert_not_opened(place->root, STATUS_CONFIG, "has no stack.ini");
}

static void test_directory_bounds(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	g_autofree char *ini = g_build_filename(place->root, "stack.ini", NULL);
	g_autofree char *tiny = tiny_path();
	g_autofree char *tiny_ini = g_build_filename(tiny, "stack.ini", NULL);
	g_autofree char *extra = g_build_filename(place->root, "extra", NULL);
	g_autofree char *content = NULL;

	g_assert_true(g_file_get_contents(tiny_ini, &content, NULL, NULL));
	g_assert_true(g_file_set_contents(ini, content, -1, NULL));
	g_assert_cmpint(symlink("stack.ini", extra), ==, 0);
	g_autoptr(StackBundle) bundle = open_good(place->root);
	g_autoptr(GBytes) copy = stacks_read(bundle, "extra", NULL);
	g_assert_cmpuint(g_bytes_get_size(copy), ==, strlen(content));

	g_assert_cmpint(g_unlink(extra), ==, 0);
	g_assert_cmpint(symlink(tiny_ini, extra), ==, 0);
	assert_not_opened(place->root, STATUS_DATA, "leads out of the stack");
	g_assert_cmpint(g_unlink(extra), ==, 0);
	g_assert_cmpint(mkfifo(extra, 0600), ==, 0);
	assert_not_opened(place->root, STATUS_DATA, "FIFO");
	g_assert_cmpint(g_unlink(extra), ==, 0);

	int fd = g_open(extra, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	g_assert_cmpint(ftruncate(fd, 17 << 20), ==, 0);
	g_assert_cmpint(close(fd), ==, 0);
	assert_not_opened(place->root, STATUS_DATA, "larger than one file may be");
}

static void test_embedded_unpack(Place *place, G_GNUC_UNUSED gconstpointer data)
{
	for (const char *const *name = stacks_embedded_names(); *name; name++) {
		g_autofree char *directory = g_build_filename(place->root, *name, NULL);
		g_autoptr(StackBundle) bundle = open_good(*name);
		g_autoptr(GError) error = NULL;

		g_assert_true(stacks_unpack(bundle, directory, &error));
		g_autoptr(StackBundle) again = open_good(directory);
		g_assert_cmpstr(stacks_digest(again), ==, stacks_digest(bundle));
		g_assert_false(stacks_unpack(bundle, directory, &error));
		g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
	}
}

/* No directory is forgotten, and the definition that most commands read is the one of the archive. */
static void test_embedded_names(Place *place G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *top = g_test_build_filename(G_TEST_DIST, "../payload/stacks", NULL);
	g_autoptr(GDir) directories = g_dir_open(top, 0, NULL);
	guint count = 0;

	while (g_dir_read_name(directories))
		count++;
	for (const char *const *name = stacks_embedded_names(); *name; name++) {
		g_autoptr(StackBundle) bundle = open_good(*name);
		g_autoptr(GBytes) alone = embedded_stack_ini(*name);
		g_autoptr(GBytes) packed = stacks_read(bundle, "stack.ini", NULL);

		g_assert_true(g_bytes_equal(alone, packed));
		count--;
	}
	g_assert_cmpuint(count, ==, 0);
	g_assert_null(embedded_stack_ini("no-such-stack"));
}

/* What is looked up is what is read. */
static void test_need_engine(Place *place G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	for (const char *const *name = stacks_embedded_names(); *name; name++) {
		g_autoptr(StackBundle) bundle = open_good(*name);
		const Stack *stack = stacks_definition(bundle);

		g_assert_true(stacks_need_engine(*name) == (stack->needs.engine != NULL));
	}
	g_assert_false(stacks_need_engine("no-such-stack"));
}

static void add(const char *path, gconstpointer data,
                void (*test)(Place *place, gconstpointer data))
{
	g_test_add(path, Place, data, place_make, test, place_clear);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(filters); i++)
		add(filters[i].path, &filters[i], test_filter);
	add("/good/many-pieces", NULL, test_many_pieces);
	add("/good/symlinks", NULL, test_symlinks);
	add("/good/only-and-strip", NULL, test_only_and_strip);
	add("/good/sparse", NULL, test_sparse);
	add("/good/pax-name", NULL, test_pax_name);
	add("/target/exists", NULL, test_target_exists);
	add("/target/no-parent", NULL, test_no_parent);
	add("/target/unwritable-parent", NULL, test_unwritable_parent);
	add("/target/not-a-file", NULL, test_not_a_file);
	g_test_add_func("/member", test_member);
	add("/stacks/same-digest", NULL, test_same_digest);
	g_test_add_func("/stacks/read", test_read);
	add("/stacks/no-such-stack", NULL, test_no_such_stack);
	add("/stacks/directory-bounds", NULL, test_directory_bounds);
	add("/stacks/embedded-unpack", NULL, test_embedded_unpack);
	add("/stacks/embedded-names", NULL, test_embedded_names);
	add("/stacks/need-engine", NULL, test_need_engine);
	return g_test_run();
}
