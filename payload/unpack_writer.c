/* payload/unpack_writer.c - writes a tree that never leaves its directory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/tree.h"
#include "payload/unpack_private.h"

/* As much as a disk writes in one go. */
#define SYNC_BYTES ((guint64)8 << 20)

struct UnpackWriter {
	char *directory;        /* where the tree goes */
	char *stage;            /* where it is until then; NULL once it went there */
	int root;               /* descriptor of the stage */
	int file;               /* the file being written, -1 when none is */
	guint64 unsynced_bytes; /* of it */
	GPtrArray *made;        /* (element-type utf8): since the mark, in order, relative */
};

UnpackWriter *unpack_writer_new(const char *directory, GError **error)
{
	g_autofree char *target = g_canonicalize_filename(directory, NULL);
	g_autofree char *parent = g_path_get_dirname(target);
	g_autofree char *stage = g_build_filename(parent, ".slipway-unpack.XXXXXX", NULL);
	UnpackWriter *writer = NULL;
	int root = -1;

	if (file_exists(target)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s exists already", target);
		return NULL;
	}
	if (!g_mkdtemp_full(stage, 0700)) {
		fault_set_errno(error, errno, "cannot create a directory in %s", parent);
		return NULL;
	}
	root = open(stage, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0) {
		fault_set_errno(error, errno, "cannot open %s", stage);
		(void)rmdir(stage);
		return NULL;
	}

	writer = g_new0(UnpackWriter, 1);
	writer->directory = g_steal_pointer(&target);
	writer->stage = g_steal_pointer(&stage);
	writer->root = root;
	writer->file = -1;
	writer->made = g_ptr_array_new_with_free_func(g_free);
	return writer;
}

void unpack_writer_free(UnpackWriter *writer)
{
	g_autoptr(GError) error = NULL;

	if (!writer)
		return;

	if (writer->file >= 0)
		(void)close(writer->file);
	if (writer->root >= 0)
		(void)close(writer->root);
	if (writer->stage && !tree_remove(writer->stage, &error))
		log_line("unpack", "cannot remove %s: %s", writer->stage, error->message);
	g_ptr_array_unref(writer->made);
	g_free(writer->directory);
	g_free(writer->stage);
	g_free(writer);
}

static void note_made(UnpackWriter *writer, const char *path)
{
	g_ptr_array_add(writer->made, g_strdup(path));
}

/* Opens directory @path, whose last component is @name in @parent, and makes it first if need be;
 * never through a symlink. */
static int enter(UnpackWriter *writer, int parent, const char *name, const char *path)
{
	bool is_new = mkdirat(parent, name, 0700) == 0;
	int fd = -1;

	if (!is_new && errno != EEXIST)
		return -1;
	if (is_new)
		note_made(writer, path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && is_new && fchmod(fd, 0755) < 0) {
		(void)close(fd);
		return -1;
	}

	return fd;
}

/* Returns: a descriptor of the directory that @path lies in, all of it made; -1 with @error set.
 * @leaf: (out): (transfer none): the last component. */
static int enter_parent(UnpackWriter *writer, const char *path, const char **leaf, GError **error)
{
	int fd = fcntl(writer->root, F_DUPFD_CLOEXEC, 0);
	const char *slash = NULL;

	for (*leaf = path; fd >= 0 && (slash = strchr(*leaf, '/')); *leaf = slash + 1) {
		g_autofree char *name = g_strndup(*leaf, (gsize)(slash - *leaf));
		g_autofree char *whole = g_strndup(path, (gsize)(slash - path));
		int next = enter(writer, fd, name, whole);
		int errnum = errno;

		(void)close(fd);
		errno = errnum;
		fd = next;
	}
	if (fd < 0)
		fault_set_errno(error, errno, "cannot create the directory of %s", path);

	return fd;
}

/* Rules hold within one archive; this is between two. */
static bool fail_entry(const char *verb, const char *path, GError **error)
{
	if (errno == EEXIST)
		fault_set(error, STATUS_DATA, NULL, "%s is in another archive already", path);
	else
		fault_set_errno(error, errno, "cannot %s %s", verb, path);
	return false;
}

static bool make_link(UnpackWriter *writer, int parent, const char *leaf, const UnpackEntry *entry,
                      GError **error)
{
	const char *name = NULL;
	g_auto(FileFd) from = enter_parent(writer, entry->target, &name, error);

	if (from < 0)
		return false;
	return linkat(from, name, parent, leaf, 0) == 0 || fail_entry("link", entry->path, error);
}

