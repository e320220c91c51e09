/* installer/timeline_page.c - the timeline as one page that needs nothing else
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/html.h"
#include "installer/timeline_private.h"

static const char style[] =
	"th:nth-child(1){width:34%}th:nth-child(3),th:nth-child(4){width:5.5rem}"
	"td:nth-child(3){text-align:right;font-variant-numeric:tabular-nums}\n"
	".chain>td:first-child>b{color:var(--chain)}\n"
	".lane{position:relative;height:1rem;margin-top:.2rem;background:linear-gradient("
	"var(--line),var(--line)) center/100% 1px no-repeat}\n"
	".lane i{position:absolute;top:.1rem;height:.8rem;min-width:2px;background:var(--dim)}\n"
	".done i{background:var(--good)}.failed i{background:var(--bad)}"
	".deferred i{background:var(--warn)}\n"
	".chain .lane i{outline:2px solid var(--chain);outline-offset:1px}\n"
	".lane i.undo{background:repeating-linear-gradient(45deg,var(--warn) 0 3px,transparent 3px "
	"6px);outline:1px solid var(--warn);outline-offset:-1px}\n";

typedef struct {
	const Timeline *timeline;
	HtmlPage *html;
	GPtrArray *chain;
} Page;

static void append_small(const Page *page, const char *before, const char *text)
{
	html_markup(page->html, "<small>%s", before);
	html_text(page->html, text);
	html_markup(page->html, "</small>");
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
	html_markup(page->html,
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
		html_markup(page->html, "<small>%.1f s ", (double)row->wait_us / G_USEC_PER_SEC);
		html_text(page->html, row->wait);
		html_markup(page->html, "</small>");
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

	html_markup(page->html, "<tr class=\"%s%s\"><td><b>",
	            row->has_failed ? "failed" : progress_state_name(row->state),
	            is_in_chain(page, row) ? " chain" : "");
	html_text(page->html, row->id);
	html_markup(page->html, is_in_chain(page, row) ? " ◆</b>" : "</b>");
	append_small(page, "", row->text);
	append_waits(page, row);
	html_markup(page->html, "</td><td><div class=\"lane\">");
	append_bar(page, &row->run, "run");
	append_bar(page, &row->undo, "undo");
	html_markup(page->html, "</div>");
	if (row->why)
		append_small(page, "", row->why);
	if (span->start_us)
		html_markup(page->html, "</td><td>%.1f s</td>", timeline_seconds(span));
	else
		html_markup(page->html, "</td><td></td>");
	html_markup(page->html, "<td>%s</td></tr>\n", result_word(row));
}

static void append_chain(const Page *page)
{
	double seconds = 0;

	if (page->chain->len == 0)
		return;
	html_markup(page->html, "<p>Longest chain ◆: ");
	for (guint i = 0; i < page->chain->len; i++) {
		const TimelineRow *row = page->chain->pdata[i];

		html_text(page->html, row->id);
		html_markup(page->html, " %.1f s%s", timeline_seconds(&row->run),
		            i + 1 < page->chain->len ? " → " : "");
		seconds += timeline_seconds(&row->run);
	}
	html_markup(page->html, "; together %.1f s.</p>\n", seconds);
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
	html_markup(page->html, "<p>Ended %s.", when);
	if (page->timeline->whole.start_us)
		html_markup(page->html,
		            " From the first step on it took %.1f s; the times of the "
		            "steps together are %.1f s.",
		            timeline_seconds(&page->timeline->whole), all);
	else
		html_markup(page->html, " No step ran.");
	if (undo > 0)
		html_markup(page->html, " Taking back (striped): %.1f s.", undo);
	html_markup(page->html, "</p>\n");
}

static void append_table(const Page *page)
{
	const GPtrArray *rows = page->timeline->rows;

	if (rows->len == 0)
		return;
	html_markup(page->html, "<table>\n<tr><th>Step</th><th>From begin to end</th>"
	                        "<th>Time</th><th>Result</th></tr>\n");
	for (guint i = 0; i < rows->len; i++)
		append_row(page, rows->pdata[i]);
	html_markup(page->html, "</table>\n");
}

char *timeline_page(const Timeline *timeline, const char *home, const char *failure)
{
	g_autoptr(HtmlPage) html = html_page_new(home);
	g_autoptr(GPtrArray) chain = timeline_chain(timeline);
	const Page page = { timeline, html, chain };

	html_begin(html, timeline->title, style);
	if (failure) {
		html_markup(html, "<p class=\"bad\">Failed: ");
		html_text(html, failure);
		html_markup(html, "</p>\n");
	}
	append_totals(&page);
	append_chain(&page);
	append_table(&page);
	return html_end(html);
}
