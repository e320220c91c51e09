/* installer/timeline.h - which step ran when and what it waited for; --html shows it as a page
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/progress.h"
#include "installer/command.h"

/** The times of one run, by the monotonic clock.  All functions accept NULL, and do nothing then.
 *  Only the scheduler's thread calls them. */
typedef struct Timeline Timeline;

/** Begins app->timeline.  @arguments: what the command was called with, NULL-terminated.
 *  Returns: false with CANNOT_CREATE set when the file of --html could not be written later. */
bool timeline_open(App *app, const char *command, char **arguments,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends app->timeline and writes the page that --html asked for.
 *  @is_done: how the command ended; else @error is set.
 *  Returns: @is_done; false with the error of file_write() set when only the page failed. */
bool timeline_close(App *app, bool is_done, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Begins another set of steps; those of earlier ones are not changed any more. */
void timeline_begin_group(Timeline *timeline);

/** Adds a step that may run, unless the set has it.  @after: (nullable): ids that it needs. */
void timeline_add(Timeline *timeline, const char *id, const char *text, char **after);

/** Follows a step: it begins, says what it does, ends.  @detail: (nullable): what it does, or why it
 *  ended so.  It waited for the step that ended last before it began. */
void timeline_set(Timeline *timeline, const char *id, ProgressState state, const char *detail);

/** The same while a step is taken back. */
void timeline_set_undo(Timeline *timeline, const char *id, ProgressState state, const char *detail);

/** Returns: (transfer full) (nullable): the longest chain, for people: "Took 41.2 s, of which python
 *  30.0 s."; NULL when it was too short to wonder. */
char *timeline_summary(const Timeline *timeline);
