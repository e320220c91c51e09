/* base/ini.h - INI files (inih) whose errors name file, line and column
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** One "key = value" line.  All strings are UTF-8, trimmed, never NULL in what ini_entries() and ini_find() return. */
typedef struct {
	const char *section;
	const char *key;
	const char *value;
	guint line;   /* 1-based */
	guint column; /* of the value, 1-based, in bytes */
} IniEntry;

/** A parsed file.  Keys keep their order; a key stands once in its section, a section once in its
 *  file.  Comments start a line with # or ;.  Values are taken as they are: no quotes, no
 *  escapes, no inline comments; an indented line continues the value above it, joined by '\n'. */
typedef struct IniFile IniFile;

/** Largest file, in bytes.  Source: our own bound; the largest stack.ini has under 32 KiB. */
#define INI_MAX_BYTES ((gsize)256 * 1024)
/** Longest line, in bytes. */
#define INI_MAX_LINE 4096

/**
 * Parses @text.  @name stands in messages.
 *
 * Returns: (transfer full): the file, or NULL with CONFIG set and a message that starts with
 * "NAME:LINE:COLUMN: ": too large, line too long, NUL or control byte, not UTF-8, "[" not closed, key without
 * section, no "=", empty key, duplicate key or section; a name over 49 bytes or with ':' or ';'
 * (inih's limits).  A BOM and CRLF are accepted.
 */
IniFile *ini_parse_bytes(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads and parses; errors as file_read() and ini_parse_bytes(). */
IniFile *ini_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ini_free(IniFile *ini);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IniFile, ini_free)

/** Returns: (transfer none) (element-type IniEntry): all entries, in file order. */
const GPtrArray *ini_entries(const IniFile *ini);

/** Returns: (transfer none) (element-type utf8): section names, in file order, empty ones too; each is
 *  the very string (not only an equal one) that the section's entries have. */
const GPtrArray *ini_sections(const IniFile *ini);

/** Returns: (transfer none): an array of the section's entries, in file order; one without a key ends it.  Empty
 *  where there is no such section. */
const IniEntry *ini_section(const IniFile *ini, const char *section);

/** Returns: (transfer none) (nullable): the entry. */
const IniEntry *ini_find(const IniFile *ini, const char *section, const char *key);

/** Returns: (transfer none) (nullable): the value. */
const char *ini_value(const IniFile *ini, const char *section, const char *key);

/** Sets CONFIG with "NAME:LINE:COLUMN: " of @entry before the message.  Always false. */
bool ini_fail(const IniFile *ini, const IniEntry *entry, GError **error, const char *format, ...)
	G_GNUC_PRINTF(4, 5);

/** Parses "12 GiB", "512 MiB", "4096" (bytes) into bytes; units B, KiB, MiB, GiB, TiB.
 *  Returns: false with the entry's place and CONFIG set. */
bool ini_size(const IniFile *ini, const IniEntry *entry, guint64 *size_bytes, GError **error);

/** Parses an unsigned number within [@minimum, @maximum]. */
typedef struct {
	guint64 minimum;
	guint64 maximum;
} IniRange;
bool ini_number(const IniFile *ini, const IniEntry *entry, IniRange range, guint64 *number,
                GError **error);

/**
 * Looks for one key in @text without reading the rest, which takes a hundredth of the time of ini_parse_bytes():
 * for a text that is our own, and known to be good.
 *
 * Returns: (transfer full) (nullable): its value, of one line.
 */
char *ini_peek(GBytes *text, const char *section, const char *key);

/** Returns: (transfer full): @value split at commas and white space, empties dropped. */
char **ini_list(const char *value);
