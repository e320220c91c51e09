/* installer/check_page.c - writes the page of "slipway check --html"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/check_page.h"

#include <string.h>

#include "base/file.h"
#include "installer/html.h"

static const char style[] =
	"th:nth-child(1){width:5rem}th:nth-child(2){width:24%}th:nth-child(3){width:30%}\n"
	"td:nth-child(1){font-weight:600}.fail>td:nth-child(1){color:var(--bad)}"
	".warn>td:nth-child(1),.unknown>td:nth-child(1){color:var(--warn)}"
	".pass>td:nth-child(1){color:var(--good)}"
	".skipped>td:nth-child(1),.ignored>td:nth-child(1){color:var(--dim)}\n"
	".tally{font-size:1.1rem}.tally b{color:var(--ink)}.tally .fail{color:var(--bad)}"
	".tally .warn,.tally .unknown{color:var(--warn)}.tally .pass{color:var(--good)}\n"
	"details{margin-top:1.5rem}summary{cursor:pointer;font-weight:600}"
	"code{overflow-wrap:anywhere;user-select:all}\n";

/** In the order in which they are shown. */
static const struct {
	const char *words; /* behind their number */
	CheckVerdict verdict;
	bool is_folded; /* in a part that opens when somebody wants to see it */
} part_table[] = {
	{ "not met", CHECK_FAIL, false },      { "to look at", CHECK_WARN, false },
	{ "not known", CHECK_UNKNOWN, false }, { "passed", CHECK_PASS, true },
	{ "let pass", CHECK_IGNORED, true },   { "not looked at", CHECK_SKIPPED, true },
};

/* Directories whose entries are called as users are. */
static const char *const user_directories[] = {
	"/home/", "/Users/", "\\Users\\", "/run/media/", "/media/", "/var/lib/systemd/linger/"
};

/* A plain word, as "docker", means something else where it is no part of a URL. */
static void hide_host(HtmlPage *page, const char *name)
{
	g_autofree char *behind_scheme = g_strconcat("://", name, NULL);
	g_autofree char *behind_user = g_strconcat("@", name, NULL);

	if (*name == '\0' || strcmp(name, "localhost") == 0)
		return;
	html_hide(page, behind_scheme, "://HOST");
	html_hide(page, behind_user, "@HOST");
	if (strpbrk(name, ".-0123456789"))
		html_hide(page, name, "HOST");
}

static void hide_host_of(HtmlPage *page, const char *url)
{
	const char *start = url != NULL ? strstr(url, "://") : NULL;
	const char *at = start != NULL ? strrchr(start, '@') : NULL;
	const char *host = at != NULL ? at + 1 : start != NULL ? start + strlen("://") : "";
	g_autofree char *name = g_strndup(host, strcspn(host, ":/"));

	hide_host(page, name);
}

static void hide_names(HtmlPage *page, const Facts *facts)
{
	const char *home = facts->system.home;

	if (home != NULL && strlen(home) > 1)
		html_hide(page, home, "~");
	for (gsize i = 0; i < G_N_ELEMENTS(user_directories); i++)
		html_hide_name(page, user_directories[i], "USER");
	hide_host(page, g_get_host_name());
	hide_host_of(page, facts->engine.endpoint);
	hide_host_of(page, facts->network.http_proxy);
	hide_host_of(page, facts->network.https_proxy);
	hide_host_of(page, facts->engine.http_proxy);
	hide_host_of(page, facts->engine.https_proxy);
}

static void append_small(HtmlPage *page, const char *text)
{
	html_markup(page, "<small>");
	html_own(page, text);
	html_markup(page, "</small>");
}

