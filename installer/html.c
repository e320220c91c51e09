/* installer/html.c - writes a page of HTML
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/html.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/secret.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<style>\n"
	":root{color-scheme:light dark;--ink:#1b1f24;--dim:#59636e;--paper:#fff;--line:#d1d9e0;"
	"--good:#1a7f37;--bad:#cf222e;--warn:#9a6700;--chain:#0550ae}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--paper:#0d1117;"
	"--line:#3d444d;--good:#3fb950;--bad:#f85149;--warn:#d29922;--chain:#79c0ff}}\n"
	"@media print{:root{--ink:#000;--dim:#444;--paper:#fff;--line:#bbb;--good:#1a7f37;"
	"--bad:#cf222e;--warn:#9a6700;--chain:#0550ae}tr{break-inside:avoid}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"margin:2rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	"h1{font-size:1.3rem;overflow-wrap:anywhere}p{max-width:60rem;overflow-wrap:anywhere}\n"
	"table{border-collapse:collapse;width:100%;table-layout:fixed}\n"
	"td,th{border-bottom:1px solid var(--line);padding:.35rem .5rem;text-align:left;"
	"vertical-align:top;font-weight:normal;overflow-wrap:anywhere}\n"
	"small{display:block;color:var(--dim)}.bad{color:var(--bad)}\n"
	/* A telephone has no room for columns: the cells of a row stand below each other. */
	"@media (max-width:40rem){table,tbody,tr,td{display:block}th{display:none}"
	"td{border:0;padding:.1rem 0}tr{border-bottom:1px solid var(--line);padding:.5rem 0}}\n";

typedef struct {
	char *word;
	const char *shown;
	bool is_front; /* the name behind the word is hidden, not the word */
} Hidden;

struct HtmlPage {
	GString *text;
	GArray *hidden; /* (element-type Hidden) */
};

static void hidden_clear(gpointer data)
{
	Hidden *hidden = data;

	g_free(hidden->word);
}

HtmlPage *html_page_new(const char *home)
{
	HtmlPage *page = g_new0(HtmlPage, 1);

	page->text = g_string_new(NULL);
	page->hidden = g_array_new(false, false, sizeof(Hidden));
	g_array_set_clear_func(page->hidden, hidden_clear);
	if (home && home[0] && home[1])
		html_hide(page, home, "~");
	return page;
}

void html_page_free(HtmlPage *page)
{
	if (!page)
		return;

	if (page->text)
		g_string_free(page->text, true);
	g_array_unref(page->hidden);
	g_free(page);
}

static void add_hidden(HtmlPage *page, const char *word, const char *shown, bool is_front)
{
	Hidden hidden = { g_strdup(word), shown, is_front };

	g_array_append_val(page->hidden, hidden);
}

void html_hide(HtmlPage *page, const char *word, const char *shown)
{
	add_hidden(page, word, shown, false);
}

void html_hide_name(HtmlPage *page, const char *front, const char *shown)
{
	add_hidden(page, front, shown, true);
}

static bool is_of_word(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_';
}

/* "/home/me/x" becomes "~/x"; "/home/mean" is somebody else. */
static char *hide(const char *text, const Hidden *hidden)
{
	gsize length = strlen(hidden->word);
	g_autoptr(GString) result = g_string_new(NULL);
	const char *rest = text;
	const char *at = NULL;

	while ((at = strstr(rest, hidden->word))) {
		const char *end = at + length;
		bool is_begin = at == text || !is_of_word(at[-1]) || !is_of_word(*at);
		bool is_whole = is_begin && !is_of_word(*end);

		g_string_append_len(result, rest, at - rest);
		if (hidden->is_front || !is_whole)
			g_string_append(result, hidden->word);
		if (hidden->is_front)
			end += strcspn(end, "/\\ \t\n:,;\"'()");
		if (hidden->is_front ? end > at + length : is_whole)
			g_string_append(result, hidden->shown);
		rest = end;
	}
	g_string_append(result, rest);
	return g_string_free(g_steal_pointer(&result), false);
}

void html_own(HtmlPage *page, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	g_string_append(page->text, escaped);
}

void html_text(HtmlPage *page, const char *text)
{
	g_autofree char *masked = secret_mask(text);
	g_autofree char *valid = g_utf8_make_valid(masked, -1);

	for (guint i = 0; i < page->hidden->len; i++) {
		char *hidden = hide(valid, &g_array_index(page->hidden, Hidden, i));
		g_free(valid);
		valid = hidden;
	}
	for (char *c = valid; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	html_own(page, valid);
}

void html_markup(HtmlPage *page, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	g_string_append_vprintf(page->text, format, list);
	va_end(list);
}

void html_element(HtmlPage *page, const char *tag, const char *text)
{
	html_markup(page, "<%s>", tag);
	html_text(page, text);
	html_markup(page, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void html_begin(HtmlPage *page, const char *title, const char *style)
{
	html_markup(page, "%s%s</style>\n", head, style);
	html_element(page, "title", title);
	html_markup(page, "\n");
	html_element(page, "h1", title);
	html_markup(page, "\n");
}

char *html_end(HtmlPage *page)
{
	html_markup(page, "</html>\n");
	return g_string_free(g_steal_pointer(&page->text), false);
}

bool html_check_place(const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	struct stat st = { 0 };

	if (access(directory, W_OK | X_OK) == 0 && (lstat(path, &st) != 0 || S_ISREG(st.st_mode)))
		return true;

	fault_set(error, STATUS_CANNOT_CREATE, "Name a file in a directory that you can write.",
	          "--html %s cannot be written; nothing was changed", path);
	return false;
}
