/* tests/test_payload_unpack.c - hostile archives are refused and leave nothing behind
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unpack_fixture.h"

typedef struct {
	const char *path;
	TarEntry entries[4];
	const char *why; /* what the message has to say */
	bool has_symlinks;
} Case;

#define DEEP "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"

/* clang-format off */
static const Case cases[] = {
	{ "/name/dotdot",            { { "../x" } }, .why = "leads out" },
	{ "/name/dotdot-inside",     { { "a/../../x" } }, .why = "leads out" },
	{ "/name/dotdot-harmless",   { { "a/../b" } }, .why = "leads out" },
	{ "/name/dotdot-dir",        { { "../", '5' } }, .why = "leads out" },
	{ "/name/dotdot-end",        { { "a/.." } }, .why = "leads out" },
	{ "/name/absolute",          { { "/x" } }, .why = "absolute" },
	{ "/name/absolute-dotted",   { { ".//x" } }, .why = "absolute" },
	{ "/name/dot-inside",        { { "a/./b" } }, .why = "\".\" inside" },
	{ "/name/empty-component",   { { "a//b" } }, .why = "empty path component" },
	{ "/name/empty",             { { "" } }, .why = "" },
	{ "/name/newline",           { { "a\nb" } }, .why = "\"a\\nb\" has a control character" },
	{ "/name/escape",            { { "a\033[2J" } }, .why = "\"a\\033[2J\" has a control character" },
	{ "/name/del",               { { "a\177" } }, .why = "control character" },
	{ "/name/c1-control",        { { "a\302\233" } }, .why = "control character" },
	{ "/name/backslash",         { { "..\\x" } }, .why = "backslash" },
	{ "/name/latin-1",           { { "caf\351" } }, .why = "not UTF-8" },
	{ "/name/overlong-utf-8",    { { "a\300\256" } }, .why = "not UTF-8" },
	{ "/name/deep",              { { DEEP DEEP "x" } }, .why = "32 directories deep" },
	{ "/name/duplicate",         { { "a" }, { "a" } }, .why = "twice" },
	{ "/name/duplicate-dir",     { { "a/", '5' }, { "a/", '5' } }, .why = "twice" },
	{ "/name/dot-duplicate",     { { "a" }, { "./a" } }, .why = "twice" },
	{ "/name/case",              { { "README" }, { "readme" } }, .why = "differs only in case from \"README\"" },
	{ "/name/case-of-directory", { { "Docs/a" }, { "docs/b" } }, .why = "only in case" },
	{ "/name/case-unicode",      { { "\303\204" }, { "a\314\210" } }, .why = "only in case" },
	{ "/name/file-as-directory", { { "x" }, { "x/y" } }, .why = "no directory" },
	{ "/name/directory-as-file", { { "x/y" }, { "x" } }, .why = "twice" },

	{ "/type/char-device",       { { "x", '3' } }, .why = "device" },
	{ "/type/block-device",      { { "x", '4' } }, .why = "device" },
	{ "/type/fifo",              { { "x", '6' } }, .why = "FIFO" },
	{ "/type/unknown",           { { "x", 'Z' } }, .why = "unknown type" },
	{ "/type/unknown-digit",     { { "x", '8' } }, .why = "unknown type" },
	{ "/type/solaris-door",      { { "x", 'D' } }, .why = "" },
	{ "/type/setuid",            { { "x", .mode = 04755 } }, .why = "setuid" },
	{ "/type/setgid",            { { "x", .mode = 02755 } }, .why = "setuid" },
	{ "/type/sticky-directory",  { { "x/", '5', .mode = 01777 } }, .why = "setuid" },
	{ "/type/directory-content", { { "x/", '5', .content = "content" } }, .why = "" },

	{ "/symlink/not-allowed",    { { "x", '2', "y" } }, .why = "symbolic link" },
	{ "/symlink/absolute",       { { "x", '2', "/etc/passwd" } }, .why = "absolute", .has_symlinks = true },
	{ "/symlink/out",            { { "x", '2', "../../.." } }, .why = "leads out", .has_symlinks = true },
	{ "/symlink/out-by-one",     { { "a/x", '2', "../../y" } }, .why = "leads out", .has_symlinks = true },
	{ "/symlink/back-in",        { { "x", '2', "../target/y" } }, .why = "leads out", .has_symlinks = true },
	{ "/symlink/dotdot-behind",  { { "a/b/up", '2', ".." }, { "v", '2', "a/b/up/../.." } },
	  .why = "leads out", .has_symlinks = true },
	{ "/symlink/empty",          { { "x", '2', "" } }, .why = "", .has_symlinks = true },
	{ "/symlink/control",        { { "x", '2', "a\nb" } }, .why = "control", .has_symlinks = true },
	{ "/symlink/write-through",  { { "l", '2', "outside" }, { "l/victim", .content = "evil" } }, .why = "symbolic link" },
	{ "/symlink/write-through-allowed", { { "l", '2', "d" }, { "d/", '5' }, { "l/x", .content = "evil" } },
	  .why = "no directory", .has_symlinks = true },
	{ "/symlink/overwrite",      { { "l", '2', "d" }, { "l", .content = "evil" } }, .why = "twice", .has_symlinks = true },

	{ "/hardlink/out",           { { "x", '1', "../outside/victim" } }, .why = "leads out" },
	{ "/hardlink/absolute",      { { "x", '1', "/etc/passwd" } }, .why = "absolute" },
	{ "/hardlink/to-symlink",    { { "l", '2', "d" }, { "x", '1', "l" } }, .why = "no earlier file", .has_symlinks = true },
	{ "/hardlink/target-later",  { { "x", '1', "y" }, { "y", .content = "y" } }, .why = "no earlier file" },
	{ "/hardlink/to-directory",  { { "d/", '5' }, { "x", '1', "d" } }, .why = "no earlier file" },
	{ "/hardlink/to-itself",     { { "x", '1', "x" } }, .why = "no earlier file" },
	{ "/hardlink/other-case",    { { "Y" }, { "x", '1', "y" } }, .why = "no earlier file" },
	{ "/hardlink/content",       { { "y", .content = "y" }, { "x", '1', "y", .content = "evil" } }, .why = "" },

	{ "/size/negative",          { { "x", .size = "\377\377\377\377\377\377\377\377\377\377\377\377" } }, .why = "" },
	{ "/size/8-eib",             { { "x", .size = "\200\177\377\377\377\377\377\377\377\377\377\377" } }, .why = "" },
	{ "/size/beyond-the-end",    { { "x", .content = "abc", .size = "00000077777" } }, .why = "" },
	{ "/size/giant-pax-header",  { { "p", 'x', .size = "00620000000" }, { "x" } }, .why = "" },
	{ "/size/giant-long-name",   { { "p", 'L', .size = "00620000000" }, { "x" } }, .why = "" },
};
/* clang-format on */

