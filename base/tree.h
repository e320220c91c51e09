/* base/tree.h - directory trees that belong to us
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/** Removes @path and all below it without following a symlink or crossing a mount; an absent
 *  path is success.  Makes read-only directories writable on the way. */
bool tree_remove(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Lists a tree: a JSON object from relative path to "d", "l TARGET" or "f MODE SIZE SHA256".
 * Names that end in .pyc or are __pycache__ are left out: Python writes them when it runs.
 *
 * Returns: (transfer full): the object, or NULL with IO or DENIED set.
 */
json_t *tree_list(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Removes from the tree at @path what @listing (of tree_list()) says and what is still as listed,
 * then empty directories, __pycache__ and *.pyc, then the root if it became empty.
 *
 * @kept: (element-type utf8): the absolute path of every file that was changed or added since is
 * appended; those stay.
 */
bool tree_remove_listed(const char *path, json_t *listing, GPtrArray *kept,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** fsyncs every file and directory of the tree. */
bool tree_sync(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
