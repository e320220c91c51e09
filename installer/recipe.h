/* installer/recipe.h - what the step kinds share: inputs, stack members, undo recipes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/** Largest member of a stack that a step reads, in bytes.  Source: our own bound. */
#define RECIPE_MEMBER_MAX_BYTES ((gsize)16 * 1024 * 1024)

/** Returns: (transfer none): the input @key, which must be an absolute path for "path"; or NULL
 *  with CONFIG set. */
const char *recipe_input(const StepRun *run, const char *key, GError **error);

/** Parses the octal input "mode".  Returns: false with CONFIG set. */
bool recipe_mode(const StepRun *run, mode_t fallback, mode_t *mode, GError **error);

/** Returns: (transfer full): a file of the stack: from the transaction while there is one, else
 *  from where the stack's files are kept; or NULL with an error of file_read() or UNTRUSTED (not
 *  the bytes that the plan was made with) set. */
GBytes *recipe_member(const StepRun *run, const char *member,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the bytes with a NUL behind them. */
char *recipe_text(GBytes *bytes);

/** Returns: (transfer full): where what goes to @path is built, beside it. */
char *recipe_stage(const StepRun *run, const char *path);

/** Returns: (transfer full): the path of the backup @name of this transaction. */
char *recipe_backup(const StepRun *run, const char *name);

/** Appends the primitive @verb with the string members that follow, key and value in turns, up to
 *  a NULL. */
void recipe_add(json_t *recipe, const char *verb, ...) G_GNUC_NULL_TERMINATED;

/** Appends rmdir_if_empty for each missing directory on the way to @directory, itself included. */
void recipe_add_missing_dirs(json_t *recipe, const char *directory);

/** Returns: whether the receipt records exactly this step. */
bool recipe_is_recorded(const StepRun *run);

/** Tells the scheduler what happens now. */
void recipe_report(const StepRun *run, double fraction, const char *detail);

/** The same of a download, whose callback this is.  @data: the StepRun.  @total_bytes: 0: not known. */
void recipe_report_bytes(guint64 done_bytes, guint64 total_bytes, gpointer data);

/** Returns: IO when @output of a program says that the disk is full, UNAVAILABLE when it says that
 *  the network or a server did not answer, else @fallback. */
int recipe_status_of(const char *output, int fallback);
