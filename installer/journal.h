/* installer/journal.h - the write-ahead journal of one transaction
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/**
 * An append-only file of records; each is length, complement of the length and CRC-32 (12 bytes,
 * little endian) and then one JSON object with "n" (0, 1, 2 …) and "type".  A record is on the
 * disk when journal_append() returns: the file is synced each time.
 *
 * A kill or a power loss can only cut the last record; journal_read() drops such a tail.  Damage
 * anywhere else is not guessed at: FOREIGN.
 */
typedef struct Journal Journal;

/** Largest journal, in bytes.  Source: our own bound; an installation of three stacks writes under
 *  1 MiB. */
#define JOURNAL_MAX_BYTES ((gsize)64 * 1024 * 1024)

/** Creates the journal at @path, which must not exist, and beside it a ballast of 4 MiB that is
 *  given up when the disk is full, so that the end of the story can always be written. */
Journal *journal_create(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Opens an existing journal to go on with it, the torn tail cut off.
 *  @records: (out) (transfer full): what it holds, as by journal_read(). */
Journal *journal_resume(const char *path, json_t **records,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Closes; accepts NULL. */
void journal_free(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_free)

/**
 * Appends one record and syncs it.  Thread-safe: the one function through which all threads write.
 *
 * @record: (transfer full): an object with "type".
 * Returns: false with IO set; then the transaction must not go on.
 */
bool journal_append(Journal *journal, json_t *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gives the ballast up: what takes a run back on a full disk needs room, too. */
void journal_drop_ballast(Journal *journal);

/** Returns: (transfer full): an array of the records; NULL with FOREIGN (damaged, not a regular
 *  file, of a later format, too large) or DENIED set.  An empty file is an empty array. */
json_t *journal_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
