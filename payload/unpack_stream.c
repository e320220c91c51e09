/* payload/unpack_stream.c - an archive's bytes with one layer of compression taken off
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/http.h"
#include "payload/unpack_ahead.h"
#include "payload/unpack_stream_private.h"

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

#define RUN_BYTES ((guint64)1 << 30)
#define MAX_RATIO ((guint64)1 << 20)
#define HEAD_BYTES 64 /* enough for every magic number */
#define BLOCK_BYTES 512
#define PIECE_BYTES UNPACK_PIECE_BYTES /* a multiple of BLOCK_BYTES */
#define END_BYTES 1024 /* two blocks of zeros end a tar archive: POSIX, pax interchange format */

/*
 * gzip is undone by zlib itself: libarchive does not look at the CRC and the length behind the
 * data.  xz and zstd are undone by libarchive, whose readers for them check what there is.
 */
struct UnpackStream {
	const UnpackSource *source;
	UnpackAhead *ahead; /* (nullable): makes the pieces of a feed */
	/* Of its thread, if there is one. */
	GConverter *gunzip; /* one of these two, or neither for plain tar */
	ArchiveReader *unfilter;
	guint64 read_bytes; /* taken from the source */
	gsize input_at;     /* within input */
	gsize input_end;
	guint64 made_bytes;
	guint64 max_bytes;
	bool is_whole; /* the end of the compressed stream was reached */
	GError *cause; /* (nullable): why feed_unfilter() failed: libarchive would only keep its text */
	guint8 input[PIECE_BYTES];
	/* Of the reader. */
	const guint8 *piece;
	guint64 piece_start; /* offset of the current piece */
	gsize piece_bytes;
	guint64 content_end;     /* offset behind the last byte that is not zero */
	guint8 own[PIECE_BYTES]; /* the piece, where nobody makes it ahead */
};

typedef struct {
	const char *magic;
	gsize size_bytes;
	const char *what;
} Format;

/* clang-format off */
static const Format other_formats[] = {
	{ "PK\3\4", 4,               "a zip archive" },
	{ "PK\5\6", 4,               "a zip archive" },
	{ "7z\274\257\47\34", 6,     "a 7z archive" },
	{ "Rar!", 4,                 "a rar archive" },
	{ "!<arch>", 7,              "an ar archive (or a Debian package)" },
	{ "#mtree", 6,               "an mtree listing" },
	{ "BZh", 3,                  "compressed with bzip2" },
	{ "LRZI", 4,                 "compressed with lrzip" },
	{ "\4\42\115\30", 4,         "compressed with lz4" },
	{ "\211LZO", 4,              "compressed with lzop" },
	{ "LZIP", 4,                 "compressed with lzip" },
	{ "07070", 5,                "a cpio archive" },
	{ "\307\161", 2,             "a cpio archive" },
	{ "\355\253\356\333", 4,     "an rpm package" },
};
/* clang-format on */

static bool damaged(GError **error, const char *why)
{
	fault_set(error, STATUS_DATA, NULL, "the archive is damaged or cut off: %s", why);
	return false;
}

static la_ssize_t feed_unfilter(struct archive *a, void *data, const void **buffer)
{
	UnpackStream *stream = data;
	gssize got = -1;

	if (!stream->cause)
		got = unpack_source_read(stream->source, stream->read_bytes, stream->input,
		                         PIECE_BYTES, &stream->cause);
	if (got < 0) {
		archive_set_error(a, EIO, "%s", stream->cause->message);
		return ARCHIVE_FATAL;
	}
	stream->read_bytes += (guint64)got;
	*buffer = stream->input;
	return got;
}

/* Always false: the source's own error if it has one, else what libarchive says. */
static bool fail_unfilter(UnpackStream *stream, GError **error)
{
	const char *why = archive_error_string(stream->unfilter);

	if (!stream->cause)
		return damaged(error, why ? why : "unknown reason");
	g_propagate_error(error, g_steal_pointer(&stream->cause));
	return false;
}

