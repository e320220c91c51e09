/* base/progress_board.c - the steps drawn in place on a terminal
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/progress_private.h"
#include "base/secret.h"
#include "base/term_private.h"

#define BAR_COLUMNS 20
/* Details narrower than this say nothing. */
#define DETAIL_MIN_COLUMNS 10
/* Terminals narrower than this get no bars. */
#define BAR_MIN_WIDTH 60

/* What is drawn, as one string, and the columns that each line of it takes. */
typedef struct {
	const Progress *progress;
	GString *text;
	GArray *widths;
	guint columns; /* a line has at most */
} Drawing;

static const char *ellipsis(const Progress *progress)
{
	return term_is_utf8(progress->term) ? "…" : "...";
}

/* Returns: (transfer full): text of a step, masked, in one harmless line of at most @columns. */
static char *fit(const Drawing *drawing, const char *text, guint columns)
{
	g_autofree char *masked = secret_mask(text);

	g_strdelimit(masked, "\n\t", ' ');
	return term_text_fit(masked, columns, ellipsis(drawing->progress));
}

static void append_styled(Drawing *drawing, TermStyle style, const char *text)
{
	g_autofree char *styled = term_styled(drawing->progress->term, style, text);

	g_string_append(drawing->text, styled);
}

/* Ends the line of @width columns; what stood behind it goes away. */
static void end_line(Drawing *drawing, guint width)
{
	g_string_append(drawing->text, "\x1b[K\n");
	g_array_append_val(drawing->widths, width);
}

/* Returns: (transfer full): "#####.....  45 %". */
static char *bar(const Progress *progress, double fraction)
{
	const char *full = term_is_utf8(progress->term) ? "█" : "#";
	const char *rest = term_is_utf8(progress->term) ? "░" : ".";
	guint filled = (guint)(fraction * BAR_COLUMNS);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < BAR_COLUMNS; i++)
		g_string_append(text, i < filled ? full : rest);
	g_string_append_printf(text, " %3d %%", (int)(fraction * 100));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Returns: (transfer full): "12.3 s", "3:05". */
static char *elapsed(double seconds)
{
	guint whole = (guint)seconds;

	return whole < 60 ? g_strdup_printf("%.1f s", seconds)
	                  : g_strdup_printf("%u:%02u", whole / 60, whole % 60);
}

/* Returns: (transfer full): what stands at the right of a step's line. */
static char *right_part(const Drawing *drawing, const ProgressRow *row)
{
	if (!row->started_us)
		return g_strdup("");

	g_autofree char *time = elapsed(progress_row_seconds(row));
	if (row->state != PROGRESS_RUNNING || row->fraction < 0 || drawing->columns < BAR_MIN_WIDTH)
		return g_strdup(time);
	g_autofree char *filled = bar(drawing->progress, row->fraction);
	return g_strdup_printf("%s  %7s", filled, time);
}

/* What happens now may take half of the line from a long text. */
static guint text_columns(const ProgressRow *row, guint left)
{
	guint detail = row->state == PROGRESS_RUNNING && row->detail
	                       ? term_text_width(row->detail) + 2
	                       : 0;

	return detail < left / 2 ? left - detail : left - left / 2;
}

static void draw_row(Drawing *drawing, const ProgressRow *row)
{
	const ProgressStateRow *look = &progress_state_table[row->state];
	g_autofree char *right = right_part(drawing, row);
	guint right_width = term_text_width(right);
	guint taken = 2 + right_width + 1; /* symbol and blank; blank before the right part */
	guint left = drawing->columns > taken ? drawing->columns - taken : 0;
	g_autofree char *text = fit(drawing, row->text, text_columns(row, left));
	guint width = term_text_width(text);

	append_styled(drawing, look->style,
	              term_is_utf8(drawing->progress->term) ? look->symbol : look->ascii);
	g_string_append_printf(drawing->text, " %s", text);
	if (row->detail && left >= width + DETAIL_MIN_COLUMNS) {
		g_autofree char *detail = fit(drawing, row->detail, left - width - 2);

		g_string_append(drawing->text, "  ");
		append_styled(drawing, TERM_DIM, detail);
		width += 2 + term_text_width(detail);
	}
	if (left > 0) {
		g_string_append_printf(drawing->text, "%*s ", (int)(left - width), "");
		append_styled(drawing, TERM_DIM, right);
	}
	end_line(drawing, left > 0 ? drawing->columns : 2);
}

static bool is_finished(const ProgressRow *row)
{
	return row->state != PROGRESS_WAITING && row->state != PROGRESS_RUNNING;
}

/* Marks rows of one kind as shown while @room lasts; finished ones from the end, so
 * that the last ones stay. */
