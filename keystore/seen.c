/* keystore/seen.c - one line, replaced as a whole
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/seen.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "keystore/error.h"

#define LINE_MAX_BYTES 256
#define WORD "slipway-seen 1 "
#define DIGITS 10

static const char accept_hint[] =
	"If you put a backup in its place yourself, add --accept-rollback; "
	"else look for who did.";

static void append_hex(GString *text, const guint8 *bytes, gsize size)
{
	for (gsize i = 0; i < size; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
}

static bool parse_hex(const char *text, guint8 *bytes, gsize size)
{
	if (strlen(text) != 2 * size)
		return false;
	for (gsize i = 0; i < size; i++) {
		int high = g_ascii_xdigit_value(text[2 * i]);
		int low = g_ascii_xdigit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (guint8)(high << 4 | low);
	}
	return true;
}

static bool parse(const char *line, Seen *seen)
{
	g_auto(GStrv) words =
		g_str_has_prefix(line, WORD) ? g_strsplit(line + strlen(WORD), " ", -1) : NULL;

	return words && g_strv_length(words) == 3 &&
	       parse_hex(words[0], seen->store_id, sizeof(seen->store_id)) &&
	       g_ascii_string_to_unsigned(words[1], DIGITS, 1, G_MAXUINT64, &seen->generation,
	                                  NULL) &&
	       parse_hex(g_strchomp(words[2]), seen->mac, sizeof(seen->mac));
}

Seen seen_read(const char *path)
{
	g_autoptr(GBytes) content = path ? file_read(path, LINE_MAX_BYTES, NULL) : NULL;
	gsize size = 0;
	const char *data = content ? g_bytes_get_data(content, &size) : NULL;
	g_autofree char *line = data ? g_strndup(data, size) : NULL;
	Seen seen = { 0 };

	seen.is_known = line && parse(line, &seen);
	return seen;
}

Seen seen_of(Span file, const FormatHeader *header)
{
	Seen seen = { .is_known = true, .generation = header->generation };

	memcpy(seen.store_id, header->store_id, sizeof(seen.store_id));
	memcpy(seen.mac, format_mac(file, header), sizeof(seen.mac));
	return seen;
}

bool seen_check(const Seen *before, const Seen *now, const char *name, GError **error)
{
	if (!before->is_known ||
	    memcmp(before->store_id, now->store_id, sizeof(now->store_id)) != 0 ||
	    now->generation > before->generation)
		return true;
	if (now->generation < before->generation)
		return keystore_fail(error, KEYSTORE_ERROR_STALE, accept_hint,
		                     "%s is version %" G_GUINT64_FORMAT
		                     " of the keystore, and version %" G_GUINT64_FORMAT
		                     " was seen here before",
		                     name, now->generation, before->generation);
	return memcmp(before->mac, now->mac, sizeof(now->mac)) == 0 ||
	       keystore_fail(error, KEYSTORE_ERROR_STALE, accept_hint,
	                     "%s is another version %" G_GUINT64_FORMAT
	                     " of the keystore than the one that was seen here before",
	                     name, now->generation);
}

static bool is_same(const Seen *a, const Seen *b)
{
	return a->is_known && b->is_known && a->generation == b->generation &&
	       memcmp(a->store_id, b->store_id, sizeof(a->store_id)) == 0 &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

void seen_write(const char *path, const Seen *before, const Seen *now)
{
	if (!path || is_same(before, now))
		return;

	g_autofree char *directory = g_path_get_dirname(path);
	g_autoptr(GString) line = g_string_new(WORD);
	g_autoptr(GError) error = NULL;
	append_hex(line, now->store_id, sizeof(now->store_id));
	g_string_append_printf(line, " %" G_GUINT64_FORMAT " ", now->generation);
	append_hex(line, now->mac, sizeof(now->mac));
	g_string_append_c(line, '\n');
	if (!file_make_dirs(directory, 0700, NULL, &error) ||
	    !file_write(path, line->str, line->len, 0600, &error))
		log_line("keys", "the state of the keystore could not be remembered: %s",
		         error->message);
}

void seen_forget(const char *path)
{
	if (path && !file_remove(path, NULL))
		log_line("keys", "the state of the keystore could not be forgotten");
}
