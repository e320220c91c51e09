/* base/download_flow.c - the bytes of a download between the network's thread and their reader
 *
 * The file is cut into blocks; a ring has room for the eight that the reader is at.  The network's
 * thread alone knows which blocks are claimed and how full they are, and hashes what has come in
 * order; under the lock stand only the two positions and the end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/download_flow.h"

#include <string.h>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/fault.h"

#define RING_BYTES (FLOW_BLOCK_BYTES * FLOW_BLOCKS)

/* How far a single connection may be ahead of the reader: what fits into a cache. */
#define AHEAD_BYTES FLOW_BLOCK_BYTES

/* How long a signal can go unnoticed. */
#define WAIT_US ((gint64)200 * 1000)

typedef struct {
	guint64 index;
	guint64 filled;
	bool is_held;
} Block;

struct Flow {
	guint8 *ring;
	char *sha256;
	guint64 max_bytes;
	/* Of the network's thread. */
	Block blocks[FLOW_BLOCKS];
	Digest *digest;
	guint64 hashed_bytes; /* came in order */
	guint64 seen_read_bytes;
	bool is_wide;
	/* Under the lock. */
	GMutex mutex;
	GCond changed;
	guint64 received_bytes;
	guint64 read_bytes;
	guint64 total_bytes; /* 0: not known */
	gsize wanted_bytes;  /* by a reader that waits; else 0 */
	guint64 room_at;     /* the network waits until that much was read; 0: it does not */
	gint64 waited_us;
	bool is_over;
	bool is_hurried;
	GError *failure; /* (nullable) */
};

Flow *flow_new(const char *sha256, guint64 max_bytes)
{
	Flow *flow = g_new0(Flow, 1);

	flow->ring = g_malloc(RING_BYTES); /* pages that are never used cost nothing */
	flow->sha256 = g_strdup(sha256);
	flow->max_bytes = max_bytes;
	flow->digest = digest_new();
	g_mutex_init(&flow->mutex);
	g_cond_init(&flow->changed);
	return flow;
}

void flow_free(Flow *flow)
{
	if (!flow)
		return;
	digest_free(flow->digest);
	g_mutex_clear(&flow->mutex);
	g_cond_clear(&flow->changed);
	g_clear_error(&flow->failure);
	g_free(flow->sha256);
	g_free(flow->ring);
	g_free(flow);
}

static void lock(Flow *flow)
{
	g_mutex_lock(&flow->mutex);
}

static void unlock(Flow *flow)
{
	g_mutex_unlock(&flow->mutex);
}

/* Waits until @size_bytes are there, or fewer and no more come soon.  The lock is held.  Returns: how
 * many; 0 when it is over, or nobody waits for more. */
static gsize await_bytes(Flow *flow, gsize size_bytes)
{
	gint64 begun = g_get_monotonic_time();
	bool is_patient = true;

	while (!flow->is_over && flow->received_bytes - flow->read_bytes < size_bytes &&
	       !cancel_signal() && !flow->is_hurried &&
	       (is_patient || flow->received_bytes == flow->read_bytes)) {
		flow->wanted_bytes = size_bytes;
		is_patient = g_cond_wait_until(&flow->changed, &flow->mutex,
		                               g_get_monotonic_time() + WAIT_US);
	}
	flow->wanted_bytes = 0;
	flow->waited_us += g_get_monotonic_time() - begun;
	return MIN(flow->received_bytes - flow->read_bytes, size_bytes);
}

static void copy_out(const Flow *flow, guint64 from, guint8 *to, gsize size_bytes)
{
	gsize at = from % RING_BYTES;
	gsize first = MIN(size_bytes, RING_BYTES - at);

	memcpy(to, flow->ring + at, first);
	memcpy(to + first, flow->ring, size_bytes - first);
}

