/* payload/unpack_source.c - the bytes of an archive, from a file or from memory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "payload/unpack_stream_private.h"

UnpackSource unpack_source_of_bytes(GBytes *archive, const char *name)
{
	gsize size_bytes = 0;
	const guint8 *data = g_bytes_get_data(archive, &size_bytes);

	return (UnpackSource){
		.name = name,
		.data = data ? data : (const guint8 *)"",
		.fd = -1,
		.size_bytes = size_bytes,
	};
}

bool unpack_source_open(const char *path, UnpackSource *source, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st = { 0 };

	if (fd < 0 || fstat(fd, &st) < 0)
		fault_set_errno(error, errno, "cannot open %s", path);
	else if (!S_ISREG(st.st_mode))
		fault_set(error, STATUS_DATA, NULL, "%s is not a regular file", path);
	else {
		*source =
			(UnpackSource){ .name = path, .fd = fd, .size_bytes = (guint64)st.st_size };
		return true;
	}
	if (fd >= 0)
		(void)close(fd);
	return false;
}

/* Short only at the end. */
static gssize pull_all(UnpackFeed *feed, guint8 *buffer, gsize size_bytes, GError **error)
{
	gsize done = 0;

	while (done < size_bytes && !feed->is_ended) {
		gssize got = feed->pull(feed->from, buffer + done, size_bytes - done, error);

		if (got < 0)
			return -1;
		done += (gsize)got;
		feed->pulled_bytes += (guint64)got;
		feed->is_ended = got == 0;
	}
	return (gssize)done;
}

bool unpack_feed_begin(UnpackFeed *feed, GError **error)
{
	gssize got = pull_all(feed, feed->head, sizeof feed->head, error);

	feed->head_bytes = (gsize)feed->pulled_bytes;
	return got >= 0;
}

static gssize read_feed(UnpackFeed *feed, guint64 offset, guint8 *buffer, gsize size_bytes,
                        GError **error)
{
	gsize kept = 0;

	if (offset < feed->head_bytes) {
		kept = (gsize)MIN(size_bytes, feed->head_bytes - offset);
		memcpy(buffer, feed->head + offset, kept);
	} else if (offset != feed->pulled_bytes) {
		g_error("a feed is read in order");
	}
	if (kept == size_bytes)
		return (gssize)kept;

	gssize got = pull_all(feed, buffer + kept, size_bytes - kept, error);
	return got < 0 ? -1 : (gssize)kept + got;
}

gssize unpack_source_read(const UnpackSource *source, guint64 offset, void *buffer,
                          gsize size_bytes, GError **error)
{
	gsize done = 0;

	if (source->feed)
		return read_feed(source->feed, offset, buffer, size_bytes, error);
	if (source->data) {
		done = (gsize)MIN(size_bytes, source->size_bytes - MIN(offset, source->size_bytes));
		if (done > 0)
			memcpy(buffer, source->data + offset, done);
		return (gssize)done;
	}
	while (done < size_bytes) {
		gssize got = pread(source->fd, (guint8 *)buffer + done, size_bytes - done,
		                   (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fault_set_errno(error, errno, "cannot read %s", source->name);
			return -1;
		}
		if (got == 0)
			break;
		done += (gsize)got;
	}

	return (gssize)done;
}
