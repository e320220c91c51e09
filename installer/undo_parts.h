/* installer/undo_parts.h - the primitives of undo.h, and what they share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <sys/types.h>

#include "installer/step.h"

/** One execution of a recipe. */
typedef struct {
	const StepHost *host; /* (nullable) */
	const char *txn_dir;  /* (nullable) */
	GPtrArray *left;      /* (element-type utf8): as in UndoReport */
} Undo;

/** Notes that @path stays, and why. */
void undo_leave(const Undo *undo, const char *path, const char *why);

/** Sets FOREIGN: a recipe that names such a path is not of our making.  Always false. */
bool undo_refuse(GError **error, const char *path, const char *why);

/** Returns: (transfer none): member @key of a primitive: an absolute canonical path of two
 *  components or more; or NULL with DATA or FOREIGN set. */
const char *undo_need_path(const json_t *part, const char *key, GError **error);

/** As undo_need_path() for "path", and the home directory does not lie in it. */
const char *undo_need_tree_path(const json_t *part, GError **error);

/** As undo_need_path() for "backup", and it lies in a directory "backup". */
const char *undo_need_backup(const json_t *part, GError **error);

/** Returns: whether the home directory is @path or lies in it. */
bool undo_holds_home(const char *path);

/** Returns: whether @path, symlinks not followed, is of the type @type (S_IFREG, ...). */
bool undo_is_of_type(const char *path, mode_t type);

/** Puts @bytes in the place of @path under a name that a second try finds again: undo_clear_stage()
 *  removes what a kill left of it. */
bool undo_put_back(const char *path, GBytes *bytes, mode_t mode, GError **error);
bool undo_clear_stage(const char *path, GError **error);

/* The primitives.  Each takes back one part, or finds that done; false with an error set. */

/** path, sha256 */
bool undo_unlink_if_hash(const Undo *undo, const json_t *part, GError **error);
/** path */
bool undo_unlink(const Undo *undo, const json_t *part, GError **error);
/** path, backup, sha256, mode */
bool undo_restore_backup(const Undo *undo, const json_t *part, GError **error);
/** path, name, sha256, [created], [glued] */
bool undo_block_remove(const Undo *undo, const json_t *part, GError **error);
/** path, target */
bool undo_unlink_link(const Undo *undo, const json_t *part, GError **error);
/** path */
bool undo_rmdir_if_empty(const Undo *undo, const json_t *part, GError **error);
/** path, token, [unless] */
bool undo_remove_tree(const Undo *undo, const json_t *part, GError **error);
/** path, backup, token, [unless] */
bool undo_restore_tree(const Undo *undo, const json_t *part, GError **error);
/** path, listing */
bool undo_remove_listed(const Undo *undo, const json_t *part, GError **error);
/** name, [backend] */
bool undo_key_delete(const Undo *undo, const json_t *part, GError **error);
/** service */
bool undo_service_stop(const Undo *undo, const json_t *part, GError **error);
/** service, was_running */
bool undo_service_resume(const Undo *undo, const json_t *part, GError **error);
/** name, at */
bool undo_model_delete(const Undo *undo, const json_t *part, GError **error);
/** path, setting, value, text, [before] */
bool undo_sysctl_restore(const Undo *undo, const json_t *part, GError **error);
/** user, group */
bool undo_group_leave(const Undo *undo, const json_t *part, GError **error);
/** path, wanted, before */
bool undo_desktop_restore(const Undo *undo, const json_t *part, GError **error);
/** path, [key_file], [backend] */
bool undo_keystore_delete(const Undo *undo, const json_t *part, GError **error);
