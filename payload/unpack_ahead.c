/* payload/unpack_ahead.c - pieces that are made on a thread of their own, some ahead of their reader
 *
 * To decompress takes about as long as to write what comes out of it; so both are done at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/unpack_ahead.h"

#include <stdbool.h>

#define PIECES 16u

struct UnpackAhead {
	UnpackMake make;
	gpointer data;
	GThread *thread;
	guint8 *pieces;
	/* Under the lock. */
	GMutex mutex;
	GCond changed;
	gsize sizes[PIECES];
	guint64 made;    /* pieces */
	guint64 used;    /* those that the reader gave back */
	bool is_holding; /* the reader has one more */
	bool is_over;
	bool is_stopped;
	GError *failure; /* (nullable) */
};

static guint8 *piece_at(const UnpackAhead *ahead, guint64 index)
{
	return ahead->pieces + index % PIECES * UNPACK_PIECE_BYTES;
}

/* Returns: whether there is room for one more; false when nobody wants it. */
static bool await_room(UnpackAhead *ahead)
{
	g_mutex_lock(&ahead->mutex);
	while (ahead->made - ahead->used == PIECES && !ahead->is_stopped)
		g_cond_wait(&ahead->changed, &ahead->mutex);
	bool is_wanted = !ahead->is_stopped;
	g_mutex_unlock(&ahead->mutex);
	return is_wanted;
}

/* Returns: whether another one is to be made. */
static bool hand_over(UnpackAhead *ahead, gssize got, GError *failure)
{
	g_mutex_lock(&ahead->mutex);
	if (got > 0)
		ahead->sizes[ahead->made++ % PIECES] = (gsize)got;
	ahead->failure = failure;
	ahead->is_over = got < UNPACK_PIECE_BYTES;
	g_cond_signal(&ahead->changed);
	bool goes_on = !ahead->is_over;
	g_mutex_unlock(&ahead->mutex);
	return goes_on;
}

static gpointer make_all(gpointer data)
{
	UnpackAhead *ahead = data;
	bool goes_on = true;

	while (goes_on && await_room(ahead)) {
		GError *failure = NULL;
		gssize got = ahead->make(ahead->data, piece_at(ahead, ahead->made), &failure);

		goes_on = hand_over(ahead, got, failure);
	}
	return NULL;
}

UnpackAhead *unpack_ahead_new(UnpackMake make, gpointer data)
{
	UnpackAhead *ahead = g_new0(UnpackAhead, 1);

	ahead->make = make;
	ahead->data = data;
	ahead->pieces = g_malloc((gsize)PIECES * UNPACK_PIECE_BYTES);
	g_mutex_init(&ahead->mutex);
	g_cond_init(&ahead->changed);
	ahead->thread = g_thread_new("unpack", make_all, ahead);
	return ahead;
}

/* The lock is held. */
static void give_back(UnpackAhead *ahead)
{
	if (ahead->is_holding)
		ahead->used++;
	ahead->is_holding = false;
	g_cond_signal(&ahead->changed);
}

gssize unpack_ahead_next(UnpackAhead *ahead, const guint8 **piece, GError **error)
{
	gssize got = 0;

	g_mutex_lock(&ahead->mutex);
	give_back(ahead);
	while (ahead->made == ahead->used && !ahead->is_over)
		g_cond_wait(&ahead->changed, &ahead->mutex);
	ahead->is_holding = ahead->made > ahead->used;
	if (ahead->is_holding) {
		*piece = piece_at(ahead, ahead->used);
		got = (gssize)ahead->sizes[ahead->used % PIECES];
	} else if (ahead->failure) {
		g_propagate_error(error, g_error_copy(ahead->failure));
		got = -1;
	}
	g_mutex_unlock(&ahead->mutex);
	return got;
}

void unpack_ahead_free(UnpackAhead *ahead)
{
	if (!ahead)
		return;

	g_mutex_lock(&ahead->mutex);
	ahead->is_stopped = true;
	g_cond_signal(&ahead->changed);
	g_mutex_unlock(&ahead->mutex);
	g_thread_join(ahead->thread);
	g_mutex_clear(&ahead->mutex);
	g_cond_clear(&ahead->changed);
	g_clear_error(&ahead->failure);
	g_free(ahead->pieces);
	g_free(ahead);
}
