/* tests/test_payload_unpack_damage.c - archives that are cut off, spoilt, wrapped up or none at all
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unpack_fixture.h"

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
} Case;

/* clang-format off */
static const Case cases[] = {
	{ "/size/no-number",         { { "x", .size = "zzzzzzzzzzz" } }, .damage = HALF, .why = "" },

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

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_autoptr(GByteArray) bytes = build(c);

	assert_refused(bytes, c->why, NULL);
}

static void test_literal(gconstpointer data)
{
	const Literal *literal = data;
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	g_byte_array_append(bytes, (const guint8 *)literal->bytes, (guint)literal->size_bytes);
	assert_refused(bytes, literal->why, NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *fakes = make_fakes();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].path, &cases[i], test_case);
	for (gsize i = 0; i < G_N_ELEMENTS(literals); i++)
		g_test_add_data_func(literals[i].path, &literals[i], test_literal);

	int status = g_test_run();
	g_assert_true(tree_remove(fakes, NULL));
	return status;
}
