/* installer/owned_tree.h - a directory tree that one step makes, and replaces as a whole
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/** In a finished tree: the digest of the step that made it.  Written last. */
#define OWNED_TREE_COMPLETE ".slipway-complete"

/** Judges the tree at @path by mark, completion and receipt: ABSENT, OURS, PARTIAL or FOREIGN. */
Probe owned_tree_probe(const StepRun *run, const char *path);

/** Returns: whether this very step finished the tree at @path. */
bool owned_tree_is_complete(const StepRun *run, const char *path);

/** Returns: (transfer full): the recipe for prepare: back to what stands at @path now. */
json_t *owned_tree_recipe(const StepRun *run, const char *path);

/**
 * Begins a tree that is built aside.  Parents are made.
 *
 * Returns: (transfer full): a path on the same file system that does not exist yet, to build in;
 * or NULL with an error set.
 */
char *owned_tree_stage(const StepRun *run, const char *path,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Marks, completes and syncs what was built at @staged, and renames it to @path; an older tree of
 *  ours is moved out of the way first, and comes back if that fails. */
bool owned_tree_place(const StepRun *run, const char *path, const char *staged,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Begins a tree that has to be built in its final place: an older tree of ours is moved out of
 *  the way, and a marked empty directory stands there then. */
bool owned_tree_begin(const StepRun *run, const char *path,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Completes and syncs it. */
bool owned_tree_finish(const StepRun *run, const char *path,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Lists the finished tree into a file of the state directory, which its recipe names, and removes
 * what it was built in.
 *
 * Returns: (transfer full): the result for the receipt: "path", "listing" (a file), and "kept" or
 * "discard" when an older tree still stands somewhere.
 */
json_t *owned_tree_result(const StepRun *run, const char *path,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
