/* payload/unpack_ahead.h - pieces that are made on a thread of their own, some ahead of their reader
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

#define UNPACK_PIECE_BYTES 65536

/** Fills @piece.  Returns: how many bytes; fewer than it holds: the last; -1 with an error set. */
typedef gssize (*UnpackMake)(gpointer data, guint8 *piece, GError **error);

typedef struct UnpackAhead UnpackAhead;

/** Begins; @make runs on the thread, and nowhere else, until unpack_ahead_free(). */
UnpackAhead *unpack_ahead_new(UnpackMake make, gpointer data);

/** Blocks.  Returns: as of @make, in order; 0 behind the last, too.  @piece: (out): (transfer none):
 *  valid until the next call. */
gssize unpack_ahead_next(UnpackAhead *ahead, const guint8 **piece, GError **error);

/** Ends the thread, once @make returns.  Accepts NULL. */
void unpack_ahead_free(UnpackAhead *ahead);
