/* installer/stack_new.h - a small stack to begin one's own with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** One of its files. */
typedef struct {
	const char *path;
	GBytes *(*read)(void); /* (transfer full) */
} NewStackFile;

extern const NewStackFile new_stack_table[];
extern const gsize new_stack_count;

/** Writes the files of new_stack_table[] into the new directory @directory, with @name in the place of
 *  the example's.  Returns: false with USAGE (@name is no name of a stack), CANNOT_CREATE (something has
 *  that name already) or IO set; then the directory is not there. */
bool stack_new(const char *name, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;
