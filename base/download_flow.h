/* base/download_flow.h - the bytes of a download between the network's thread and their reader
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** What one connection of several fetches at a time, and how many of them are kept. */
#define FLOW_BLOCK_BYTES ((guint64)4 * 1024 * 1024)
#define FLOW_BLOCKS 8u

/** The bytes between the network's thread, which may bring them out of order, and the reader. */
typedef struct Flow Flow;

/** What one connection is bringing: the bytes from @at to @end, within one block. */
typedef struct {
	guint64 at;
	guint64 end;
	bool is_held;
} FlowClaim;

Flow *flow_new(const char *sha256, guint64 max_bytes);
void flow_free(Flow *flow);

/** Reads in order, as download_read(). */
gssize flow_read(Flow *flow, void *buffer, gsize size_bytes, GError **error);

/** As download_hurry(). */
void flow_hurry(Flow *flow, bool is_hurried);

/** Returns: the bytes that were read, and the size of the whole, 0: not known. */
guint64 flow_position(Flow *flow);
guint64 flow_total(Flow *flow);

/** Returns: whether the network waits for room that there is now; once. */
bool flow_has_new_room(Flow *flow);

/** Sets how long the reader has waited since the last call.  For the network's thread, as is all
 *  that follows. */
gint64 flow_take_waited_us(Flow *flow);

/** Whether bytes may come out of order, far ahead of the reader. */
void flow_set_wide(Flow *flow, bool is_wide);

/** Claims the first bytes that nobody brings yet.  Returns: false when there are none, or no room. */
bool flow_claim(Flow *flow, FlowClaim *claim) G_GNUC_WARN_UNUSED_RESULT;
void flow_release(Flow *flow, FlowClaim *claim);

/** Returns: whether @size_bytes more have room; if not, flow_has_new_room() will say when. */
bool flow_has_room(Flow *flow, const FlowClaim *claim, gsize size_bytes);

/** Adds bytes that have room; the claim moves on into blocks that nobody brings.  Returns: false
 *  when it came to one that somebody does; then it is released. */
bool flow_put(Flow *flow, FlowClaim *claim, const void *data,
              gsize size_bytes) G_GNUC_WARN_UNUSED_RESULT;

/** Drops what did not come in order. */
void flow_drop_ahead(Flow *flow);

/** Returns: how many bytes have come in order. */
guint64 flow_received(const Flow *flow);

/** Returns: (transfer full): the digest of those, in hex. */
char *flow_digest(const Flow *flow);

/** Sets the size of the whole.  Returns: false with DATA set: more than is allowed. */
bool flow_set_total(Flow *flow, guint64 total_bytes, GError **error);

/** Returns: whether all of it has come, its size being known. */
bool flow_is_whole(const Flow *flow);

/** Returns: whether what has come in order is the file. */
bool flow_matches(const Flow *flow);

/** Ends it: @failure (transfer full) (nullable) is what the reader gets. */
void flow_finish(Flow *flow, GError *failure);