static void choose(const GPtrArray *rows, GByteArray *is_shown, guint *room,
                   bool (*is_wanted)(const ProgressRow *))
{
	for (guint i = 0; i<rows->len && * room> 0; i++) {
		guint at = is_wanted == is_finished ? rows->len - 1 - i : i;

		if (!is_shown->data[at] && is_wanted(g_ptr_array_index(rows, at))) {
			is_shown->data[at] = true;
			(*room)--;
		}
	}
}

static bool is_urgent(const ProgressRow *row)
{
	return row->state == PROGRESS_RUNNING || row->state == PROGRESS_FAILED;
}

static bool is_waiting(const ProgressRow *row)
{
	return row->state == PROGRESS_WAITING;
}

/* The line for the rows that found no room. */
static void draw_folded(Drawing *drawing, const GByteArray *is_shown)
{
	const GPtrArray *rows = drawing->progress->rows;
	guint finished = 0;
	guint others = 0;

	for (guint i = 0; i < rows->len; i++) {
		if (is_shown->data[i])
			continue;
		if (is_finished(g_ptr_array_index(rows, i)))
			finished++;
		else
			others++;
	}
	g_autofree char *text = g_strdup_printf("  and %u finished, %u to come", finished, others);
	g_autofree char *fitted = fit(drawing, text, drawing->columns);
	append_styled(drawing, TERM_DIM, fitted);
	end_line(drawing, term_text_width(fitted));
}

/* @room: lines for steps. */
static void draw_rows(Drawing *drawing, guint room)
{
	const GPtrArray *rows = drawing->progress->rows;
	bool is_folded = rows->len > room;
	g_autoptr(GByteArray) is_shown = g_byte_array_new();

	g_byte_array_set_size(is_shown, rows->len);
	if (rows->len > 0)
		memset(is_shown->data, false, rows->len);
	if (is_folded)
		room = room > 1 ? room - 1 : 0;
	choose(rows, is_shown, &room, is_urgent);
	choose(rows, is_shown, &room, is_waiting);
	choose(rows, is_shown, &room, is_finished);
	for (guint i = 0; i < rows->len; i++)
		if (is_shown->data[i])
			draw_row(drawing, g_ptr_array_index(rows, i));
	if (is_folded)
		draw_folded(drawing, is_shown);
}

static void draw_overall(Drawing *drawing)
{
	const Progress *progress = drawing->progress;
	double seconds = (double)(g_get_monotonic_time() - progress->started_us) / G_USEC_PER_SEC;
	g_autofree char *filled = bar(progress, progress_share(progress));
	g_autofree char *time = elapsed(seconds);
	g_autofree char *text = g_strdup_printf("  %s  %s", filled, time);
	g_autofree char *fitted = fit(drawing, text, drawing->columns);

	g_string_append(drawing->text, fitted);
	end_line(drawing, term_text_width(fitted));
}

/* Returns: lines of the screen that the drawn board takes.  A terminal that became narrower has
 * broken those that no longer fit. */
static guint standing_lines(const Progress *progress, guint columns)
{
	guint lines = 0;

	for (guint i = 0; i < progress->drawn->len; i++) {
		guint width = g_array_index(progress->drawn, guint, i);

		lines += width > columns ? (width + columns - 1) / columns : 1;
	}
	return lines;
}

static void append_return(GString *text, const Progress *progress)
{
	guint lines = standing_lines(progress, term_width(progress->term));

	g_string_append_c(text, '\r');
	if (lines > 0)
		g_string_append_printf(text, "\x1b[%uA", lines);
}

void progress_board_erase(Progress *progress)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (progress->drawn->len == 0)
		return;
	append_return(text, progress);
	g_string_append(text, "\x1b[J");
	term_draw(progress->term, text->str);
	g_array_set_size(progress->drawn, 0);
}

void progress_board_draw(Progress *progress, bool is_last)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GArray) widths = g_array_new(FALSE, FALSE, sizeof(guint));
	guint height = term_height(progress->term);
	Drawing drawing = {
		.progress = progress,
		.text = text,
		.widths = widths,
		/* A line that fills its last column leaves the cursor in doubt. */
		.columns = MAX(term_width(progress->term), 4) - 1,
	};

	append_return(text, progress);
	/* One line is the overall bar's, one the cursor's. */
	draw_rows(&drawing, is_last ? G_MAXUINT : (height > 3 ? height - 2 : 1));
	draw_overall(&drawing);
	g_string_append(text, "\x1b[J");
	term_draw(progress->term, text->str);

	progress->drawn_us = g_get_monotonic_time();
	g_array_set_size(progress->drawn, 0);
	g_array_append_vals(progress->drawn, widths->data, widths->len);
}