static void append_finding(HtmlPage *page, const CheckFinding *finding, const char *ids)
{
	const char *word = check_verdict_name(finding->verdict);
	bool is_met = finding->verdict == CHECK_PASS || finding->verdict == CHECK_SKIPPED;
	bool is_alone = strcmp(ids, finding->id) == 0;

	html_markup(page, "<tr class=\"%s\"><td>%s</td><td><b>", word, word);
	html_own(page, finding->check->title);
	html_markup(page, "</b>");
	append_small(page, ids);
	html_markup(page, "</td><td>");
	html_text(page, finding->measured);
	if (finding->needed != NULL && !is_met && is_alone) {
		html_markup(page, "; needed: ");
		html_text(page, finding->needed);
	}
	if (finding->verdict != CHECK_SKIPPED)
		html_element(page, "small", finding->source);
	html_markup(page, "</td><td>");
	if (!is_met)
		html_text(page, finding->remedy);
	if (finding->verdict != CHECK_SKIPPED)
		append_small(page, finding->check->explain);
	html_markup(page, "</td></tr>\n");
}

static void append_part(HtmlPage *page, const GPtrArray *findings, CheckVerdict verdict)
{
	for (guint i = 0; i < findings->len; i++) {
		const CheckFinding *finding = g_ptr_array_index(findings, i);
		g_autofree char *ids =
			finding->verdict == verdict ? findings_ids_alike(findings, i) : NULL;

		if (ids != NULL)
			append_finding(page, finding, ids);
	}
}

static void begin_table(HtmlPage *page)
{
	html_markup(page, "<table>\n<tr><th></th><th>Check</th><th>Found</th>"
	                  "<th>What can be done, and why</th></tr>\n");
}

static void append_tally(HtmlPage *page, const GPtrArray *findings)
{
	const char *gap = "";

	html_markup(page, "<p class=\"tally\">");
	for (gsize i = 0; i < G_N_ELEMENTS(part_table); i++) {
		guint count = findings_count(findings, part_table[i].verdict);

		if (count == 0)
			continue;
		html_markup(page, "%s<b class=\"%s\">%u</b> %s", gap,
		            check_verdict_name(part_table[i].verdict), count, part_table[i].words);
		gap = ", ";
	}
	html_markup(page, "</p>\n");
}

static void append_findings(HtmlPage *page, const GPtrArray *findings)
{
	g_autofree char *ignore = findings_to_ignore(findings);

	begin_table(page);
	for (gsize i = 0; i < G_N_ELEMENTS(part_table); i++)
		if (!part_table[i].is_folded)
			append_part(page, findings, part_table[i].verdict);
	html_markup(page, "</table>\n");
	if (findings_count(findings, CHECK_FAIL) > 0) {
		html_markup(page, "<p>To go on anyway: <code>--ignore ");
		html_text(page, ignore);
		html_markup(page, "</code></p>\n");
	}
}

static void append_folded(HtmlPage *page, const GPtrArray *findings)
{
	for (gsize i = 0; i < G_N_ELEMENTS(part_table); i++) {
		guint count = findings_count(findings, part_table[i].verdict);

		if (!part_table[i].is_folded || count == 0)
			continue;
		html_markup(page, "<details><summary>%u %s</summary>\n", count,
		            part_table[i].words);
		begin_table(page);
		append_part(page, findings, part_table[i].verdict);
		html_markup(page, "</table></details>\n");
	}
}

static bool is_all_met(const GPtrArray *findings)
{
	for (gsize i = 0; i < G_N_ELEMENTS(part_table); i++)
		if (!part_table[i].is_folded && findings_count(findings, part_table[i].verdict) > 0)
			return false;

	return true;
}

char *check_page(const FindingsReport *report, const char *home)
{
	g_autoptr(HtmlPage) page = html_page_new(home);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y-%m-%d %H:%M:%S UTC");
	g_autofree char *title = findings_title(report);
	g_autofree char *machine = findings_machine(report->facts);

	hide_names(page, report->facts);
	html_begin(page, title, style);
	html_element(page, "p", machine);
	html_markup(page, "<p>slipway %s, %s</p>\n", VERSION, when);
	append_tally(page, report->findings);
	if (!is_all_met(report->findings))
		append_findings(page, report->findings);
	append_folded(page, report->findings);
	return html_end(page);
}

bool check_page_write(const char *path, const FindingsReport *report, const char *home,
                      GError **error)
{
	g_autofree char *page = check_page(report, home);

	return file_write(path, page, strlen(page), 0644, error);
}
