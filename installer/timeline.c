/* installer/timeline.c - which step ran when and what it waited for
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/timeline.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/html.h"
#include "installer/timeline_private.h"

/* A run below this, and a step below this part of the run, is not worth a word. */
#define TOLD_SECONDS 1
#define TOLD_SHARE 0.05

static void row_free(gpointer data)
{
	TimelineRow *row = data;

	g_free(row->id);
	g_free(row->text);
	g_strfreev(row->after);
	g_free(row->why);
	g_free(row->wait);
	g_free(row);
}

Timeline *timeline_new(const char *title, const char *path)
{
	Timeline *timeline = g_new0(Timeline, 1);

	timeline->title = g_strdup(title);
	timeline->path = g_strdup(path);
	timeline->rows = g_ptr_array_new_with_free_func(row_free);
	return timeline;
}

void timeline_free(Timeline *timeline)
{
	if (!timeline)
		return;

	g_free(timeline->title);
	g_free(timeline->path);
	g_ptr_array_unref(timeline->rows);
	g_free(timeline);
}

double timeline_seconds(const TimelineSpan *span)
{
	gint64 end_us = span->end_us ? span->end_us : g_get_monotonic_time();

	return span->start_us ? (double)(end_us - span->start_us) / G_USEC_PER_SEC : 0;
}

void timeline_begin_group(Timeline *timeline)
{
	if (!timeline)
		return;

	timeline->first = timeline->rows->len;
	timeline->last_ended = NULL;
}

static TimelineRow *find(const Timeline *timeline, const char *id)
{
	for (guint i = timeline->first; i < timeline->rows->len; i++) {
		TimelineRow *row = timeline->rows->pdata[i];
		if (g_str_equal(row->id, id))
			return row;
	}

	return NULL;
}

void timeline_add(Timeline *timeline, const char *id, const char *text, char **after)
{
	if (!timeline || find(timeline, id))
		return;

	TimelineRow *row = g_new0(TimelineRow, 1);
	row->id = g_strdup(id);
	row->text = g_strdup(text);
	row->after = g_strdupv(after);
	g_ptr_array_add(timeline->rows, row);
}

/* While it runs, steps say "waiting for apt (process 12), which holds ...". */
static void follow_wait(TimelineRow *row, const char *detail, gint64 now_us)
{
	bool is_waiting = detail && g_str_has_prefix(detail, "waiting for ");

	if (row->wait_since_us)
		row->wait_us += now_us - row->wait_since_us;
	row->wait_since_us = is_waiting ? now_us : 0;
	if (is_waiting) {
		g_free(row->wait);
		row->wait = g_strdup(detail);
	}
}

/* What came before the first step is no part of the run: a person read the plan. */
static void begin_span(Timeline *timeline, TimelineSpan *span)
{
	span->start_us = g_get_monotonic_time();
	if (!timeline->whole.start_us)
		timeline->whole.start_us = span->start_us;
}

static void end_span(TimelineRow *row, TimelineSpan *span, ProgressState state, const char *why)
{
	char *kept = g_strdup(why);

	row->state = state;
	if (span->start_us)
		span->end_us = g_get_monotonic_time();
	g_free(row->why);
	row->why = kept;
}

void timeline_set(Timeline *timeline, const char *id, ProgressState state, const char *detail)
{
	TimelineRow *row = timeline ? find(timeline, id) : NULL;

	if (!row)
		return;
	follow_wait(row, state == PROGRESS_RUNNING ? detail : NULL, g_get_monotonic_time());
	if (state != PROGRESS_RUNNING) {
		end_span(row, &row->run, state, detail);
		row->has_failed = state == PROGRESS_FAILED;
		if (row->run.start_us)
			timeline->last_ended = row;
		return;
	}
	row->state = state;
	if (row->run.start_us)
		return;
	begin_span(timeline, &row->run);
	row->cause = timeline->last_ended;
}

void timeline_set_undo(Timeline *timeline, const char *id, ProgressState state, const char *detail)
{
	TimelineRow *row = timeline ? find(timeline, id) : NULL;

	if (!row)
		return;
	if (state == PROGRESS_RUNNING)
		begin_span(timeline, &row->undo);
	else
		end_span(row, &row->undo, state, detail ? detail : row->why);
}

GPtrArray *timeline_chain(const Timeline *timeline)
{
	g_autoptr(GPtrArray) chain = g_ptr_array_new();
	TimelineRow *last = NULL;

	for (guint i = timeline->first; i < timeline->rows->len; i++) {
		TimelineRow *row = timeline->rows->pdata[i];
		if (row->run.end_us && (!last || row->run.end_us >= last->run.end_us))
			last = row;
	}
	for (; last; last = last->cause)
		g_ptr_array_insert(chain, 0, last);

	return g_steal_pointer(&chain);
}

char *timeline_summary(const Timeline *timeline)
{
	if (!timeline || timeline_seconds(&timeline->whole) < TOLD_SECONDS)
		return NULL;

	double whole = timeline_seconds(&timeline->whole);
	g_autoptr(GPtrArray) chain = timeline_chain(timeline);
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text, "Took %.1f s", whole);
	const char *gap = ", of which ";
	for (guint i = 0; i < chain->len; i++) {
		const TimelineRow *row = chain->pdata[i];
		double seconds = timeline_seconds(&row->run);
		if (seconds < whole * TOLD_SHARE)
			continue;
		g_string_append_printf(text, "%s%s %.1f s", gap, row->id, seconds);
		gap = ", then ";
	}
	g_string_append_c(text, '.');
	return g_string_free(g_steal_pointer(&text), false);
}

bool timeline_open(App *app, const char *command, char **arguments, GError **error)
{
	const char *path = settings_text(app->settings, "html");
	g_autofree char *words = g_strjoinv(" ", arguments);
	g_autofree char *title = g_strdup_printf("slipway %s %s", command, words);

	if (path && !html_check_place(path, error))
		return false;

	app->timeline = timeline_new(g_strchomp(title), path);
	return true;
}

static bool write_page(const App *app, const char *failure, GError **error)
{
	const Timeline *timeline = app->timeline;

	if (!timeline->path)
		return true;

	g_autofree char *page = timeline_page(timeline, app->paths->home, failure);
	return file_write(timeline->path, page, strlen(page), 0644, error);
}

bool timeline_close(App *app, bool is_done, GError **error)
{
	g_autoptr(Timeline) timeline = app->timeline;
	g_autofree char *failure = is_done || !error ? NULL : fault_message(*error);
	g_autoptr(GError) cause = NULL;

	timeline->whole.end_us = g_get_monotonic_time();
	bool is_written = write_page(app, failure, &cause);
	app->timeline = NULL;
	if (is_done && !is_written)
		g_propagate_prefixed_error(error, g_steal_pointer(&cause),
		                           "it is done, but its timeline could not be written: ");
	else if (!is_written)
		term_warn(app->term, "slipway: the timeline could not be written: %s",
		          cause->message);
	return is_done && is_written;
}
