/* tests/test_payload_unpack.c - hostile archives are refused and leave nothing behind
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "payload/archive_download.h"
#include "tests/tar.h"

#define CUT_HALF 50

/* What is done to the bytes after the entries were written. */
typedef enum {
	AS_IS,
	NO_END,        /* no blocks of zeros behind the last entry */
	ONE_END,       /* only one */
	GARBAGE,       /* something behind the archive */
	TWICE,         /* the whole archive again behind it */
	HALF,          /* cut in the middle */
	BAD_CRC,       /* one byte of gzip's CRC */
	BAD_ISIZE,     /* one byte of gzip's length */
	BAD_MIDDLE,    /* one byte in the middle of the file */
	FULL_OF_ZEROS, /* 8 MiB of zeros behind the end of the archive */
} Damage;

typedef enum { PLAIN, GZIP, XZ, ZSTD, GZIP_3, XZ_2, ZSTD_2 } Compression;

typedef struct {
	const char *path;
	TarEntry entries[4];
	Compression compression;
	Damage damage;
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
	{ "/size/no-number",         { { "x", .size = "zzzzzzzzzzz" } }, .damage = HALF, .why = "" },
	{ "/size/beyond-the-end",    { { "x", .content = "abc", .size = "00000077777" } }, .why = "" },
	{ "/size/giant-pax-header",  { { "p", 'x', .size = "00620000000" }, { "x" } }, .why = "" },
	{ "/size/giant-long-name",   { { "p", 'L', .size = "00620000000" }, { "x" } }, .why = "" },

	{ "/whole/no-end",           { { "x", .content = "x" } }, .damage = NO_END, .why = "no end mark" },
	{ "/whole/one-end",          { { "x", .content = "x" } }, .damage = ONE_END, .why = "no end mark" },
	{ "/whole/no-end-gzip",      { { "x", .content = "x" } }, GZIP, NO_END, "no end mark" },
	{ "/whole/garbage",          { { "x" } }, .damage = GARBAGE, .why = "behind the end" },
	{ "/whole/garbage-gzip",     { { "x" } }, GZIP, GARBAGE, "behind its end" },
	{ "/whole/garbage-xz",       { { "x" } }, XZ, GARBAGE, "" },
	{ "/whole/garbage-zstd",     { { "x" } }, ZSTD, GARBAGE, "" },
	{ "/whole/twice",            { { "x" } }, .damage = TWICE, .why = "behind the end" },
	{ "/whole/twice-gzip",       { { "x" } }, GZIP, TWICE, "behind its end" },
	{ "/whole/twice-xz",         { { "x" } }, XZ, TWICE, "behind" },
	{ "/whole/twice-zstd",       { { "x" } }, ZSTD, TWICE, "behind" },
	{ "/whole/half",             { { "x", .content = "x" }, { "y" } }, .damage = HALF, .why = "" },
	{ "/whole/half-gzip",        { { "x" } }, GZIP, HALF, "damaged or cut off" },
	{ "/whole/half-xz",          { { "x" } }, XZ, HALF, "damaged or cut off" },
	{ "/whole/half-zstd",        { { "x" } }, ZSTD, HALF, "damaged or cut off" },
	{ "/whole/gzip-crc",         { { "x" } }, GZIP, BAD_CRC, "damaged or cut off" },
	{ "/whole/gzip-length",      { { "x" } }, GZIP, BAD_ISIZE, "damaged or cut off" },
	{ "/whole/gzip-middle",      { { "x" } }, GZIP, BAD_MIDDLE, "damaged or cut off" },
	{ "/whole/xz-middle",        { { "x" } }, XZ, BAD_MIDDLE, "damaged or cut off" },
	{ "/whole/zeros-behind",     { { "x" } }, GZIP, FULL_OF_ZEROS, "too much content" },
	{ "/whole/zeros-behind-zstd", { { "x" } }, ZSTD, FULL_OF_ZEROS, "too much content" },

	{ "/layers/gzip-3",          { { "x" } }, GZIP_3, .why = "not a sound tar" },
	{ "/layers/xz-2",            { { "x" } }, XZ_2, .why = "more than once" },
	{ "/layers/zstd-2",          { { "x" } }, ZSTD_2, .why = "more than once" },

	{ "/empty/no-entries",       { { NULL } }, .why = "nothing to unpack" },
	{ "/empty/no-entries-gzip",  { { NULL } }, GZIP, .why = "nothing to unpack" },
	{ "/empty/only-the-root",    { { "./", '5' } }, .why = "nothing to unpack" },
};

