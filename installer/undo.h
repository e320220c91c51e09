/* installer/undo.h - the closed set of things that can be taken back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "installer/step.h"

/**
 * An undo recipe is an array of objects {"do": PRIMITIVE, ...}, executed last to first.  Every
 * primitive is idempotent: run again after a crash, it finds its work done.  Later versions read
 * every recipe ever written; a primitive is never removed or changed.
 *
 *   unlink_if_hash   path, sha256        remove our file unless somebody changed it
 *   unlink           path                remove our file, whatever is in it now
 *   restore_backup   path, backup, sha256, mode   put the bytes from before back, unless changed
 *   block_remove     path, name, sha256, [created], [glued]   take our block out of a person's file,
 *                                        unless it was changed; "created": and an empty file with it
 *   unlink_link      path, target        remove our symlink if it still points there
 *   rmdir_if_empty   path
 *   remove_tree      path, token, [unless]   remove a tree that carries our mark (see
 *                                        undo_mark_tree), but not while the file "unless" exists
 *   restore_tree     path, backup, token, [unless]   as remove_tree; then move our older tree back
 *                                        from backup or PATH.TOKEN.old, if there is one
 *   remove_listed    path, listing       remove what a finished step put into a tree, then listing:
 *                                        a file of tree_list(); edits stay and are reported.  A
 *                                        listing that is not there: the step did not finish
 *   packages_remove  manager, snapshot, planned, lock_timeout_s   remove what was added, no more
 *   key_delete       name, [backend], [profile]   "file" and "default" where none is named
 *   keystore_delete  path, key_file, [backend]   remove the store and key file that we created, if
 *                                        empty
 *   compose_down     project, directory, files, env_file, [earlier], [volumes]   "volumes": those from
 *                                        before the run; others go, too
 *   handover_remove  generated, [directory]   remove the keys in memory of a compose project, and the
 *                                        files that were generated to hand them over
 *   service_stop     service             stop the program that service describes (installer/service.h)
 *   service_resume   service, was_running   start it again if it ran before and its program is there;
 *                                        else remove its log and pid file
 *   model_delete     name, at            remove a model from the Ollama at that URL
 *   sysctl_restore   path, setting, value, text, [before]   remove our file of a setting of the kernel, and
 *                                        set what was before, unless somebody changed either
 *   group_leave      user, group         take a user out of the group docker again
 *   desktop_restore  path, wanted, before   set what Docker Desktop had before, but what somebody has
 *                                        changed since; it is stopped for it, and started again
 *   repository_remove key_path, fingerprint, source_path, text   remove a vendor's package repository
 *   noop             text                cannot be taken back; said so in the plan
 */

/** Outcome of a whole recipe: what could not or must not be removed. */
typedef struct {
	GPtrArray *
		left; /* (element-type utf8): "PATH: why", shown and put into JSON as left_in_place */
} UndoReport;

/**
 * Executes @recipe.  Goes on after a part that fails, so that as much as possible is taken back.
 *
 * Returns: false with the first error set if a part failed (not when something was left on
 * purpose: that is in @report).
 */
bool undo_run(const json_t *recipe, const StepHost *host, const char *txn_dir, UndoReport *report,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Drops doubles, and what is gone after all: directories that two steps share are left by the one
 *  that is undone first.  Call it once, after the last recipe. */
void undo_report_settle(UndoReport *report);

/** Returns: whether @name is a primitive, so that a journal with an unknown one is refused first. */
bool undo_is_known(const char *name);

/** Name of the mark in a tree that we make: a file with the token in it, written first. */
#define UNDO_MARK ".slipway-step"

/**
 * Creates the directory @path (its parent exists) with our mark in it, in one rename.  An empty
 * directory with our mark that stands already is taken.
 */
bool undo_mark_tree(const char *path, const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a tree that we made, or nothing if there is none.  It leaves its place first, and at once: a
 *  kill cannot leave half a tree there, which nobody would know as ours.  What a kill leaves is where
 *  undo_mark_tree() begins, and goes with the next call, or with the undoing. */
bool undo_drop_tree(const char *path, const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a tree where it stands, its mark last: what a kill leaves is still known as ours.  For a directory
 *  that cannot be renamed, as in a lower layer of an overlay. */
bool undo_drop_marked(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the token in the mark of the tree at @path. */
char *undo_tree_token(const char *path);