static GByteArray *build(const Case *c)
{
	GByteArray *tar = g_byte_array_new();

	for (gsize i = 0; i < G_N_ELEMENTS(c->entries) && c->entries[i].name; i++)
		tar_add(tar, c->entries[i]);
	return tar_end(tar);
}

static void test_case(gconstpointer data)
{
	const Case *c = data;
	const ArchiveLimits limits = { .has_symlinks = c->has_symlinks };
	g_autoptr(GByteArray) bytes = build(c);

	assert_refused(bytes, c->why, &limits);
}

static void test_many_entries(void)
{
	const ArchiveLimits limits = { .max_entries = 100 };
	GByteArray *tar = g_byte_array_new();

	for (int i = 0; i <= 100; i++) {
		g_autofree char *name = g_strdup_printf("f%d", i);

		tar_add(tar, (TarEntry){ name });
	}

	g_autoptr(GByteArray) bytes = tar_end(tar);
	assert_refused(bytes, "more than 100 entries", &limits);
}

static void test_too_large(void)
{
	const ArchiveLimits file = { .max_file_bytes = 3 };
	const ArchiveLimits total = { .max_total_bytes = 7 };
	GByteArray *tar = g_byte_array_new();

	tar_add(tar, (TarEntry){ "a", .content = "1234" });
	tar_add(tar, (TarEntry){ "b", .content = "1234" });

	g_autoptr(GByteArray) bytes = tar_end(tar);
	assert_refused(bytes, "larger than one file may be", &file);
	assert_refused(bytes, "larger than it may be", &total);
}

