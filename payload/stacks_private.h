/* payload/stacks_private.h - where a bundle's files come from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Bounds of a definition and its files.  Source: our own; the largest has under 200 files and
 *  1 MiB.  What is larger belongs into an archive that a step downloads. */
#define STACKS_MAX_FILES 4096
#define STACKS_MAX_FILE_BYTES ((gsize)16 << 20)
#define STACKS_MAX_BYTES ((gsize)64 << 20)

/**
 * Reads the tree at @path, less ".git".  A symlink to a file inside it is read as that file.
 *
 * Returns: (transfer full) (element-type UnpackFile): its files; or NULL with DATA (a symlink that
 * leads out, a special file, a bad name, over a bound), DENIED or IO set.
 */
GPtrArray *stacks_read_directory(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
