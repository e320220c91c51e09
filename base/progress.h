/* base/progress.h - several steps at once, live on a terminal, line by line elsewhere
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/term.h"

typedef enum {
	PROGRESS_WAITING,
	PROGRESS_RUNNING,
	PROGRESS_DONE,
	PROGRESS_SKIPPED,  /* nothing to do */
	PROGRESS_DEFERRED, /* its source cannot be reached; left for later */
	PROGRESS_FAILED,
	PROGRESS_UNDONE,
} ProgressState;

/** A board of steps.  Only one thread (the scheduler) calls these. */
typedef struct Progress Progress;

/** @title: one line above the board, e.g. "Installing LocalAgent". */
Progress *progress_new(Term *term, const char *title);

/** Adds a row.  @weight: expected seconds, for the overall bar; at least 1. */
void progress_add(Progress *progress, const char *id, const char *text, guint weight);

/** Changes a row; redraws at most ten times a second.  @detail: (nullable): what happens now.
 *  @fraction: 0 to 1, or negative when it is not known. */
void progress_set(Progress *progress, const char *id, ProgressState state, double fraction,
                  const char *detail);

/** A running step has loaded @done_bytes of @total_bytes (0: not known): shown with the rate, and the
 *  time that is left. */
void progress_set_bytes(Progress *progress, const char *id, guint64 done_bytes,
                        guint64 total_bytes);

/** Redraws the live board if it is due: elapsed times go on without events. */
void progress_tick(Progress *progress);

/** Leaves the final board on the screen.  Accepts NULL. */
void progress_free(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)

/** Returns: the stable word for a state, in JSON: "done", "deferred". */
const char *progress_state_name(ProgressState state);