/* 8 MiB in 8 KiB, with an honest header and with one that leaves it to the content. */
static void test_ratio(void)
{
	g_autofree char *zeros = g_strnfill(8 << 20, ' ');
	GByteArray *tar = g_byte_array_new();

	tar_add(tar, (TarEntry){ "bomb", .content = zeros });

	g_autoptr(GByteArray) bytes = tar_compress(tar_end(tar), archive_write_add_filter_gzip);
	assert_refused(bytes, "too large for so small an archive", NULL);
}

/* Old GNU sparse: no data at all, one TiB long. */
static void test_sparse(void)
{
	GByteArray *tar = g_byte_array_new();

	tar_add(tar, (TarEntry){ "sparse", 'S' });
	memcpy(tar->data + 257, "ustar  ", 8);
	memcpy(tar->data + 386,
	       "00000000000\0"
	       "00000000000",
	       24);
	memcpy(tar->data + 483, "\200\0\0\0\0\0\1\0\0\0\0\0", 12);
	tar_seal(tar->data);

	g_autoptr(GByteArray) bytes = tar_end(tar);
	assert_refused(bytes, "larger than one file may be", NULL);
}

static void test_long_names(void)
{
	g_autofree char *component = g_strnfill(5000, 'n');
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GByteArray) one = NULL;
	g_autoptr(GByteArray) two = NULL;

	tar_add(tar, (TarEntry){ "././@LongLink", 'L', .content = component });
	tar_add(tar, (TarEntry){ "short" });
	one = tar_end(tar);
	assert_refused(one, "more than 1024 bytes", NULL);

	component[300] = '\0';
	tar = g_byte_array_new();
	tar_add(tar, (TarEntry){ "././@LongLink", 'L', .content = component });
	tar_add(tar, (TarEntry){ "short" });
	two = tar_end(tar);
	assert_refused(two, "more than 255 bytes", NULL);
}

/* Each says that the next one is the long name of the next one. */
static void test_recursive_long_names(void)
{
	GByteArray *tar = g_byte_array_new();

	for (int i = 0; i < 1000; i++)
		tar_add(tar, (TarEntry){ "././@LongLink", 'L', .content = "name" });
	tar_add(tar, (TarEntry){ "short" });

	g_autoptr(GByteArray) bytes = tar_end(tar);
	assert_refused(bytes, "", NULL);
}

static void test_pax_path(void)
{
	GByteArray *tar = g_byte_array_new();

	tar_add(tar, (TarEntry){ "p", 'x', .content = "18 path=../victim\n" });
	tar_add(tar, (TarEntry){ "innocent", .content = "evil" });

	g_autoptr(GByteArray) bytes = tar_end(tar);
	assert_refused(bytes, "leads out", NULL);
}

static void test_strip_needs_one_top(void)
{
	const ArchiveLimits limits = { .strip_components = 1 };
	GByteArray *tar = g_byte_array_new();
	g_autoptr(GByteArray) file = NULL;

	tar_add(tar, (TarEntry){ "a/x" });
	tar_add(tar, (TarEntry){ "b/x" });

	g_autoptr(GByteArray) bytes = tar_end(tar);
	assert_refused(bytes, "is not below", &limits);

	tar = g_byte_array_new();
	tar_add(tar, (TarEntry){ "x" });
	file = tar_end(tar);
	assert_refused(file, "taken off", &limits);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *fakes = make_fakes();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].path, &cases[i], test_case);
	g_test_add_func("/bounds/many-entries", test_many_entries);
	g_test_add_func("/bounds/too-large", test_too_large);
	g_test_add_func("/bounds/ratio", test_ratio);
	g_test_add_func("/bounds/sparse", test_sparse);
	g_test_add_func("/bounds/long-names", test_long_names);
	g_test_add_func("/bounds/recursive-long-names", test_recursive_long_names);
	g_test_add_func("/name/pax-path", test_pax_path);
	g_test_add_func("/name/strip", test_strip_needs_one_top);

	int status = g_test_run();
	g_assert_true(tree_remove(fakes, NULL));
	return status;
}
