/* payload/archive_download.c - archives that are unpacked while they are loaded
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/archive_download.h"

#include "base/download.h"
#include "base/fault.h"
#include "payload/unpack_private.h"

/* What is still to come of an archive that cannot be unpacked is only read to tell a bad download
 * from a bad archive: not at any price. */
#define SETTLE_MAX_BYTES ((guint64)64 << 20)
#define SETTLE_BYTES ((gsize)256 * 1024)

/* At a place behind which there is another one. */
#define TRIES_BEFORE_NEXT 2u

static gssize pull(gpointer from, void *buffer, gsize size_bytes, GError **error)
{
	return download_read(from, buffer, size_bytes, error);
}

static void hurry(gpointer from, bool is_hurried)
{
	download_hurry(from, is_hurried);
}

/* A damaged archive that has another digest is a bad download; of a web page that is clear. */
static void settle(UnpackFeed *feed, const char *url, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(SETTLE_BYTES);
	g_autoptr(GError) why = NULL;
	guint64 total = download_size(feed->from);
	guint64 left = SETTLE_MAX_BYTES;
	gssize got = 1;

	if (feed->is_ended || http_is_web_page(feed->head, feed->head_bytes) ||
	    total > feed->pulled_bytes + SETTLE_MAX_BYTES)
		return;
	while (got > 0 && left > 0) {
		got = pull(feed->from, buffer, SETTLE_BYTES, &why);
		left -= MIN(left, (guint64)MAX(got, 0));
	}
	if (got >= 0)
		return;
	g_clear_error(error);
	g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", url);
}

/* A page so short that its end comes with its start is a page all the same. */
static bool begin(UnpackFeed *feed, GError **error)
{
	g_autoptr(GError) why = NULL;

	if (unpack_feed_begin(feed, &why))
		return true;
	if (fault_status(why) == STATUS_UNTRUSTED && http_is_web_page(feed->head, feed->head_bytes))
		fault_set(error, STATUS_DATA, HTTP_PAGE_HINT, "it is a web page");
	else
		g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

static bool unpack_feed(const ArchiveDownload *wanted, UnpackFeed *feed, const char *url,
                        UnpackWriter *writer, GError **error)
{
	guint64 size_bytes = download_size(feed->from);
	UnpackSource source = {
		.name = url,
		.feed = feed,
		.fd = -1,
		.size_bytes = size_bytes ? size_bytes : wanted->max_bytes,
	};
	UnpackSink sink = unpack_writer_sink(writer);
	guint selected = 0;

	if (!unpack_walk(&source, &wanted->limits, &sink, &selected, error) ||
	    !unpack_has_something(selected, &source, error))
		return false;
	/* The walk has read on to the end, which a feed only has when the digest is right. */
	return feed->is_ended;
}

static guint tries_at(const ArchiveDownload *wanted, const char *url)
{
	const char *const *place = wanted->urls;

	while (*place && *place != url)
		place++;
	return *place && place[1] ? TRIES_BEFORE_NEXT : 0;
}

/* One pass from one place.  @is_exchanged: (out): whether another one is worth it. */
static bool load_from(const ArchiveDownload *wanted, const char *url, UnpackWriter *writer,
                      bool *is_exchanged, GError **error)
{
	HttpDownload what = {
		.url = url,
		.sha256 = wanted->sha256,
		.max_bytes = wanted->max_bytes,
		.on_progress = wanted->on_progress,
		.data = wanted->data,
		.retry_ms = wanted->retry_ms,
		.connections = wanted->connections,
		.tries = tries_at(wanted, url),
	};
	g_autoptr(GError) why = NULL;
	g_autoptr(Download) download = download_open(&what, &why);
	UnpackFeed feed = { .pull = pull, .hurry = hurry, .from = download };

	*is_exchanged = false;
	if (!download || !begin(&feed, &why)) {
		g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", url);
		return false;
	}
	bool is_done = unpack_feed(wanted, &feed, url, writer, &why);
	if (!is_done && fault_status(why) == STATUS_DATA)
		settle(&feed, url, &why);
	*is_exchanged = !is_done && download_was_exchanged(download);
	if (!is_done)
		g_propagate_error(error, g_steal_pointer(&why));
	return is_done;
}

typedef struct {
	const ArchiveDownload *wanted;
	UnpackWriter *writer;
} Loading;

/* As load_from(), twice if the file is exchanged in between.  What a place before has left goes. */
static bool load_place(const char *url, gpointer data, GError **error)
{
	const ArchiveDownload *wanted = ((Loading *)data)->wanted;
	UnpackWriter *writer = ((Loading *)data)->writer;
	g_autoptr(GError) why = NULL;
	bool is_exchanged = false;

	if (!unpack_writer_rewind(writer, error))
		return false;
	if (load_from(wanted, url, writer, &is_exchanged, &why))
		return true;
	if (is_exchanged) {
		g_clear_error(&why);
		if (unpack_writer_rewind(writer, &why) &&
		    load_from(wanted, url, writer, &is_exchanged, &why))
			return true;
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

bool archive_download(const ArchiveDownload *downloads, guint count, const char *directory,
                      GError **error)
{
	g_autoptr(UnpackWriter) writer = unpack_writer_new(directory, error);

	if (!writer)
		return false;
	for (guint i = 0; i < count; i++) {
		Loading loading = { .wanted = &downloads[i], .writer = writer };

		g_return_val_if_fail(downloads[i].urls && downloads[i].urls[0], false);
		unpack_writer_mark(writer);
		if (!http_from_places(downloads[i].urls, load_place, &loading, error))
			return false;
	}
	return unpack_writer_commit(writer, error);
}
