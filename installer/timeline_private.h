/* installer/timeline_private.h - the times of a run, and the page made of them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/timeline.h"

/** From when to when, in microseconds of the monotonic clock; 0: not yet. */
typedef struct {
	gint64 start_us;
	gint64 end_us;
} TimelineSpan;

typedef struct TimelineRow TimelineRow;

struct TimelineRow {
	char *id;
	char *text;
	char **after; /* (nullable) */
	ProgressState state;
	bool has_failed; /* before it was taken back */
	char *why;       /* (nullable): of its end */
	TimelineSpan run;
	TimelineSpan undo;
	TimelineRow *cause;   /* (nullable): the step whose end let this one begin */
	char *wait;           /* (nullable): what it waited for while it ran: a lock */
	gint64 wait_since_us; /* 0: it does not wait now */
	gint64 wait_us;
};

struct Timeline {
	char *title;
	char *path;      /* (nullable): of the page */
	GPtrArray *rows; /* (element-type TimelineRow) */
	guint first;     /* of the set that runs */
	TimelineRow *last_ended;
	TimelineSpan whole; /* from the first step on */
};

/** Returns: (transfer full): a timeline without a step.  @path: (nullable). */
Timeline *timeline_new(const char *title, const char *path);
void timeline_free(Timeline *timeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Timeline, timeline_free)

/** Returns: (transfer container) (element-type TimelineRow): the steps that the end had to wait for,
 *  first one first: each began when the one before it ended. */
GPtrArray *timeline_chain(const Timeline *timeline);

/** Returns: seconds of a span; up to now when it did not end. */
double timeline_seconds(const TimelineSpan *span);

/** Returns: (transfer full): the page.  @home: shown as "~".  @failure: (nullable): why the run failed. */
char *timeline_page(const Timeline *timeline, const char *home, const char *failure);
