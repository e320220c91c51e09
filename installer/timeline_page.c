/* installer/timeline_page.c - the timeline as one page that needs nothing else
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/secret.h"
#include "installer/timeline_private.h"

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
	"th:nth-child(1){width:34%}th:nth-child(3),th:nth-child(4){width:5.5rem}"
	"td:nth-child(3){text-align:right;font-variant-numeric:tabular-nums}\n"
	"small{display:block;color:var(--dim)}.chain>td:first-child>b{color:var(--chain)}\n"
	".lane{position:relative;height:1rem;margin-top:.2rem;background:linear-gradient("
	"var(--line),var(--line)) center/100% 1px no-repeat}\n"
	".lane i{position:absolute;top:.1rem;height:.8rem;min-width:2px;background:var(--dim)}\n"
	".done i{background:var(--good)}.failed i{background:var(--bad)}"
	".deferred i{background:var(--warn)}\n"
	".chain .lane i{outline:2px solid var(--chain);outline-offset:1px}\n"
	".lane i.undo{background:repeating-linear-gradient(45deg,var(--warn) 0 3px,transparent 3px "
	"6px);outline:1px solid var(--warn);outline-offset:-1px}\n"
	".bad{color:var(--bad)}\n"
	"</style>\n";

typedef struct {
	const Timeline *timeline;
	const char *home;
	GString *text;
	GPtrArray *chain;
} Page;

/* "/home/me/x" becomes "~/x"; "/home/mean" is somebody else. */
static char *hide_home(const char *text, const char *home)
{
	gsize length = strlen(home);
	g_autoptr(GString) hidden = g_string_new(NULL);
	const char *at = NULL;

	if (length <= 1)
		return g_strdup(text);
	while ((at = strstr(text, home))) {
		bool is_whole = !g_ascii_isalnum(at[length]) && !strchr("-_", at[length]);

		g_string_append_len(hidden, text, at - text);
		g_string_append(hidden, is_whole || !at[length] ? "~" : home);
		text = at + length;
	}
	g_string_append(hidden, text);
	return g_string_free(g_steal_pointer(&hidden), false);
}