/* ARCHIVE_WARN from @support means that the library would run a program instead: never. */
static bool open_unfilter(UnpackStream *stream, int (*support)(struct archive *), int code,
                          GError **error)
{
	struct archive_entry *entry = NULL;

	stream->unfilter = archive_read_new();
	if (support(stream->unfilter) != ARCHIVE_OK) {
		fault_set(error, STATUS_BUG, NULL, "this build cannot read that compression");
		return false;
	}
	if (archive_read_support_format_raw(stream->unfilter) != ARCHIVE_OK ||
	    archive_read_open(stream->unfilter, stream, NULL, feed_unfilter, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(stream->unfilter, &entry) != ARCHIVE_OK)
		return fail_unfilter(stream, error);
	if (archive_filter_code(stream->unfilter, 0) != code ||
	    archive_filter_code(stream->unfilter, 1) != ARCHIVE_FILTER_NONE) {
		fault_set(error, STATUS_DATA, NULL, "compressed more than once");
		return false;
	}

	return true;
}

static bool is_recognised(const guint8 *head, gsize size_bytes, GError **error)
{
	if (size_bytes == 0) {
		fault_set(error, STATUS_DATA, NULL, "not a tar archive: the file is empty");
		return false;
	}
	if (http_is_web_page(head, size_bytes)) {
		fault_set(error, STATUS_DATA, HTTP_PAGE_HINT,
		          "not a tar archive: it is a web page");
		return false;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(other_formats); i++) {
		const Format *format = &other_formats[i];

		if (size_bytes >= format->size_bytes &&
		    memcmp(head, format->magic, format->size_bytes) == 0) {
			fault_set(error, STATUS_DATA,
			          "Pack it again as .tar.gz, .tar.xz or .tar.zst.",
			          "not a tar archive: it is %s", format->what);
			return false;
		}
	}

	return true;
}

/* Plain tar has nothing to be opened. */
static bool open_compression(UnpackStream *stream, const guint8 *head, GError **error)
{
	if (memcmp(head, "\37\213", 2) == 0)
		stream->gunzip =
			G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
	if (memcmp(head, "\3757zXZ", 6) == 0)
		return open_unfilter(stream, archive_read_support_filter_xz, ARCHIVE_FILTER_XZ,
		                     error);
	if (memcmp(head, "\50\265\57\375", 4) == 0)
		return open_unfilter(stream, archive_read_support_filter_zstd, ARCHIVE_FILTER_ZSTD,
		                     error);

	return true;
}

static gssize next_plain(UnpackStream *stream, guint8 *piece, GError **error)
{
	gssize got =
		unpack_source_read(stream->source, stream->read_bytes, piece, PIECE_BYTES, error);

	if (got > 0)
		stream->read_bytes += (guint64)got;
	stream->is_whole = got < PIECE_BYTES;
	return got;
}

/* What libarchive was given, it used, and there is no more. */
static bool end_of_source_is_good(const UnpackStream *stream, GError **error)
{
	guint8 byte = 0;
	gssize more = unpack_source_read(stream->source, stream->read_bytes, &byte, 1, error);

	if (more < 0)
		return false;
	return (more == 0 &&
	        (guint64)archive_filter_bytes(stream->unfilter, -1) == stream->read_bytes) ||
	       damaged(error, "there are bytes behind its end");
}

static gssize next_unfiltered(UnpackStream *stream, guint8 *piece, GError **error)
{
	la_ssize_t got = archive_read_data(stream->unfilter, piece, PIECE_BYTES);

	if (got < 0) {
		(void)fail_unfilter(stream, error);
		return -1;
	}
	stream->is_whole = got < PIECE_BYTES;
	return !stream->is_whole || end_of_source_is_good(stream, error) ? got : -1;
}

static bool refill_input(UnpackStream *stream, GError **error)
{
	gssize got = 0;

	if (stream->input_at < stream->input_end)
		return true;

	got = unpack_source_read(stream->source, stream->read_bytes, stream->input, PIECE_BYTES,
	                         error);
	if (got < 0)
		return false;
	stream->read_bytes += (guint64)got;
	stream->input_at = 0;
	stream->input_end = (gsize)got;
	return true;
}

static bool end_of_gzip_is_good(UnpackStream *stream, GError **error)
{
	if (!refill_input(stream, error))
		return false;

	stream->is_whole = true;
	return stream->input_at == stream->input_end ||
	       damaged(error, "there are bytes behind its end");
}

static gssize next_gunzipped(UnpackStream *stream, guint8 *piece, GError **error)
{
	gsize filled = 0;

	while (filled < PIECE_BYTES && !stream->is_whole) {
		gsize read_bytes = 0;
		gsize written = 0;
		g_autoptr(GError) cause = NULL;

		if (!refill_input(stream, error))
			return -1;
		switch (g_converter_convert(
			stream->gunzip, stream->input + stream->input_at,
			stream->input_end - stream->input_at, piece + filled, PIECE_BYTES - filled,
			stream->input_end ? G_CONVERTER_NO_FLAGS : G_CONVERTER_INPUT_AT_END,
			&read_bytes, &written, &cause)) {
		case G_CONVERTER_ERROR:
			(void)damaged(error, cause->message);
			return -1;
		case G_CONVERTER_FINISHED:
			stream->input_at += read_bytes;
			if (!end_of_gzip_is_good(stream, error))
				return -1;
			break;
		case G_CONVERTER_CONVERTED:
		case G_CONVERTER_FLUSHED:
		default:
			stream->input_at += read_bytes;
			break;
		}
		filled += written;
	}

	return (gssize)filled;
}

static gsize without_zeros(const guint8 *piece, gsize size_bytes)
{
	while (size_bytes > 0 && piece[size_bytes - 1] == 0)
		size_bytes--;

	return size_bytes;
}

/* What a feed is said to have may be a lie; so what has come bounds what comes out of it, but for
 * a run of zeros. */
static guint64 max_so_far(const UnpackStream *stream)
{
	guint64 ratio = stream->max_bytes / MAX(stream->source->size_bytes, 1);

	if (!stream->source->feed)
		return stream->max_bytes;
	return MIN(stream->max_bytes, RUN_BYTES + stream->read_bytes * MIN(ratio, MAX_RATIO));
}

/* An UnpackMake. */
static gssize make_piece(gpointer data, guint8 *piece, GError **error)
{
	UnpackStream *stream = data;
	gssize got = 0;

	if (!cancel_check(error))
		return -1;
	if (stream->is_whole)
		return 0;

	if (stream->gunzip)
		got = next_gunzipped(stream, piece, error);
	else
		got = stream->unfilter ? next_unfiltered(stream, piece, error)
		                       : next_plain(stream, piece, error);
	if (got < 0)
		return -1;

	stream->made_bytes += (guint64)got;
	if (stream->made_bytes <= max_so_far(stream))
		return got;
	fault_set(error, STATUS_DATA, NULL, "too much content for so small an archive");
	return -1;
}

UnpackStream *unpack_stream_new(const UnpackSource *source, guint64 max_bytes, GError **error)
{
	g_autoptr(UnpackStream) stream = NULL;
	guint8 head[HEAD_BYTES] = { 0 };
	gssize got = unpack_source_read(source, 0, head, sizeof head, error);

	if (got < 0 || !is_recognised(head, (gsize)got, error))
		return NULL;

	stream = g_new0(UnpackStream, 1);
	stream->source = source;
	stream->max_bytes = max_bytes;
	if (!open_compression(stream, head, error))
		return NULL;
	if (source->feed)
		stream->ahead = unpack_ahead_new(make_piece, stream);
	return g_steal_pointer(&stream);
}

/* It may just wait for bytes that nobody wants any more. */
static void end_ahead(UnpackStream *stream)
{
	const UnpackFeed *feed = stream->source->feed;

	if (stream->ahead && feed->hurry)
		feed->hurry(feed->from, true);
	g_clear_pointer(&stream->ahead, unpack_ahead_free);
	if (feed && feed->hurry)
		feed->hurry(feed->from, false);
}

void unpack_stream_free(UnpackStream *stream)
{
	if (!stream)
		return;

	end_ahead(stream);
	if (stream->gunzip)
		g_object_unref(stream->gunzip);
	if (stream->unfilter)
		(void)archive_read_free(stream->unfilter);
	g_clear_error(&stream->cause);
	g_free(stream);
}

gssize unpack_stream_next(UnpackStream *stream, const guint8 **piece, GError **error)
{
	stream->piece_start += stream->piece_bytes;
	stream->piece_bytes = 0;
	stream->piece = stream->own;

	gssize got = stream->ahead ? unpack_ahead_next(stream->ahead, &stream->piece, error)
	                           : make_piece(stream, stream->own, error);
	*piece = stream->piece;
	if (got < 0)
		return -1;

	stream->piece_bytes = (gsize)got;
	gsize content = without_zeros(stream->piece, stream->piece_bytes);
	if (content > 0)
		stream->content_end = stream->piece_start + content;
	return got;
}

const guint8 *unpack_stream_block_before(const UnpackStream *stream, guint64 offset)
{
	if (offset < stream->piece_start + BLOCK_BYTES ||
	    offset > stream->piece_start + stream->piece_bytes)
		return NULL;

	return stream->piece + (offset - stream->piece_start) - BLOCK_BYTES;
}

bool unpack_stream_finish(UnpackStream *stream, guint64 offset, GError **error)
{
	const guint8 *piece = NULL;
	gssize got = 0;

	do
		got = unpack_stream_next(stream, &piece, error);
	while (got > 0);
	if (got < 0)
		return false;

	if (stream->content_end > offset)
		return damaged(error, "there is something behind the end of the archive");
	if (stream->piece_start < offset + END_BYTES)
		return damaged(error, "it has no end mark");

	return true;
}
