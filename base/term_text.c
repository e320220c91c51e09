/* base/term_text.c - how wide text is, and how it is cut, wrapped and made harmless
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/term_private.h"

/* Returns: the bytes of the colour sequence that @text starts with; 0 if it does not. */
static gsize style_length(const char *text)
{
	if (text[0] != '\x1b' || text[1] != '[')
		return 0;

	gsize length = 2 + strspn(text + 2, "0123456789;");
	return text[length] == 'm' ? length + 1 : 0;
}

/* g_utf8_next_char() casts const away. */
static const char *next_char(const char *text)
{
	return text + g_utf8_skip[(guchar)*text];
}

char *term_text_clean(const char *text, bool has_style)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autoptr(GString) clean = g_string_sized_new(strlen(valid));

	for (const char *at = valid; *at;) {
		gsize length = style_length(at);
		gunichar c = g_utf8_get_char(at);

		if (length > 0) {
			g_string_append_len(clean, at, has_style ? (gssize)length : 0);
			at += length;
			continue;
		}
		if (g_unichar_iscntrl(c) && c != '\n' && c != '\t')
			g_string_append_printf(clean, "\\x%02x", c);
		else
			g_string_append_unichar(clean, c);
		at = next_char(at);
	}
	return g_string_free(g_steal_pointer(&clean), FALSE);
}

static guint char_width(gunichar c)
{
	if (g_unichar_iszerowidth(c) || g_unichar_iscntrl(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

guint term_text_width(const char *text)
{
	guint width = 0;

	while (*text) {
		gsize length = style_length(text);

		if (length == 0)
			width += char_width(g_utf8_get_char(text));
		text = length ? text + length : next_char(text);
	}
	return width;
}

/* Returns: the end of the longest head of @text that takes at most @columns; colours count with
 * what they stand before. */
static const char *fitting_end(const char *text, guint columns)
{
	guint width = 0;

	while (*text) {
		gsize length = style_length(text);

		if (length == 0)
			width += char_width(g_utf8_get_char(text));
		if (width > columns)
			break;
		text = length ? text + length : next_char(text);
	}
	return text;
}

char *term_text_fit(const char *text, guint columns, const char *ellipsis)
{
	guint mark = term_text_width(ellipsis);
	g_autofree char *plain = term_text_clean(text, false);

	if (term_text_width(plain) <= columns)
		return g_steal_pointer(&plain);
	if (mark > columns)
		return g_strdup("");

	const char *end = fitting_end(plain, columns - mark);
	return g_strdup_printf("%.*s%s", (int)(end - plain), plain, ellipsis);
}

/* Returns: where the first line of @text, which holds no line break, ends. */
static const char *line_end(const char *text, guint columns)
{
	const char *end = fitting_end(text, columns);
	const char *space = end;

	if (!*end || *end == ' ')
		return end;
	while (space > text && *space != ' ')
		space--;
	if (space > text)
		return space;
	return end > text ? end : next_char(text);
}

static void wrap_paragraph(GPtrArray *lines, const char *text, guint columns)
{
	do {
		const char *end = line_end(text, columns);
		char *line = g_strndup(text, (gsize)(end - text));

		g_ptr_array_add(lines, g_strchomp(line));
		text = end + strspn(end, " ");
	} while (*text);
}

GPtrArray *term_text_wrap(const char *text, guint columns)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) paragraphs = g_strsplit(text, "\n", -1);

	for (char **paragraph = paragraphs; *paragraph; paragraph++)
		wrap_paragraph(lines, *paragraph, MAX(columns, 2));
	if (lines->len == 0)
		g_ptr_array_add(lines, g_strdup(""));
	return lines;
}
