/* tests/tar.h - archives made by hand, so that they can be as wrong as a test wants
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>
#include <string.h>

#define TAR_BLOCK 512

/** One entry; everything may be left out. */
typedef struct {
	const char *name;
	char type; /* 0: '0' */
	const char *target;
	const char *content;
	guint mode;       /* 0: 0644 */
	const char *size; /* the field as it is, 11 digits; NULL: that of content */
} TarEntry;

/** Appends zeros up to the next block. */
static inline void tar_pad(GByteArray *tar)
{
	static const guint8 zeros[TAR_BLOCK] = { 0 };

	g_byte_array_append(tar, zeros, (TAR_BLOCK - tar->len % TAR_BLOCK) % TAR_BLOCK);
}

static inline void tar_field(guint8 *block, gsize offset, const char *text, gsize size_bytes)
{
	if (text)
		memcpy(block + offset, text, MIN(strlen(text), size_bytes));
}

/** Sets the checksum of the header at @block. */
static inline void tar_seal(guint8 *block)
{
	guint sum = 0;
	char digits[8] = { 0 };

	memset(block + 148, ' ', 8);
	for (gsize i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	g_snprintf(digits, sizeof digits, "%06o", sum);
	memcpy(block + 148, digits, 7);
}

/** Appends a ustar header and its content. */
static inline void tar_add(GByteArray *tar, TarEntry entry)
{
	guint8 block[TAR_BLOCK] = { 0 };
	gsize size_bytes = entry.content ? strlen(entry.content) : 0;
	g_autofree char *size = g_strdup_printf("%011o", (guint)size_bytes);
	g_autofree char *mode = g_strdup_printf("%07o", entry.mode ? entry.mode : 0644);

	tar_field(block, 0, entry.name, 100);
	tar_field(block, 100, mode, 8);
	tar_field(block, 108, "0000000", 8);
	tar_field(block, 116, "0000000", 8);
	tar_field(block, 124, entry.size ? entry.size : size, 12);
	tar_field(block, 136, "00000000000", 12);
	block[156] = entry.type ? (guint8)entry.type : '0';
	tar_field(block, 157, entry.target, 100);
	tar_field(block, 257, "ustar", 6);
	tar_field(block, 263, "00", 2);
	tar_field(block, 329, "0000001", 8);
	tar_field(block, 337, "0000003", 8);
	tar_seal(block);
	g_byte_array_append(tar, block, TAR_BLOCK);
	if (size_bytes > 0)
		g_byte_array_append(tar, (const guint8 *)entry.content, (guint)size_bytes);
	tar_pad(tar);
}

/** Appends the two blocks of zeros.  Returns: @tar. */
static inline GByteArray *tar_end(GByteArray *tar)
{
	static const guint8 zeros[2 * TAR_BLOCK] = { 0 };

	return g_byte_array_append(tar, zeros, sizeof zeros);
}

static inline la_ssize_t tar_collect(G_GNUC_UNUSED struct archive *a, void *data, const void *bytes,
                                     size_t size_bytes)
{
	g_byte_array_append(data, bytes, (guint)size_bytes);
	return (la_ssize_t)size_bytes;
}

/** Returns: @content compressed by libarchive's @add_filter; @content is freed. */
static inline GByteArray *tar_compress(GByteArray *content, int (*add_filter)(struct archive *))
{
	GByteArray *out = g_byte_array_new();
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	g_assert_cmpint(archive_write_set_format_raw(writer), ==, ARCHIVE_OK);
	g_assert_cmpint(add_filter(writer), ==, ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(writer, 1);
	g_assert_cmpint(archive_write_open(writer, out, NULL, tar_collect, NULL), ==, ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	g_assert_cmpint(archive_write_header(writer, entry), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_data(writer, content->data, content->len), ==, content->len);
	g_assert_cmpint(archive_write_close(writer), ==, ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(writer);
	g_byte_array_unref(content);
	return out;
}
