/* tests/test_installer_timeline.c - installer/timeline: what waited for what, and the page of it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/secret.h"
#include "installer/timeline_private.h"

#define SECOND G_USEC_PER_SEC

static char *no_step[] = { NULL };
static char *after_packages[] = { (char[]){ "packages" }, NULL };

/* packages, then python; a model beside them. */
static Timeline *make(void)
{
	Timeline *timeline = timeline_new("slipway install x", NULL);

	timeline_begin_group(timeline);
	timeline_add(timeline, "packages", "installing git", no_step);
	timeline_add(timeline, "model", "pulling <m> & \"more\"", no_step);
	timeline_add(timeline, "python", "into /home/me/x, not /home/mean", after_packages);
	timeline_add(timeline, "never", "what nobody began", after_packages);
	timeline_set(timeline, "packages", PROGRESS_RUNNING, NULL);
	timeline_set(timeline, "model", PROGRESS_RUNNING, NULL);
	timeline_set(timeline, "packages", PROGRESS_RUNNING, "waiting for apt, which holds it");
	timeline_set(timeline, "packages", PROGRESS_RUNNING, "unpacking");
	timeline_set(timeline, "packages", PROGRESS_DONE, NULL);
	timeline_set(timeline, "python", PROGRESS_RUNNING, NULL);
	timeline_set(timeline, "model", PROGRESS_DONE, NULL);
	return timeline;
}

static TimelineRow *row_of(const Timeline *timeline, guint i)
{
	g_assert_cmpuint(i, <, timeline->rows->len);
	return timeline->rows->pdata[i];
}

static void end(Timeline *timeline, ProgressState state, const char *why)
{
	timeline_set(timeline, "python", state, why);
	timeline->whole.end_us = g_get_monotonic_time();
}

static char *page_of(const Timeline *timeline, const char *failure)
{
	return timeline_page(timeline, "/home/me", failure);
}

static void assert_has(const char *page, const char *text)
{
	if (!strstr(page, text))
		g_error("\"%s\" is not in %s", text, page);
}

static void assert_lacks(const char *page, const char *text)
{
	if (strstr(page, text))
		g_error("\"%s\" is in %s", text, page);
}

static void test_nothing(void)
{
	timeline_begin_group(NULL);
	timeline_add(NULL, "a", "b", NULL);
	timeline_set(NULL, "a", PROGRESS_RUNNING, NULL);
	timeline_set_undo(NULL, "a", PROGRESS_RUNNING, NULL);
	g_assert_null(timeline_summary(NULL));

	g_autoptr(Timeline) timeline = timeline_new("slipway install x", NULL);
	timeline_set(timeline, "unknown", PROGRESS_DONE, NULL);
	g_autofree char *page = page_of(timeline, NULL);
	assert_has(page, "No step ran.");
	assert_lacks(page, "<table");
	g_assert_null(timeline_summary(timeline));
}

static void test_chain(void)
{
	g_autoptr(Timeline) timeline = make();
	end(timeline, PROGRESS_DONE, NULL);
	g_autoptr(GPtrArray) chain = timeline_chain(timeline);

	g_assert_cmpuint(chain->len, ==, 2);
	g_assert_true(chain->pdata[0] == row_of(timeline, 0));
	g_assert_true(chain->pdata[1] == row_of(timeline, 2));
}

/* Times as they might have been. */
static void test_summary(void)
{
	g_autoptr(Timeline) timeline = make();
	end(timeline, PROGRESS_DONE, NULL);
	g_assert_null(timeline_summary(timeline));

	timeline->whole = (TimelineSpan){ SECOND, 42 * SECOND };
	row_of(timeline, 1)->run = (TimelineSpan){ SECOND, 5 * SECOND };
	row_of(timeline, 0)->run = (TimelineSpan){ SECOND, 2 * SECOND };
	row_of(timeline, 2)->run = (TimelineSpan){ 2 * SECOND, 41 * SECOND };
	g_autofree char *one = timeline_summary(timeline);
	g_assert_cmpstr(one, ==, "Took 41.0 s, of which python 39.0 s.");

	row_of(timeline, 0)->run.end_us = row_of(timeline, 2)->run.start_us = 11 * SECOND;
	g_autofree char *two = timeline_summary(timeline);
	g_assert_cmpstr(two, ==, "Took 41.0 s, of which packages 10.0 s, then python 30.0 s.");

	g_autofree char *page = page_of(timeline, NULL);
	assert_has(page, "it took 41.0 s; the times of the steps together are 44.0 s.");
	assert_has(page, "left:24.39%;width:73.17%");
	assert_has(page, "packages 10.0 s → python 30.0 s; together 40.0 s.");
}

