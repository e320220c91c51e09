/* base/download.c - one file, known by its digest, that is used while it comes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/download_net.h"
#include "base/fault.h"
#include "base/file.h"

#define BUFFER_BYTES ((gsize)256 * 1024)
#define REPORT_US ((gint64)100 * 1000)

struct Download {
	HttpDownload what;
	char *url;
	char *sha256;
	Net net;
	GThread *thread; /* (nullable): NULL: a file on this machine */
	int fd;          /* of that; else -1 */
	guint64 size_bytes;
	guint64 read_bytes;
	Digest *digest;
	gint64 reported_at;
};

static bool open_local(Download *download, GError **error)
{
	guint64 max_bytes = download->what.max_bytes;

	download->fd = http_open_local(download->url, &download->size_bytes, error);
	if (download->fd < 0)
		return false;
	download->digest = digest_new();
	if (download->size_bytes <= max_bytes)
		return true;
	fault_set(error, STATUS_DATA, NULL, "larger than %" G_GUINT64_FORMAT " bytes", max_bytes);
	return false;
}

static void open_net(Download *download, const HttpTarget *target)
{
	Net *net = &download->net;
	guint connections = download->what.connections;
	gint64 now = g_get_monotonic_time();

	http_init();
	net->what = download->what;
	net->target = *target;
	net->flow = flow_new(download->sha256, download->what.max_bytes);
	net->multi = curl_multi_init();
	net->lane_max = connections ? MIN(connections, LANES_MAX) : LANES_MAX;
	net->lane_target = 1;
	net->may_range = true;
	net->deadline = now + (gint64)download->what.timeout_ms * 1000;
	for (guint i = 0; i < LANES_MAX; i++)
		net->lanes[i].net = net;
	download->thread = g_thread_new("download", net_run, net);
}

Download *download_open(const HttpDownload *what, GError **error)
{
	g_return_val_if_fail(what->url && what->sha256 && what->max_bytes, NULL);

	Download *download = g_new0(Download, 1);
	HttpTarget target = { .scheme = HTTP_SCHEME_FILE };
	bool is_path = what->url[0] == '/';

	download->fd = -1;
	download->what = *what;
	download->what.url = download->url = g_strdup(what->url);
	download->what.sha256 = download->sha256 = g_strdup(what->sha256);
	bool is_good = is_path || http_target_of(what->url, false, &target, error);
	if (is_good && target.scheme != HTTP_SCHEME_FILE) {
		open_net(download, &target);
	} else if (is_good) {
		is_good = open_local(download, error);
	}
	if (!is_good)
		g_clear_pointer(&download, download_free);
	return download;
}

void download_free(Download *download)
{
	if (!download)
		return;
	if (download->thread) {
		g_atomic_int_set(&download->net.is_stopped, 1);
		(void)curl_multi_wakeup(download->net.multi);
		g_thread_join(download->thread);
		curl_multi_cleanup(download->net.multi);
		flow_free(download->net.flow);
		g_free(download->net.resolved);
		g_free(download->net.etag);
		g_free(download->net.modified);
	}
	file_fd_clear(&download->fd);
	digest_free(download->digest);
	g_free(download->url);
	g_free(download->sha256);
	g_free(download);
}

static gssize read_local(Download *download, void *buffer, gsize size_bytes, GError **error)
{
	gssize count = cancel_check(error) ? file_read_fd(download->fd, buffer, size_bytes) : -1;

	if (count < 0 && error && !*error)
		fault_set_errno(error, errno, "cannot read it");
	if (count < 0)
		return -1;
	download->read_bytes += (guint64)count;
	digest_add(download->digest, buffer, (gsize)count);
	if (download->read_bytes > download->what.max_bytes) {
		fault_set(error, STATUS_DATA, NULL, "larger than %" G_GUINT64_FORMAT " bytes",
		          download->what.max_bytes);
		return -1;
	}
	if (count > 0)
		return count;

	g_autofree char *found = digest_hex(download->digest);
	if (g_str_equal(found, download->sha256))
		return 0;
	fault_set(error, STATUS_UNTRUSTED, NULL, "the digest is %s, not %s", found,
	          download->sha256);
	return -1;
}

static gssize read_net(Download *download, void *buffer, gsize size_bytes, GError **error)
{
	Net *net = &download->net;
	gssize count = flow_read(net->flow, buffer, size_bytes, error);

	if (flow_has_new_room(net->flow)) {
		g_atomic_int_set(&net->has_room, 1);
		(void)curl_multi_wakeup(net->multi);
	}
	if (count > 0)
		download->read_bytes += (guint64)count;
	return count;
}

static void report(Download *download, bool is_last)
{
	gint64 now = g_get_monotonic_time();
	const HttpDownload *what = &download->what;

	if (!what->on_progress || (!is_last && now - download->reported_at < REPORT_US))
		return;
	download->reported_at = now;
	what->on_progress(download->read_bytes, download_size(download), what->data);
}

gssize download_read(Download *download, void *buffer, gsize size_bytes, GError **error)
{
	gssize count = download->thread ? read_net(download, buffer, size_bytes, error)
	                                : read_local(download, buffer, size_bytes, error);

	if (count >= 0)
		report(download, count == 0);
	return count;
}

void download_hurry(Download *download, bool is_hurried)
{
	if (download->thread)
		flow_hurry(download->net.flow, is_hurried);
}

guint64 download_size(Download *download)
{
	return download->thread ? flow_total(download->net.flow) : download->size_bytes;
}

bool download_was_exchanged(Download *download)
{
	/* Set before the failure that the reader got. */
	return download->thread && download->net.was_exchanged;
}

/* Closes @fd in any case; what was written is on the disk after success. */
static bool sync_and_close(int fd, GError **error)
{
	bool is_synced = fsync(fd) == 0;
	int errnum = errno;

	if (close(fd) < 0 && is_synced && errno != EINTR) {
		is_synced = false;
		errnum = errno;
	}
	if (!is_synced)
		fault_set_errno(error, errnum, "cannot write the download");
	return is_synced;
}

static bool copy_to(Download *download, int fd, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(BUFFER_BYTES);
	gssize count = 0;

	while ((count = download_read(download, buffer, BUFFER_BYTES, error)) > 0)
		if (!file_write_all(fd, buffer, (gsize)count, error))
			return false;
	return count == 0;
}

/* Downloads into the open @fd, which is closed in any case; twice, if the server exchanges the file
 * in the middle of the first time. */
static bool download_into(const HttpDownload *what, int fd, GError **error)
{
	for (bool is_second = false;; is_second = true) {
		g_autoptr(GError) why = NULL;
		g_autoptr(Download) download = download_open(what, &why);
		bool is_done = download && copy_to(download, fd, &why);

		if (is_done)
			return sync_and_close(fd, error);
		if (download && !is_second && download_was_exchanged(download) &&
		    ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
			continue;
		(void)close(fd); /* the file goes away */
		g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", what->url);
		return false;
	}
}

bool http_download(const HttpDownload *what, const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *temp = g_build_filename(directory, ".download.XXXXXX", NULL);
	int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot create a file in %s", directory);
		return false;
	}
	bool is_done = download_into(what, fd, error) && file_rename(temp, path, error);
	if (!is_done)
		(void)unlink(temp);
	return is_done;
}
