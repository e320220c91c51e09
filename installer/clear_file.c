/* installer/clear_file.c - takes the secrets out of a file without losing the file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/clear_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "installer/aside.h"
#include "installer/dotenv.h"

/* What is written over the old bytes at once. */
#define BLOCK_BYTES 4096

struct ClearFile {
	char *path;
	GBytes *text;
	struct stat status;
};

void clear_file_free(ClearFile *file)
{
	if (!file)
		return;

	g_clear_pointer(&file->text, g_bytes_unref);
	g_free(file->path);
	g_free(file);
}

GBytes *clear_file_text(const ClearFile *file)
{
	return file->text;
}

static bool check_kind(const struct stat *status, const char *path, gsize max_bytes, GError **error)
{
	if (!S_ISREG(status->st_mode))
		fault_set(error, STATUS_DATA, NULL, "%s is not a regular file", path);
	else if ((guint64)status->st_size > max_bytes)
		fault_set(error, STATUS_DATA, NULL,
		          "%s is larger than the %" G_GSIZE_FORMAT " bytes that are accepted", path,
		          max_bytes);
	else
		return true;
	return false;
}

ClearFile *clear_file_read(const char *path, gsize max_bytes, GError **error)
{
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	g_autoptr(ClearFile) file = g_new0(ClearFile, 1);

	file->path = g_strdup(path);
	if (fd < 0 || fstat(fd, &file->status) != 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return NULL;
	}
	if (!check_kind(&file->status, path, max_bytes, error))
		return NULL;

	char *data = NULL;
	gsize size = (gsize)file->status.st_size;
	g_autoptr(GBytes) room = dotenv_buffer(size, &data);
	gssize got = file_read_fd(fd, data, size);
	if (got < 0) {
		fault_set_errno(error, errno, "cannot read %s", path);
		return NULL;
	}
	file->text = g_bytes_new_from_bytes(room, 0, (gsize)got);
	return g_steal_pointer(&file);
}

static bool is_same(const struct stat *now, const struct stat *then)
{
	return now->st_dev == then->st_dev && now->st_ino == then->st_ino &&
	       now->st_size == then->st_size && now->st_mode == then->st_mode &&
	       now->st_uid == then->st_uid && now->st_gid == then->st_gid;
}

/* The file behind the name is still the one that was read, to the last byte. */
static bool check_unchanged(const ClearFile *file, GError **error)
{
	struct stat now = { 0 };

	if (lstat(file->path, &now) != 0) {
		fault_set_errno(error, errno, "cannot look at %s", file->path);
		return false;
	}
	if (S_ISLNK(now.st_mode)) {
		fault_set(error, STATUS_DENIED, "Name the file that it leads to.",
		          "%s is a symbolic link and is left as it is", file->path);
		return false;
	}
	if (now.st_nlink != 1) {
		fault_set(error, STATUS_DENIED, NULL, "%s has other names and is left as it is",
		          file->path);
		return false;
	}

	g_autoptr(ClearFile) again =
		is_same(&now, &file->status)
			? clear_file_read(file->path, (gsize)file->status.st_size, NULL)
			: NULL;
	if (again && g_bytes_equal(again->text, file->text))
		return true;
	fault_set(error, STATUS_BUSY, NULL, "%s was changed meanwhile and is left as it is",
	          file->path);
	return false;
}

/* Owner before mode: changing the owner takes bits away. */
static bool fill(int fd, const ClearFile *file, GBytes *text, GError **error)
{
	gsize size = 0;
	const char *data = g_bytes_get_data(text, &size);
	struct stat made = { 0 };

	if (fstat(fd, &made) == 0 &&
	    (made.st_uid != file->status.st_uid || made.st_gid != file->status.st_gid) &&
	    fchown(fd, file->status.st_uid, file->status.st_gid) != 0) {
		fault_set_errno(error, errno, "cannot keep the owner of %s", file->path);
		return false;
	}
	if (fchmod(fd, file->status.st_mode & 07777) != 0) {
		fault_set_errno(error, errno, "cannot keep the mode of %s", file->path);
		return false;
	}
	if (!file_write_all(fd, data, size, error))
		return false;
	if (fsync(fd) == 0)
		return true;
	fault_set_errno(error, errno, "cannot write %s", file->path);
	return false;
}

/* Returns: whether the new file is whole. */
static bool write_new(const Aside *aside, const ClearFile *file, GBytes *text, GError **error)
{
	bool is_filled = fill(aside->fd, file, text, error);

	if (close(aside->fd) != 0 && is_filled) {
		fault_set_errno(error, errno, "cannot write %s", file->path);
		is_filled = false;
	}
	return is_filled;
}

/* Returns: false with errno set. */
static bool overwrite(int fd, gsize size)
{
	static const char zeros[BLOCK_BYTES];

	for (gsize done = 0; done < size;) {
		ssize_t count = pwrite(fd, zeros, MIN(size - done, sizeof(zeros)), (off_t)done);

		if (count < 0 && errno != EINTR)
			return false;
		done += count > 0 ? (gsize)count : 0;
	}
	return fsync(fd) == 0 && ftruncate(fd, 0) == 0;
}

bool clear_file_replace(const ClearFile *file, GBytes *text, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(file->path);
	g_auto(Aside) aside = { NULL, -1, -1 };

	if (!check_unchanged(file, error))
		return false;
	g_auto(FileFd) old = open(file->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (old < 0) {
		fault_set_errno(error, errno, "cannot write %s", file->path);
		return false;
	}
	if (!aside_open(&aside, directory, error) || !write_new(&aside, file, text, error) ||
	    !check_unchanged(file, error) || !file_rename(aside.path, file->path, error))
		return false;
	g_clear_pointer(&aside.path, g_free);
	/* Not the new file, whoever put it there. */
	struct stat replaced = { 0 };
	if (fstat(old, &replaced) == 0 && replaced.st_nlink == 0 &&
	    replaced.st_ino == file->status.st_ino && overwrite(old, (gsize)file->status.st_size))
		return true;
	fault_set(error, STATUS_IO, NULL,
	          "the lines are out of %s, and its old bytes could not be overwritten",
	          file->path);
	return false;
}
