/* installer/manual_mdoc.c - text and lists in mdoc(7)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/manual_private.h"
#include "installer/manual_text.h"

/* When the words of the pages last changed; fixed, so that the same source gives the same bytes. */
#define DATE "November 21, 2026"

/* Columns of a line in the source of a page.  Source: mandoc's style check. */
#define LINE_MAX_BYTES 80

/* A line that starts with "." or "'" is a request, and "\" an escape. */
static void add_escaped(GString *page, const char *text, gsize length)
{
	if (length > 0 && (*text == '.' || *text == '\''))
		g_string_append(page, "\\&");
	for (gsize i = 0; i < length; i++)
		if (text[i] == '\\')
			g_string_append(page, "\\e");
		else
			g_string_append_c(page, text[i]);
}

/* mdoc wants each sentence on a line of its own. */
static bool ends_sentence(const char *word, gsize length)
{
	return length > 1 && word[length - 1] == '.' && word[length - 2] != '.' &&
	       word[length] == ' ';
}

static void add_paragraph(GString *page, const char *text)
{
	gsize column = 0;

	for (const char *word = text; *word; word += strspn(word, " ")) {
		gsize length = strcspn(word, " ");

		if (column > 0 && column + 1 + length > LINE_MAX_BYTES) {
			g_string_append_c(page, '\n');
			column = 0;
		}
		if (column > 0) {
			g_string_append_c(page, ' ');
			g_string_append_len(page, word, (gssize)length);
		} else {
			add_escaped(page, word, length);
		}
		column += length + 1;
		if (ends_sentence(word, length))
			column = LINE_MAX_BYTES + 1;
		word += length;
	}
	g_string_append_c(page, '\n');
}

void mdoc_head(GString *page, const MdocHead *head)
{
	g_autofree char *upper = g_ascii_strup(head->name, -1);

	g_string_append_printf(page,
	                       ".\\\" SPDX-License-Identifier: Apache-2.0\n"
	                       ".Dd " DATE "\n.Dt %s %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n",
	                       upper, head->section, head->name, head->about);
}

void mdoc_text(GString *page, const char *text)
{
	g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);

	for (char **paragraph = paragraphs; *paragraph; paragraph++) {
		if (paragraph != paragraphs)
			g_string_append(page, ".Pp\n");
		add_paragraph(page, *paragraph);
	}
}

void mdoc_phrase(GString *page, const char *text)
{
	g_autofree char *sentence = g_strconcat(text, g_str_has_suffix(text, ".") ? "" : ".", NULL);

	*sentence = g_ascii_toupper(*sentence);
	mdoc_text(page, sentence);
}

static void add_usage_word(GString *page, const char *word)
{
	bool is_optional = *word == '[';
	const char *start = word + is_optional;
	gsize length = strcspn(start, ".]");

	if (g_str_equal(word, "--")) {
		g_string_append(page, ".Fl Fl\n");
		return;
	}
	g_string_append_printf(page, ".%sAr %.*s%s\n", is_optional ? "Op " : "", (int)length, start,
	                       strstr(word, "...") ? " ..." : "");
}

void mdoc_usage(GString *page, const char *arguments)
{
	g_auto(GStrv) words = g_strsplit(arguments, " ", -1);

	for (char **word = words; *word; word++)
		if (**word)
			add_usage_word(page, *word);
}

void mdoc_option(GString *page, const char *name, const char *argument, const char *about)
{
	g_string_append_printf(page, ".It Fl Fl %s%s%s\n", name, argument ? " Ar " : "",
	                       argument ? argument : "");
	mdoc_phrase(page, about);
}

void mdoc_literal(GString *page, const char *lines)
{
	g_auto(GStrv) list = g_strsplit(lines, "\n", -1);

	g_string_append(page, ".Bd -literal\n");
	for (char **line = list; *line; line++) {
		add_escaped(page, *line, strlen(*line));
		g_string_append_c(page, '\n');
	}
	g_string_append(page, ".Ed\n");
}

static int compare_pages(gconstpointer a, gconstpointer b)
{
	const char *one = *(const char *const *)a;
	const char *other = *(const char *const *)b;
	int difference = strcmp(strrchr(one, ' '), strrchr(other, ' '));

	return difference != 0 ? difference : strcmp(one, other);
}

void mdoc_see_also(GString *page, GPtrArray *pages)
{
	g_ptr_array_sort(pages, compare_pages);
	g_string_append(page, ".Sh SEE ALSO\n");
	for (guint i = 0; i < pages->len; i++)
		g_string_append_printf(page, ".Xr %s%s\n", (const char *)pages->pdata[i],
		                       i + 1 < pages->len ? " ," : "");
}

static bool is_named(const char *names, const char *name)
{
	g_auto(GStrv) list = names ? g_strsplit(names, " ", -1) : NULL;

	return !list || g_strv_contains((const char *const *)list, name);
}

void mdoc_statuses(GString *page, const char *names)
{
	g_string_append(page, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (gsize i = 0; i < exit_status_count; i++) {
		const ExitStatusRow *row = &exit_status_table[i];

		if (row->status != STATUS_USAGE && !is_named(names, row->name))
			continue;
		g_string_append_printf(page, ".It %d (%s)\n", (int)row->status, row->name);
		mdoc_phrase(page, row->meaning);
	}
	g_string_append(page, ".El\n");
}

void mdoc_files(GString *page, const char *names)
{
	g_string_append(page, ".Sh FILES\n.Bl -tag -width Ds\n");
	for (gsize i = 0; i < manual_file_count; i++) {
		const ManualFile *file = &manual_file_table[i];

		if (!is_named(names, file->name))
			continue;
		g_string_append_printf(page, ".It Pa %s\n", file->path);
		mdoc_phrase(page, file->meaning);
	}
	g_string_append(page, ".El\n");
}
