/* base/progress.c - several steps at once: their state, and who is told of a change
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/progress.h"

#include <string.h>

#include "base/json.h"
#include "base/progress_private.h"
#include "base/term_private.h"

#define REDRAW_US (G_USEC_PER_SEC / 10)
/* A running step without a fraction counts by its expected time, up to this. */
#define GUESS_MAX 0.9
/* A rate is measured over at least this long, and the newest counts as much as this. */
#define RATE_US (G_USEC_PER_SEC / 2)
#define RATE_SHARE 0.3

const ProgressStateRow progress_state_table[] = {
	[PROGRESS_WAITING] = { "waiting", "·", ".", TERM_DIM },
	[PROGRESS_RUNNING] = { "running", "▸", ">", TERM_BOLD },
	[PROGRESS_DONE] = { "done", "✓", "+", TERM_GOOD },
	[PROGRESS_SKIPPED] = { "skipped", "–", "-", TERM_DIM },
	[PROGRESS_DEFERRED] = { "deferred", "…", "~", TERM_WARN },
	[PROGRESS_FAILED] = { "failed", "✗", "x", TERM_BAD },
	[PROGRESS_UNDONE] = { "undone", "↺", "<", TERM_WARN },
};

const char *progress_state_name(ProgressState state)
{
	return progress_state_table[state].name;
}

static void row_free(gpointer data)
{
	ProgressRow *row = data;

	g_free(row->id);
	g_free(row->text);
	g_free(row->detail);
	g_free(row);
}

static void hide(gpointer data)
{
	progress_board_erase(data);
}

static void show(gpointer data)
{
	progress_board_draw(data, false);
}

Progress *progress_new(Term *term, const char *title)
{
	Progress *progress = g_new0(Progress, 1);
	const TermLive live = { hide, show, progress };

	progress->term = term;
	progress->rows = g_ptr_array_new_with_free_func(row_free);
	progress->by_id = g_hash_table_new(g_str_hash, g_str_equal);
	progress->drawn = g_array_new(FALSE, FALSE, sizeof(guint));
	progress->started_us = g_get_monotonic_time();
	progress->is_live = term_can_draw(term);
	if (!term_is_events(term)) {
		g_autofree char *styled = term_styled(term, TERM_BOLD, title);
		term_note(term, "%s", styled);
	}
	if (progress->is_live)
		term_set_live(term, &live);
	return progress;
}

void progress_add(Progress *progress, const char *id, const char *text, guint weight)
{
	ProgressRow *row = g_new0(ProgressRow, 1);

	row->id = g_strdup(id);
	row->text = g_strdup(text);
	row->weight = MAX(weight, 1);
	row->fraction = -1;
	g_ptr_array_add(progress->rows, row);
	row->number = progress->rows->len;
	g_hash_table_insert(progress->by_id, row->id, row);
}

double progress_row_seconds(const ProgressRow *row)
{
	if (!row->started_us)
		return 0;
	gint64 end = row->ended_us ? row->ended_us : g_get_monotonic_time();
	return (double)(end - row->started_us) / G_USEC_PER_SEC;
}

static double row_share(const ProgressRow *row)
{
	if (row->state == PROGRESS_WAITING)
		return 0;
	if (row->state != PROGRESS_RUNNING)
		return 1;
	return row->fraction >= 0 ? row->fraction
	                          : MIN(progress_row_seconds(row) / row->weight, GUESS_MAX);
}

double progress_share(const Progress *progress)
{
	double done = 0;
	double all = 0;

	for (guint i = 0; i < progress->rows->len; i++) {
		const ProgressRow *row = g_ptr_array_index(progress->rows, i);

		done += row_share(row) * row->weight;
		all += row->weight;
	}
	return all > 0 ? done / all : 0;
}

static void tell_event(Progress *progress, const ProgressRow *row)
{
	g_autoptr(json_t) event = json_object();

	json_put(event, "event", "step");
	json_put(event, "id", row->id);
	json_put(event, "state", progress_state_name(row->state));
	if (row->fraction >= 0)
		json_object_set_new(event, "fraction", json_real(row->fraction));
	json_put(event, "detail", row->detail);
	term_event(progress->term, event);
}

/* One line for each state, where there is no board. */
static void tell_line(Progress *progress, const ProgressRow *row)
{
	const char *detail = row->detail ? row->detail : "";
	const char *gap = *detail ? ": " : "";

	if (row->state == PROGRESS_WAITING)
		return;
	if (row->state == PROGRESS_RUNNING)
		term_note(progress->term, "[%u/%u] %s ...", row->number, progress->rows->len,
		          row->text);
	else if (row->state == PROGRESS_DONE || row->state == PROGRESS_UNDONE)
		term_note(progress->term, "[%u/%u] %s: %s, %.1f s", row->number,
		          progress->rows->len, row->text, progress_state_name(row->state),
		          progress_row_seconds(row));
	else
		term_note(progress->term, "[%u/%u] %s: %s%s%s", row->number, progress->rows->len,
		          row->text, progress_state_name(row->state), gap, detail);
}