typedef struct {
	const char *path;
	const char *bytes;
	gsize size_bytes;
	const char *why;
} Literal;

#define BYTES(text) text, sizeof text - 1
static const Literal literals[] = {
	{ "/format/empty",    BYTES(""), "the file is empty" },
	{ "/format/html",     BYTES("\n <!DOCTYPE html><html><body>Log in to the network</body></html>"), "it is a web page" },
	{ "/format/html-tag", BYTES("<HTML><head></head></HTML>"), "it is a web page" },
	{ "/format/text",     BYTES("404: not found\n"), "" },
	{ "/format/zip",      BYTES("PK\3\4\24\0\1\0\10\0"), "a zip archive" },
	{ "/format/empty-zip", BYTES("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "a zip archive" },
	{ "/format/mtree",    BYTES("#mtree\nx type=file\n"), "an mtree listing" },
	{ "/format/rar",      BYTES("Rar!\32\7\0"), "a rar archive" },
	{ "/format/7z",       BYTES("7z\274\257\47\34\0\4"), "a 7z archive" },
	{ "/format/cpio",     BYTES("070701000000000000000000000000"), "a cpio archive" },
	{ "/format/ar",       BYTES("!<arch>\ndebian-binary   "), "an ar archive" },
	{ "/format/bzip2",    BYTES("BZh91AY&SY"), "bzip2" },
	{ "/format/lrzip",    BYTES("LRZI\0\6"), "lrzip" },
	{ "/format/lzop",     BYTES("\211LZO\0\r\n\32\n"), "lzop" },
	{ "/format/gzip-only", BYTES("\37\213"), "" },
	{ "/format/xz-only",  BYTES("\3757zXZ\0"), "" },
	{ "/format/zstd-only", BYTES("\50\265\57\375"), "" },
};
/* clang-format on */

static GByteArray *compress(GByteArray *tar, Compression compression)
{
	switch (compression) {
	case GZIP:
		return tar_compress(tar, archive_write_add_filter_gzip);
	case XZ:
		return tar_compress(tar, archive_write_add_filter_xz);
	case ZSTD:
		return tar_compress(tar, archive_write_add_filter_zstd);
	case GZIP_3:
		return compress(compress(compress(tar, GZIP), GZIP), GZIP);
	case XZ_2:
		return compress(compress(tar, XZ), XZ);
	case ZSTD_2:
		return compress(compress(tar, ZSTD), ZSTD);
	case PLAIN:
	default:
		return tar;
	}
}

static void damage_before(GByteArray *tar, Damage damage)
{
	static const guint8 zeros[TAR_BLOCK] = { 0 };
	guint blocks = damage == FULL_OF_ZEROS ? (8 << 20) / TAR_BLOCK : 2;

	if (damage == NO_END || damage == ONE_END)
		blocks = damage == ONE_END;
	for (guint i = 0; i < blocks; i++)
		g_byte_array_append(tar, zeros, TAR_BLOCK);
}

static void damage_after(GByteArray *bytes, Damage damage)
{
	if (damage == GARBAGE)
		g_byte_array_append(bytes, (const guint8 *)"garbage", 7);
	if (damage == TWICE) {
		g_autoptr(GBytes) copy = g_bytes_new(bytes->data, bytes->len);

		g_byte_array_append(bytes, g_bytes_get_data(copy, NULL), bytes->len);
	}
	if (damage == HALF)
		g_byte_array_set_size(bytes, bytes->len * CUT_HALF / 100);
	if (damage == BAD_CRC)
		bytes->data[bytes->len - 8] ^= 1;
	if (damage == BAD_ISIZE)
		bytes->data[bytes->len - 4] ^= 1;
	if (damage == BAD_MIDDLE)
		bytes->data[bytes->len / 2] ^= 0x55;
}

static GByteArray *build(const Case *c)
{
	GByteArray *tar = g_byte_array_new();

	for (gsize i = 0; i < G_N_ELEMENTS(c->entries) && c->entries[i].name; i++)
		tar_add(tar, c->entries[i]);
	damage_before(tar, c->damage);
	tar = compress(tar, c->compression);
	damage_after(tar, c->damage);
	return tar;
}

/* A place with somebody else's file beside the directory that is unpacked into. */
typedef struct {
	char *root;
	char *victim;
	char *target;
	char *archive;
	json_t *before;
} Place;

static void place_make(Place *place, const GByteArray *bytes)
{
	g_autofree char *outside = NULL;
	g_autofree char *inside = NULL;

	place->root = g_dir_make_tmp("slipway-unpack-XXXXXX", NULL);
	outside = g_build_filename(place->root, "outside", NULL);
	inside = g_build_filename(place->root, "inside", NULL);
	place->victim = g_build_filename(outside, "victim", NULL);
	place->target = g_build_filename(inside, "target", NULL);
	place->archive = g_build_filename(place->root, "archive.tar", NULL);
	g_assert_cmpint(g_mkdir(outside, 0755), ==, 0);
	g_assert_cmpint(g_mkdir(inside, 0755), ==, 0);
	g_assert_true(g_file_set_contents(place->victim, "unharmed", -1, NULL));
	g_assert_true(g_file_set_contents(place->archive, (const char *)bytes->data,
	                                  (gssize)bytes->len, NULL));
	place->before = tree_list(place->root, NULL);
	g_assert_nonnull(place->before);
}

static void place_clear(Place *place)
{
	GError *error = NULL;

	g_assert_true(tree_remove(place->root, &error));
	json_decref(place->before);
	g_free(place->root);
	g_free(place->victim);
	g_free(place->target);
	g_free(place->archive);
}

/* The marker is what the fake zstd, gzip and xz in PATH would leave. */
static void assert_untouched(const Place *place)
{
	json_t *after = tree_list(place->root, NULL);
	struct stat st = { 0 };

	g_assert_true(json_equal(place->before, after));
	json_decref(after);
	g_assert_cmpint(stat(place->victim, &st), ==, 0);
	g_assert_cmpuint(st.st_nlink, ==, 1);
	g_assert_false(g_file_test(g_getenv("TEST_MARKER"), G_FILE_TEST_EXISTS));
}

/* The same when it is unpacked while it comes: one pass, and its size only said. */
static void assert_refused_on_the_way(const Place *place, const char *why,
                                      const ArchiveLimits *limits)
{
	const char *const urls[] = { place->archive, NULL };
	g_autofree char *digest = file_digest(place->archive, NULL);
	ArchiveDownload wanted = { .urls = urls, .sha256 = digest, .max_bytes = (guint64)1 << 30 };
	GError *error = NULL;

	if (limits)
		wanted.limits = *limits;
	g_assert_false(archive_download(&wanted, 1, place->target, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(error->message, why));
	g_assert_nonnull(strstr(error->message, place->archive));
	g_clear_error(&error);
	assert_untouched(place);
}

static void assert_refused(const GByteArray *bytes, const char *why, const ArchiveLimits *limits)
{
	Place place = { 0 };
	GError *error = NULL;

	place_make(&place, bytes);
	g_assert_false(archive_unpack_file(place.archive, place.target, limits, &error));
	g_test_message("%s", error->message);
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(error->message, why));
	g_assert_nonnull(strstr(error->message, place.archive));
	g_clear_error(&error);
	assert_untouched(&place);

	g_autoptr(GBytes) memory = g_bytes_new(bytes->data, bytes->len);
	g_assert_false(archive_unpack_bytes(memory, "memory", place.target, limits, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_clear_error(&error);
	assert_untouched(&place);
	assert_refused_on_the_way(&place, why, limits);
	place_clear(&place);
}

static void test_case(gconstpointer data)
{
	const Case *c = data;
	const ArchiveLimits limits = { .has_symlinks = c->has_symlinks };
	g_autoptr(GByteArray) bytes = build(c);

	assert_refused(bytes, c->why, &limits);
}

static void test_literal(gconstpointer data)
{
	const Literal *literal = data;
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	g_byte_array_append(bytes, (const guint8 *)literal->bytes, (guint)literal->size_bytes);
	assert_refused(bytes, literal->why, NULL);
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

/* Programs of these names in PATH would leave a marker if the library ran one. */
static char *make_fakes(void)
{
	static const char *const names[] = {
		"zstd", "gzip", "xz", "bzip2", "lrzip", "lzop", "lz4"
	};
	char *directory = g_dir_make_tmp("slipway-fakes-XXXXXX", NULL);
	g_autofree char *marker = g_build_filename(directory, "ran", NULL);
	g_autofree char *script = g_strdup_printf("#!/bin/sh\n: >%s\n", marker);

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i], NULL);

		g_assert_true(g_file_set_contents(path, script, -1, NULL));
		g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	}
	g_setenv("PATH", directory, TRUE);
	g_setenv("TEST_MARKER", marker, TRUE);
	return directory;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *fakes = make_fakes();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].path, &cases[i], test_case);
	for (gsize i = 0; i < G_N_ELEMENTS(literals); i++)
		g_test_add_data_func(literals[i].path, &literals[i], test_literal);
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