static bool make_directory(UnpackWriter *writer, int parent, const char *leaf,
                           const UnpackEntry *entry, GError **error)
{
	g_auto(FileFd) fd = enter(writer, parent, leaf, entry->path);

	if (fd < 0)
		fault_set_errno(error, errno, "cannot create %s", entry->path);
	return fd >= 0;
}

static bool make_file(UnpackWriter *writer, int parent, const char *leaf, const UnpackEntry *entry,
                      GError **error)
{
	writer->file =
		openat(parent, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (writer->file >= 0 && fchmod(writer->file, entry->is_executable ? 0755 : 0644) == 0)
		return true;
	return fail_entry("create", entry->path, error);
}

static bool make(UnpackWriter *writer, int parent, const char *leaf, const UnpackEntry *entry,
                 GError **error)
{
	switch (entry->kind) {
	case UNPACK_FILE:
		return make_file(writer, parent, leaf, entry, error);
	case UNPACK_HARDLINK:
		return make_link(writer, parent, leaf, entry, error);
	case UNPACK_SYMLINK:
		return symlinkat(entry->target, parent, leaf) == 0 ||
		       fail_entry("link", entry->path, error);
	case UNPACK_DIRECTORY:
	case UNPACK_OTHER:
	default:
		g_return_val_if_reached(false);
	}
}

static bool start_entry(gpointer data, const UnpackEntry *entry, GError **error)
{
	UnpackWriter *writer = data;
	const char *leaf = NULL;
	g_auto(FileFd) parent = enter_parent(writer, entry->path, &leaf, error);

	if (parent < 0)
		return false;
	if (entry->kind == UNPACK_DIRECTORY)
		return make_directory(writer, parent, leaf, entry, error);
	if (!make(writer, parent, leaf, entry, error))
		return false;
	note_made(writer, entry->path);
	return true;
}

static bool write_block(gpointer data, const void *block, gsize size_bytes, guint64 offset,
                        GError **error)
{
	UnpackWriter *writer = data;
	gsize done = 0;

	while (done < size_bytes) {
		gssize put = pwrite(writer->file, (const guint8 *)block + done, size_bytes - done,
		                    (off_t)(offset + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			fault_set_errno(error, put < 0 ? errno : EIO, "cannot write to %s",
			                writer->stage);
			return false;
		}
		done += (gsize)put;
	}

	writer->unsynced_bytes += size_bytes;
	if (writer->unsynced_bytes >= SYNC_BYTES) { /* the disk works while the rest is unpacked */
		file_begin_sync(writer->file);
		writer->unsynced_bytes = 0;
	}
	return true;
}

/* The size is set as well: a sparse file may end in a hole. */
static bool end_entry(gpointer data, const UnpackEntry *entry, GError **error)
{
	UnpackWriter *writer = data;
	int fd = writer->file;
	int failed = 0;

	if (fd < 0)
		return true;

	writer->file = -1;
	writer->unsynced_bytes = 0;
	failed = ftruncate(fd, (off_t)entry->size_bytes) < 0 ? errno : 0;
	if (close(fd) < 0 && !failed)
		failed = errno;
	if (failed)
		fault_set_errno(error, failed, "cannot write %s", entry->path);
	return !failed;
}

UnpackSink unpack_writer_sink(UnpackWriter *writer)
{
	return (UnpackSink){
		.entry = start_entry,
		.block = write_block,
		.end = end_entry,
		.data = writer,
	};
}

void unpack_writer_mark(UnpackWriter *writer)
{
	g_ptr_array_set_size(writer->made, 0);
}

/* No symlink is followed: a directory that is left was made, and entered, as one. */
static bool remove_made(const UnpackWriter *writer, const char *path, GError **error)
{
	g_autofree char *name = g_build_filename(writer->stage, path, NULL);

	return tree_remove(name, error);
}

bool unpack_writer_rewind(UnpackWriter *writer, GError **error)
{
	if (writer->file >= 0)
		(void)close(writer->file);
	writer->file = -1;
	for (guint i = writer->made->len; i > 0; i--)
		if (!remove_made(writer, writer->made->pdata[i - 1], error))
			return false;
	unpack_writer_mark(writer);
	return true;
}

bool unpack_writer_commit(UnpackWriter *writer, GError **error)
{
	if (fchmod(writer->root, 0755) < 0) {
		fault_set_errno(error, errno, "cannot set the mode of %s", writer->stage);
		return false;
	}
	if (!tree_sync(writer->stage, error))
		return false;
	if (file_exists(writer->directory)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s exists already",
		          writer->directory);
		return false;
	}
	if (!file_rename(writer->stage, writer->directory, error))
		return false;

	g_clear_pointer(&writer->stage, g_free);
	return true;
}
