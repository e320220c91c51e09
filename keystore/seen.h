/* keystore/seen.h - the newest state of the encrypted file that this machine has seen
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

#include "keystore/format.h"

/**
 * A line in a file of its own: "slipway-seen 1 STOREID GENERATION MAC".
 *
 * It shows that an older file, or another one of the same generation, was put in the place of the
 * store: by a backup, by a shared directory, by somebody who can write that directory and not the
 * state directory.  It does not help against who can write both, which all programs of the same user
 * can, nor on a machine that has not seen the newer file.  Without the line nothing is refused.
 */
typedef struct {
	bool is_known;
	guint64 generation;
	guint8 store_id[FORMAT_ID_BYTES];
	guint8 mac[FORMAT_MAC_BYTES];
} Seen;

/** Reads it; not known when it is absent or makes no sense.  Before the store is read: then the
 *  store cannot be older only because somebody just wrote it. */
Seen seen_read(const char *path);

/** Returns: the state of @file, which was authenticated. */
Seen seen_of(Span file, const FormatHeader *header);

/** Returns: whether @now is no step back behind @before; else false with STALE set. */
bool seen_check(const Seen *before, const Seen *now, const char *name, GError **error);

/** Remembers @now, unless @before is the same; best effort. */
void seen_write(const char *path, const Seen *before, const Seen *now);

/** Forgets it. */
void seen_forget(const char *path);