/* Text from anywhere: masked, without control characters, and no markup. */
static void append_text(const Page *page, const char *text)
{
	g_autofree char *masked = secret_mask(text);
	g_autofree char *hidden = hide_home(masked, page->home);
	g_autofree char *valid = g_utf8_make_valid(hidden, -1);

	for (char *c = valid; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	g_autofree char *escaped = g_markup_escape_text(valid, -1);
	g_string_append(page->text, escaped);
}

static void append_small(const Page *page, const char *before, const char *text)
{
	g_string_append_printf(page->text, "<small>%s", before);
	append_text(page, text);
	g_string_append(page->text, "</small>");
}

static bool is_in_chain(const Page *page, const TimelineRow *row)
{
	return g_ptr_array_find(page->chain, row, NULL);
}

static void append_bar(const Page *page, const TimelineSpan *span, const char *class)
{
	const TimelineSpan *whole = &page->timeline->whole;
	double all = MAX(timeline_seconds(whole), 1e-6);
	TimelineSpan before = { whole->start_us, span->start_us };

	if (!span->start_us)
		return;
	g_string_append_printf(page->text,
	                       "<i class=\"%s\" style=\"left:%.2f%%;width:%.2f%%\" "
	                       "title=\"%.1f s to %.1f s\"></i>",
	                       class, timeline_seconds(&before) / all * 100,
	                       timeline_seconds(span) / all * 100, timeline_seconds(&before),
	                       timeline_seconds(&before) + timeline_seconds(span));
}

/* Its own dependency, or a place among those that may run at once. */
static void append_waits(const Page *page, const TimelineRow *row)
{
	const TimelineRow *cause = row->cause;

	if (cause) {
		bool is_needed =
			row->after && g_strv_contains((const char *const *)row->after, cause->id);
		append_small(page, is_needed ? "needed " : "its turn came after ", cause->id);
	}
	if (row->wait) {
		g_string_append_printf(page->text, "<small>%.1f s ",
		                       (double)row->wait_us / G_USEC_PER_SEC);
		append_text(page, row->wait);
		g_string_append(page->text, "</small>");
	}
}

static const char *result_word(const TimelineRow *row)
{
	if (row->has_failed && row->state == PROGRESS_UNDONE)
		return "failed, undone";
	return row->state == PROGRESS_WAITING ? "not begun" : progress_state_name(row->state);
}

static void append_row(const Page *page, const TimelineRow *row)
{
	const TimelineSpan *span = row->run.start_us ? &row->run : &row->undo;

	g_string_append_printf(page->text, "<tr class=\"%s%s\"><td><b>",
	                       row->has_failed ? "failed" : progress_state_name(row->state),
	                       is_in_chain(page, row) ? " chain" : "");
	append_text(page, row->id);
	g_string_append(page->text, is_in_chain(page, row) ? " ◆</b>" : "</b>");
	append_small(page, "", row->text);
	append_waits(page, row);
	g_string_append(page->text, "</td><td><div class=\"lane\">");
	append_bar(page, &row->run, "run");
	append_bar(page, &row->undo, "undo");
	g_string_append(page->text, "</div>");
	if (row->why)
		append_small(page, "", row->why);
	if (span->start_us)
		g_string_append_printf(page->text, "</td><td>%.1f s</td>", timeline_seconds(span));
	else
		g_string_append(page->text, "</td><td></td>");
	g_string_append_printf(page->text, "<td>%s</td></tr>\n", result_word(row));
}

static void append_chain(const Page *page)
{
	double seconds = 0;

	if (page->chain->len == 0)
		return;
	g_string_append(page->text, "<p>Longest chain ◆: ");
	for (guint i = 0; i < page->chain->len; i++) {
		const TimelineRow *row = page->chain->pdata[i];

		append_text(page, row->id);
		g_string_append_printf(page->text, " %.1f s%s", timeline_seconds(&row->run),
		                       i + 1 < page->chain->len ? " → " : "");
		seconds += timeline_seconds(&row->run);
	}
	g_string_append_printf(page->text, "; together %.1f s.</p>\n", seconds);
}

static void append_totals(const Page *page)
{
	const GPtrArray *rows = page->timeline->rows;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y-%m-%d %H:%M:%S UTC");
	double all = 0;
	double undo = 0;

	for (guint i = 0; i < rows->len; i++) {
		const TimelineRow *row = rows->pdata[i];
		all += timeline_seconds(&row->run);
		undo += timeline_seconds(&row->undo);
	}
	g_string_append_printf(page->text, "<p>Ended %s.", when);
	if (page->timeline->whole.start_us)
		g_string_append_printf(page->text,
		                       " From the first step on it took %.1f s; the times of the "
		                       "steps together are %.1f s.",
		                       timeline_seconds(&page->timeline->whole), all);
	else
		g_string_append(page->text, " No step ran.");
	if (undo > 0)
		g_string_append_printf(page->text, " Taking back (striped): %.1f s.", undo);
	g_string_append(page->text, "</p>\n");
}

static void append_table(const Page *page)
{
	const GPtrArray *rows = page->timeline->rows;

	if (rows->len == 0)
		return;
	g_string_append(page->text, "<table>\n<tr><th>Step</th><th>From begin to end</th>"
	                            "<th>Time</th><th>Result</th></tr>\n");
	for (guint i = 0; i < rows->len; i++)
		append_row(page, rows->pdata[i]);
	g_string_append(page->text, "</table>\n");
}

char *timeline_page(const Timeline *timeline, const char *home, const char *failure)
{
	g_autoptr(GString) text = g_string_new(head);
	g_autoptr(GPtrArray) chain = timeline_chain(timeline);
	const Page page = { timeline, home, text, chain };

	g_string_append(text, "<title>");
	append_text(&page, timeline->title);
	g_string_append(text, "</title>\n<h1>");
	append_text(&page, timeline->title);
	g_string_append(text, "</h1>\n");
	if (failure) {
		g_string_append(text, "<p class=\"bad\">Failed: ");
		append_text(&page, failure);
		g_string_append(text, "</p>\n");
	}
	append_totals(&page);
	append_chain(&page);
	append_table(&page);
	g_string_append(text, "</html>\n");
	return g_string_free(g_steal_pointer(&text), false);
}