/* Returns: whether the time for another drawing, or another event of @last_us, has come. */
static bool is_due(gint64 last_us)
{
	return g_get_monotonic_time() - last_us >= REDRAW_US;
}

static void set_state(ProgressRow *row, ProgressState state)
{
	gint64 now = g_get_monotonic_time();
	bool is_moving = state == PROGRESS_RUNNING;

	if (is_moving && row->state != PROGRESS_RUNNING) {
		row->started_us = now;
		row->ended_us = 0;
	} else if (!is_moving && row->state == PROGRESS_RUNNING) {
		row->ended_us = now;
	}
	row->state = state;
}

void progress_set(Progress *progress, const char *id, ProgressState state, double fraction,
                  const char *detail)
{
	ProgressRow *row = g_hash_table_lookup(progress->by_id, id);
	g_return_if_fail(row);

	bool is_news = row->state != state;
	set_state(row, state);
	row->fraction = fraction >= 0 ? MIN(fraction, 1.0) : -1; /* NaN too is "not known" */
	char *kept = detail && *detail ? g_strdup(detail) : NULL;
	g_free(row->detail);
	row->detail = kept;

	if (term_is_events(progress->term)) {
		if (is_news || is_due(row->told_us)) {
			row->told_us = g_get_monotonic_time();
			tell_event(progress, row);
		}
	} else if (!progress->is_live) {
		if (is_news)
			tell_line(progress, row);
	} else if (is_news || is_due(progress->drawn_us)) {
		progress_board_draw(progress, false);
	}
}

/* What was there before the first measurement, as of an earlier run, was not loaded now. */
static void measure_rate(ProgressRow *row, guint64 done_bytes)
{
	gint64 now_us = g_get_monotonic_time();
	bool is_first = row->seen_us == 0 || done_bytes < row->seen_bytes;

	if (is_first) {
		row->rate = 0;
	} else if (now_us - row->seen_us < RATE_US) {
		return;
	} else {
		double newest = (double)(done_bytes - row->seen_bytes) * G_USEC_PER_SEC /
		                (double)(now_us - row->seen_us);
		row->rate = row->rate > 0 ? row->rate + RATE_SHARE * (newest - row->rate) : newest;
	}
	row->seen_bytes = done_bytes;
	row->seen_us = now_us;
}

static void append_size(GString *text, const char *before, guint64 size_bytes)
{
	g_autofree char *size = g_format_size_full(size_bytes, G_FORMAT_SIZE_IEC_UNITS);
	g_auto(GStrv) words = g_strsplit(size, "\u00a0", 2); /* not every terminal has that blank */
	g_autofree char *plain = g_strjoinv(" ", words);

	g_string_append_printf(text, "%s%s", before, plain);
}

static void append_left(GString *text, double seconds)
{
	guint whole = (guint)MIN(seconds + 1, 359999); /* below 100 hours */

	if (whole < 60)
		g_string_append_printf(text, ", %u s left", whole);
	else
		g_string_append_printf(text, ", %u:%02u left", whole / 60, whole % 60);
}

void progress_set_bytes(Progress *progress, const char *id, guint64 done_bytes, guint64 total_bytes)
{
	ProgressRow *row = g_hash_table_lookup(progress->by_id, id);
	g_autoptr(GString) text = g_string_new(NULL);
	bool is_known = total_bytes > 0 && done_bytes <= total_bytes;

	g_return_if_fail(row);
	measure_rate(row, done_bytes);
	append_size(text, "", done_bytes);
	if (is_known)
		append_size(text, " of ", total_bytes);
	if (row->rate >= 1) {
		append_size(text, ", ", (guint64)row->rate);
		g_string_append(text, "/s");
	}
	if (is_known && row->rate >= 1 && done_bytes < total_bytes)
		append_left(text, (double)(total_bytes - done_bytes) / row->rate);
	progress_set(progress, id, PROGRESS_RUNNING,
	             is_known ? (double)done_bytes / (double)total_bytes : -1, text->str);
}

void progress_tick(Progress *progress)
{
	if (progress->is_live && is_due(progress->drawn_us))
		progress_board_draw(progress, false);
}

void progress_free(Progress *progress)
{
	if (!progress)
		return;
	if (progress->is_live) {
		progress_board_draw(progress, true);
		term_set_live(progress->term, NULL);
	}
	g_array_unref(progress->drawn);
	g_hash_table_unref(progress->by_id);
	g_ptr_array_unref(progress->rows);
	g_free(progress);
}
