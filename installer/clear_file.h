/* installer/clear_file.h - a file with secrets in the clear: read, replaced, overwritten
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** A file as it was when it was read. */
typedef struct ClearFile ClearFile;

/**
 * Reads a regular file whole.  Never blocks on a FIFO.
 *
 * Returns: (transfer full): the file; or NULL with CANNOT_CREATE (absent), DENIED, DATA (not a
 * regular file, or over @max_bytes) or IO set.
 */
ClearFile *clear_file_read(const char *path, gsize max_bytes,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Wipes what was read.  Accepts NULL. */
void clear_file_free(ClearFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClearFile, clear_file_free)

/** Returns: (transfer none): its bytes, in memory that is wiped. */
GBytes *clear_file_text(const ClearFile *file);

/**
 * Puts @text in its place, owner and mode kept: a temporary file beside it, renamed.  Then the bytes
 * that the old file had on the disk are overwritten and cut off; what a file system, its journal, a
 * snapshot or a flash disk kept of them elsewhere is out of reach.
 *
 * Returns: false, and the old file stands, with BUSY (it was changed since it was read), DENIED (it
 * is a symbolic link, has other names, or its owner cannot be kept) or an error of writing set; IO
 * also when it was replaced and could not be overwritten.
 */
bool clear_file_replace(const ClearFile *file, GBytes *text,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
