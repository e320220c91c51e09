/* base/progress_private.h - the state of the steps, and the board that shows it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/progress.h"

/** What each state is called and looks like; by ProgressState. */
typedef struct {
	const char *name;
	const char *symbol;
	const char *ascii;
	TermStyle style;
} ProgressStateRow;

extern const ProgressStateRow progress_state_table[];

typedef struct {
	char *id;
	char *text;
	char *detail; /* (nullable) */
	guint number; /* from 1 */
	guint weight;
	ProgressState state;
	double fraction;    /* negative: not known */
	gint64 started_us;  /* 0: never ran */
	gint64 ended_us;    /* 0: did not end */
	gint64 told_us;     /* when the last event went out */
	guint64 seen_bytes; /* when the rate was last measured */
	gint64 seen_us;     /* 0: never */
	double rate;        /* bytes each second; 0: not known */
} ProgressRow;

struct Progress {
	Term *term;
	GPtrArray *rows;   /* (element-type ProgressRow) */
	GHashTable *by_id; /* to the same rows */
	bool is_live;
	gint64 started_us;
	gint64 drawn_us;
	GArray *drawn; /* (element-type guint): columns of each line that stands on the screen */
};

/** Returns: seconds that the step ran, or runs so far. */
double progress_row_seconds(const ProgressRow *row);

/** Returns: the weighted part that is done, 0 to 1. */
double progress_share(const Progress *progress);

/** Draws over what stands there.  @is_last: all rows, however many, and they stay. */
void progress_board_draw(Progress *progress, bool is_last);

/** Takes the board off the screen; the cursor is where it began. */
void progress_board_erase(Progress *progress);
