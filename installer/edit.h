/* installer/edit.h - small anchored edits of other people's files
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * Applies an edit file to the tree at @root:
 *
 *   # lines in front of "file:" that start with # are comments
 *   file: path/in/the/tree
 *   --- find
 *   whole lines, that stand exactly once in the file
 *   --- replace
 *   whole lines, may be none
 *   --- end
 *
 * There may be several; "file:" holds until the next one.  Either all of them are applied or none
 * is: they are all tried before the first file is written.
 *
 * @name: of the edit file, for messages.
 * Returns: false with CONFIG (malformed, or a path that leaves the tree; with the line), DATA (the
 * lines to find stand there never or more than once, or there is no such regular file), or IO set.
 */
bool edit_apply(const char *root, GBytes *edits, const char *name,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