gssize flow_read(Flow *flow, void *buffer, gsize size_bytes, GError **error)
{
	if (!cancel_check(error))
		return -1;

	lock(flow);
	gsize count = await_bytes(flow, size_bytes);
	guint64 from = flow->read_bytes;
	bool has_failed = count == 0 && (flow->failure != NULL || !flow->is_over);
	if (has_failed && flow->failure)
		g_propagate_error(error, g_error_copy(flow->failure));
	else if (has_failed && cancel_check(error))
		fault_set(error, STATUS_DEADLINE, NULL, "nobody waits for the rest");
	unlock(flow);
	if (has_failed)
		return -1;

	copy_out(flow, from, buffer, count);
	lock(flow);
	flow->read_bytes += count;
	unlock(flow);
	return (gssize)count;
}

void flow_hurry(Flow *flow, bool is_hurried)
{
	lock(flow);
	flow->is_hurried = is_hurried;
	g_cond_signal(&flow->changed);
	unlock(flow);
}

guint64 flow_position(Flow *flow)
{
	lock(flow);
	guint64 position = flow->read_bytes;
	unlock(flow);
	return position;
}

guint64 flow_total(Flow *flow)
{
	lock(flow);
	guint64 total = flow->total_bytes;
	unlock(flow);
	return total;
}

bool flow_has_new_room(Flow *flow)
{
	lock(flow);
	bool has_room = flow->room_at && flow->read_bytes >= flow->room_at;
	if (has_room)
		flow->room_at = 0;
	unlock(flow);
	return has_room;
}

gint64 flow_take_waited_us(Flow *flow)
{
	lock(flow);
	gint64 waited = flow->waited_us;
	flow->waited_us = 0;
	unlock(flow);
	return waited;
}

void flow_set_wide(Flow *flow, bool is_wide)
{
	flow->is_wide = is_wide;
}

/* Returns: the byte behind the last that has room, when @read_bytes were read. */
static guint64 room_end(const Flow *flow, guint64 read_bytes)
{
	return flow->is_wide ? read_bytes - read_bytes % FLOW_BLOCK_BYTES + RING_BYTES
	                     : read_bytes + AHEAD_BYTES;
}

/* Returns: whether there is room up to @end; if not, has the reader say when half of it is free. */
static bool has_room(Flow *flow, guint64 end)
{
	if (end <= room_end(flow, flow->seen_read_bytes))
		return true;

	lock(flow);
	flow->seen_read_bytes = flow->read_bytes;
	bool is_there = end <= room_end(flow, flow->read_bytes);
	guint64 room_at = end - AHEAD_BYTES / 2;
	if (flow->is_wide) /* it grows by blocks then */
		room_at = end - RING_BYTES +
		          (FLOW_BLOCK_BYTES - end % FLOW_BLOCK_BYTES) % FLOW_BLOCK_BYTES;
	if (!is_there)
		flow->room_at = flow->room_at ? MIN(flow->room_at, room_at) : room_at;
	unlock(flow);
	return is_there;
}

static guint64 block_end(const Flow *flow, guint64 index)
{
	guint64 end = (index + 1) * FLOW_BLOCK_BYTES;

	return flow->total_bytes ? MIN(end, flow->total_bytes) : end;
}

/* What stood in its place before was read long ago. */
static Block *block_of(Flow *flow, guint64 index)
{
	Block *block = &flow->blocks[index % FLOW_BLOCKS];

	if (block->index != index)
		*block = (Block){ .index = index };
	return block;
}

static bool claim_block(Flow *flow, guint64 index, FlowClaim *claim)
{
	Block *block = block_of(flow, index);
	guint64 at = index * FLOW_BLOCK_BYTES + block->filled;
	guint64 end = block_end(flow, index);

	if (block->is_held || at >= end)
		return false;
	block->is_held = true;
	*claim = (FlowClaim){ at, end, true };
	return true;
}

bool flow_claim(Flow *flow, FlowClaim *claim)
{
	guint64 first = flow->hashed_bytes / FLOW_BLOCK_BYTES;
	guint64 last = flow->is_wide ? first + FLOW_BLOCKS - 1 : first;

	for (guint64 i = first; i <= last; i++) {
		if (flow->total_bytes && i * FLOW_BLOCK_BYTES >= flow->total_bytes)
			return false;
		if (flow->is_wide && !has_room(flow, (i + 1) * FLOW_BLOCK_BYTES))
			return false;
		if (claim_block(flow, i, claim))
			return true;
	}
	return false;
}

