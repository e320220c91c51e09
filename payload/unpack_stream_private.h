/* payload/unpack_stream_private.h - an archive's bytes, and those inside its compression
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Bytes that come once, in order, and nobody knows how many. */
typedef struct {
	/** As download_read(): 0 at the end, if all was right. */
	gssize (*pull)(gpointer from, void *buffer, gsize size_bytes, GError **error);
	/** (nullable): as download_hurry(). */
	void (*hurry)(gpointer from, bool is_hurried);
	gpointer from;
	guint8 head[64]; /* kept: they are looked at before they are used; see every magic number */
	gsize head_bytes;
	guint64 pulled_bytes;
	bool is_ended;
} UnpackFeed;

/** Where an archive is read from: memory, a descriptor that is never opened a second time, or a
 *  feed, of which only one pass can be made. */
typedef struct {
	const char *name;   /* stands in messages */
	const guint8 *data; /* (nullable) */
	UnpackFeed *feed;   /* (nullable): without both, @fd is read */
	int fd;
	guint64 size_bytes; /* of a feed: what it is said to have, at most what it may have */
} UnpackSource;

/** Reads the first bytes of a feed, behind which its server has said how many there are. */
bool unpack_feed_begin(UnpackFeed *feed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: @archive as a source; it must outlive it. */
UnpackSource unpack_source_of_bytes(GBytes *archive, const char *name);

/** Opens a regular file as a source; the caller closes source->fd. */
bool unpack_source_open(const char *path, UnpackSource *source, GError **error);

/** Reads at @offset; short only at the end.  Returns: bytes read, or -1 with IO set. */
gssize unpack_source_read(const UnpackSource *source, guint64 offset, void *buffer,
                          gsize size_bytes, GError **error);

/** The archive's bytes with gzip, xz or zstd taken off; one layer, whole, with nothing behind it. */
typedef struct UnpackStream UnpackStream;

/** Recognises the compression by content.  Returns: (transfer full): NULL with DATA set for another
 *  format, named in the message.  @max_bytes: decompressed bytes at which it gives up. */
UnpackStream *unpack_stream_new(const UnpackSource *source, guint64 max_bytes, GError **error);
void unpack_stream_free(UnpackStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnpackStream, unpack_stream_free)

/** Returns: the size of the next piece, a multiple of 512 unless it is the last; 0 at the end; -1
 *  with DATA, IO or a cancellation set.  @piece is valid until the next call. */
gssize unpack_stream_next(UnpackStream *stream, const guint8 **piece, GError **error);

/** Returns: (transfer none) (nullable): the 512 bytes before @offset, if in the current piece. */
const guint8 *unpack_stream_block_before(const UnpackStream *stream, guint64 offset);

/** Reads on to the end and holds that from @offset on there are zeros only, 1024 at least. */
bool unpack_stream_finish(UnpackStream *stream, guint64 offset, GError **error);