static void test_page(void)
{
	static const char *const foreign[] = { "<script", "http:", "https:",       "url(",
		                               "src=",    "href=", "class=\"bad\"" };
	g_autoptr(Timeline) timeline = make();
	end(timeline, PROGRESS_DONE, NULL);
	g_autofree char *page = page_of(timeline, NULL);

	assert_has(page, "pulling &lt;m&gt; &amp; &quot;more&quot;");
	assert_has(page, "into ~/x, not /home/mean");
	assert_has(page, "<small>needed packages</small>");
	assert_has(page, "s waiting for apt, which holds it</small>");
	assert_has(page, "<td>not begun</td>");
	assert_has(page, "prefers-color-scheme:dark");
	assert_has(page, "@media print");
	for (gsize i = 0; i < G_N_ELEMENTS(foreign); i++)
		assert_lacks(page, foreign[i]);
}

/* What a step says is somebody else's text: a server's, a program's. */
static void test_hostile(void)
{
	static const char secret[] = "sk-hostile-0123456789";
	g_autoptr(Timeline) timeline = make();

	secret_mask_value(secret, strlen(secret));
	end(timeline, PROGRESS_FAILED, "\x1b[2J\xff</td><script>sk-hostile-0123456789\n/home/me");
	g_autofree char *page = page_of(timeline, "<b>sk-hostile-0123456789");

	assert_lacks(page, "<script");
	assert_lacks(page, secret);
	assert_lacks(page, "\x1b");
	assert_has(page, "&lt;script&gt;[masked] ~</small>");
	assert_has(page, "<p class=\"bad\">Failed: &lt;b&gt;[masked]</p>");
	g_assert_true(g_utf8_validate(page, -1, NULL));
}

static void test_undo(void)
{
	g_autoptr(Timeline) timeline = make();

	timeline_set(timeline, "python", PROGRESS_FAILED, "no network");
	timeline_add(timeline, "python", "the same", NULL);
	g_assert_cmpuint(timeline->rows->len, ==, 4);
	timeline_set_undo(timeline, "python", PROGRESS_RUNNING, "taking back");
	timeline_set_undo(timeline, "python", PROGRESS_UNDONE, NULL);
	timeline->whole.end_us = g_get_monotonic_time();

	g_autofree char *page = page_of(timeline, NULL);
	assert_has(page, "class=\"undo\"");
	assert_has(page, "<td>failed, undone</td>");
	assert_has(page, "<tr class=\"failed chain\">");
	assert_has(page, "<small>no network</small>");
}

/* One at a time: the next one's turn comes, it needs nothing of the one before. */
static void test_turns(void)
{
	g_autoptr(Timeline) timeline = timeline_new("t", NULL);

	timeline_add(timeline, "one", "1", no_step);
	timeline_add(timeline, "two", "2", no_step);
	timeline_set(timeline, "one", PROGRESS_RUNNING, NULL);
	timeline_set(timeline, "one", PROGRESS_DONE, NULL);
	timeline_set(timeline, "two", PROGRESS_RUNNING, NULL);
	timeline_set(timeline, "two", PROGRESS_DONE, NULL);
	g_autofree char *page = page_of(timeline, NULL);
	assert_has(page, "its turn came after one");

	timeline_begin_group(timeline);
	timeline_add(timeline, "one", "of another set", no_step);
	g_assert_cmpuint(timeline->rows->len, ==, 3);
	timeline_set(timeline, "one", PROGRESS_RUNNING, NULL);
	g_assert_null(row_of(timeline, 2)->cause);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/timeline/nothing", test_nothing);
	g_test_add_func("/timeline/chain", test_chain);
	g_test_add_func("/timeline/summary", test_summary);
	g_test_add_func("/timeline/page", test_page);
	g_test_add_func("/timeline/hostile", test_hostile);
	g_test_add_func("/timeline/undo", test_undo);
	g_test_add_func("/timeline/turns", test_turns);
	return g_test_run();
}