void flow_release(Flow *flow, FlowClaim *claim)
{
	if (claim->is_held)
		block_of(flow, (claim->end - 1) / FLOW_BLOCK_BYTES)->is_held = false;
	claim->is_held = false;
}

bool flow_has_room(Flow *flow, const FlowClaim *claim, gsize size_bytes)
{
	return has_room(flow, claim->at + size_bytes);
}

/* Hashes what has come in order by now, and tells the reader. */
static void advance(Flow *flow)
{
	for (;;) {
		guint64 index = flow->hashed_bytes / FLOW_BLOCK_BYTES;
		const Block *block = &flow->blocks[index % FLOW_BLOCKS];
		guint64 end = index * FLOW_BLOCK_BYTES + block->filled;

		if (block->index != index || end <= flow->hashed_bytes)
			break;
		digest_add(flow->digest, flow->ring + flow->hashed_bytes % RING_BYTES,
		           end - flow->hashed_bytes);
		flow->hashed_bytes = end;
	}

	lock(flow);
	flow->received_bytes = flow->hashed_bytes;
	if (flow->wanted_bytes && flow->received_bytes - flow->read_bytes >= flow->wanted_bytes)
		g_cond_signal(&flow->changed);
	unlock(flow);
}

/* Moves on into the next block, if it is empty and nobody's. */
static bool extend(Flow *flow, FlowClaim *claim)
{
	guint64 end = claim->end;

	flow_release(flow, claim);
	if (!claim_block(flow, end / FLOW_BLOCK_BYTES, claim))
		return false;
	if (claim->at == end)
		return true;
	flow_release(flow, claim);
	return false;
}

bool flow_put(Flow *flow, FlowClaim *claim, const void *data, gsize size_bytes)
{
	const guint8 *from = data;
	bool is_mine = true;

	while (size_bytes > 0) {
		is_mine = claim->at < claim->end || extend(flow, claim);
		if (!is_mine)
			break;

		gsize count = (gsize)MIN(size_bytes, claim->end - claim->at);
		memcpy(flow->ring + claim->at % RING_BYTES, from, count);
		block_of(flow, claim->at / FLOW_BLOCK_BYTES)->filled += count;
		claim->at += count;
		from += count;
		size_bytes -= count;
	}
	advance(flow);
	return is_mine;
}

void flow_drop_ahead(Flow *flow)
{
	guint64 first = flow->hashed_bytes / FLOW_BLOCK_BYTES;

	for (guint i = 0; i < FLOW_BLOCKS; i++)
		if (flow->blocks[i].index > first)
			flow->blocks[i].filled = 0;
}

guint64 flow_received(const Flow *flow)
{
	return flow->hashed_bytes;
}

char *flow_digest(const Flow *flow)
{
	return digest_hex(flow->digest);
}

bool flow_set_total(Flow *flow, guint64 total_bytes, GError **error)
{
	if (total_bytes > flow->max_bytes) {
		fault_set(error, STATUS_DATA, NULL, "larger than %" G_GUINT64_FORMAT " bytes",
		          flow->max_bytes);
		return false;
	}
	lock(flow);
	flow->total_bytes = total_bytes;
	unlock(flow);
	return true;
}

bool flow_is_whole(const Flow *flow)
{
	return flow->total_bytes && flow->hashed_bytes == flow->total_bytes;
}

bool flow_matches(const Flow *flow)
{
	g_autofree char *digest = digest_hex(flow->digest);

	return g_str_equal(digest, flow->sha256);
}

void flow_finish(Flow *flow, GError *failure)
{
	lock(flow);
	flow->is_over = true;
	flow->failure = failure;
	g_cond_signal(&flow->changed);
	unlock(flow);
}
