/* base/file.c - single files: read whole, replaced whole
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fault.h"

#define BLOCK_BYTES ((gsize)128 * 1024)
/* What is read of a file before memory is taken for it. */
#define START_BYTES ((gsize)8 * 1024)
#define TEMP_ATTEMPTS 16
/** Of the name, kept in the temporary name, so that this stays under NAME_MAX (255). */
#define TEMP_NAME_BYTES 200

void file_fd_clear(FileFd *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

int file_fd_take(FileFd *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Opens a regular file for reading; never waits for the writer of a FIFO. */
static int open_regular(int dir_fd, const char *path, int flags, GError **error)
{
	struct stat status = { 0 };
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	bool is_other = fd < 0 && (errno == ENXIO || (errno == ELOOP && (flags & O_NOFOLLOW)));

	if (!is_other && (fd < 0 || fstat(fd, &status) != 0)) {
		fault_set_errno(error, errno, "cannot read %s", path);
		file_fd_clear(&fd);
		return -1;
	}
	if (is_other || !S_ISREG(status.st_mode)) {
		fault_set(error, STATUS_DATA, NULL, "%s is not a regular file", path);
		file_fd_clear(&fd);
		return -1;
	}
	return fd;
}

gssize file_read_fd(int fd, void *data, gsize size_bytes)
{
	guint8 *buffer = data;
	gsize filled = 0;

	while (filled < size_bytes) {
		ssize_t got = read(fd, buffer + filled, size_bytes - filled);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += (gsize)got;
	}
	return (gssize)filled;
}

/* Reads on behind the @filled bytes at @start.  Returns: false with errno set when it cannot be read. */
static bool read_rest(int fd, const guint8 *start, gsize max_bytes, guint8 **whole, gsize *filled)
{
	/* One byte more than expected shows the end without moving the buffer, which may hold a
	 * secret; files of /proc say that they are empty, so it can grow. */
	struct stat status = { 0 };
	gsize expected = fstat(fd, &status) == 0 ? (gsize)MAX(status.st_size, 0) : 0;
	gsize capacity = MIN(MAX(expected, 2 * START_BYTES), max_bytes) + 1;

	*whole = g_malloc(capacity);
	memcpy(*whole, start, *filled);
	for (;;) {
		gssize got = file_read_fd(fd, *whole + *filled, capacity - *filled);
		if (got < 0)
			return false;
		*filled += (gsize)got;
		if (*filled < capacity || *filled > max_bytes)
			return true;
		capacity = MIN(capacity * 2 + BLOCK_BYTES, max_bytes + 1);
		*whole = g_realloc(*whole, capacity);
	}
}

GBytes *file_read(const char *path, gsize max_bytes, GError **error)
{
	g_return_val_if_fail(path && max_bytes < G_MAXSSIZE, NULL);

	/* Most files are small, and pages of the allocator's for each would cost more than reading it. */
	guint8 start[START_BYTES];
	g_auto(FileFd) fd = open_regular(AT_FDCWD, path, 0, error);
	if (fd < 0)
		return NULL;

	/* Files below /proc/sys end after the first read, however much of them was taken. */
	gsize wanted = MIN(sizeof(start), max_bytes + 1);
	gssize got = file_read_fd(fd, start, wanted);
	gsize filled = (gsize)MAX(got, 0);
	g_autofree guint8 *whole = NULL;
	GBytes *bytes = NULL;

	if (got < 0 ||
	    (filled == sizeof(start) && !read_rest(fd, start, max_bytes, &whole, &filled)))
		fault_set_errno(error, errno, "cannot read %s", path);
	else if (filled > max_bytes)
		fault_set(error, STATUS_DATA, NULL, "%s is larger than %" G_GSIZE_FORMAT " bytes",
		          path, max_bytes);
	else
		bytes = whole ? g_bytes_new_take(g_steal_pointer(&whole), filled)
		              : g_bytes_new(start, filled);
	OPENSSL_cleanse(start, MIN(filled, sizeof(start)));
	return bytes;
}

bool file_write_all(int fd, const void *data, gsize size_bytes, GError **error)
{
	const char *next = data;

	while (size_bytes > 0) {
		ssize_t written = write(fd, next, size_bytes);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			fault_set_errno(error, errno, "cannot write");
			return false;
		}
		next += written;
		size_bytes -= (gsize)written;
	}
	return true;
}

/* Some file systems cannot sync a directory and say so; then there is nothing to wait for. */
static bool sync_dir_fd(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

bool file_sync_dir(const char *path, GError **error)
{
	g_auto(FileFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && sync_dir_fd(fd))
		return true;
	fault_set_errno(error, errno, "cannot sync %s", path);
	return false;
}

static bool sync_parent(const char *path, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);

	return file_sync_dir(parent, error);
}

/* Creates ".NAME.XXXXXXXX.tmp" in the directory @dir_fd, for our eyes only. */
static int create_temp(int dir_fd, const char *name, char **temp)
{
	for (int i = 0; i < TEMP_ATTEMPTS; i++) {
		guint32 number = 0;
		if (getentropy(&number, sizeof(number)) != 0)
			return -1;

		g_autofree char *candidate =
			g_strdup_printf(".%.*s.%08x.tmp", TEMP_NAME_BYTES, name, number);
		int fd = openat(dir_fd, candidate,
		                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			*temp = g_steal_pointer(&candidate);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

/* Writes, sets the mode, syncs and closes @fd.  macOS flushes the drive's own cache only on
 * F_FULLFSYNC; fsync(2) keeps the order there, which is what a rename needs. */
static bool fill_and_close(int fd, GBytes *content, mode_t mode, GError **error)
{
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(content, &size_bytes);
	bool is_written = file_write_all(fd, data, size_bytes, error);

	if (is_written && (fchmod(fd, mode) != 0 || fsync(fd) != 0)) {
		fault_set_errno(error, errno, "cannot write");
		is_written = false;
	}
	if (close(fd) != 0 && is_written) {
		fault_set_errno(error, errno, "cannot write");
		is_written = false;
	}
	return is_written;
}

static bool replace(int dir_fd, const char *name, GBytes *content, mode_t mode, GError **error)
{
	g_autofree char *temp = NULL;
	int fd = create_temp(dir_fd, name, &temp);

	if (fd < 0) {
		fault_set_errno(error, errno, "cannot create a file");
		return false;
	}
	if (!fill_and_close(fd, content, mode, error)) {
		(void)unlinkat(dir_fd, temp, 0);
		return false;
	}
	if (renameat(dir_fd, temp, dir_fd, name) != 0) {
		fault_set_errno(error, errno, "cannot rename");
		(void)unlinkat(dir_fd, temp, 0);
		return false;
	}
	if (!sync_dir_fd(dir_fd)) {
		fault_set_errno(error, errno, "cannot sync the directory");
		return false;
	}
	return true;
}

bool file_write(const char *path, const void *data, gsize size_bytes, mode_t mode, GError **error)
{
	g_return_val_if_fail(path && (data || size_bytes == 0), false);

	g_autofree char *directory = g_path_get_dirname(path);
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	g_autoptr(GBytes) content = g_bytes_new_static(data, size_bytes);
	g_auto(FileFd) dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0 || !*name) {
		fault_set_errno(error, dir_fd < 0 ? errno : EISDIR, "cannot write %s", path);
		return false;
	}
	if (!replace(dir_fd, name, content, mode, error)) {
		g_prefix_error(error, "cannot replace %s: ", path);
		return false;
	}
	return true;
}

char *file_digest_bytes(GBytes *bytes)
{
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(bytes, &size_bytes);
	g_autoptr(Digest) digest = digest_new();

	digest_add(digest, data, size_bytes);
	return digest_hex(digest);
}

bool file_is_digest(const char *text)
{
	return strlen(text) == FILE_DIGEST_LENGTH &&
	       strspn(text, "0123456789abcdef") == FILE_DIGEST_LENGTH;
}

char *file_digest(const char *path, GError **error)
{
	return file_digest_at(AT_FDCWD, path, error);
}

char *file_digest_at(int dir_fd, const char *path, GError **error)
{
	g_auto(FileFd) fd = open_regular(dir_fd, path, O_NOFOLLOW, error);
	if (fd < 0)
		return NULL;

	g_autoptr(Digest) digest = digest_new();
	g_autofree guint8 *block = g_malloc(BLOCK_BYTES);
	gssize got = 0;

	do {
		got = file_read_fd(fd, block, BLOCK_BYTES);
		if (got < 0) {
			fault_set_errno(error, errno, "cannot read %s", path);
			return NULL;
		}
		digest_add(digest, block, (gsize)got);
	} while (got == BLOCK_BYTES);

	return digest_hex(digest);
}

bool file_remove(const char *path, GError **error)
{
	if (unlink(path) == 0)
		return sync_parent(path, error);
	if (errno == ENOENT || errno == ENOTDIR)
		return true;
	fault_set_errno(error, errno, "cannot remove %s", path);
	return false;
}

bool file_rename(const char *from, const char *to, GError **error)
{
	if (rename(from, to) != 0) {
		fault_set_errno(error, errno, "cannot rename %s to %s", from, to);
		return false;
	}

	g_autofree char *from_parent = g_path_get_dirname(from);
	g_autofree char *to_parent = g_path_get_dirname(to);

	/* The new name first: between the two syncs both may stand, never none. */
	return file_sync_dir(to_parent, error) &&
	       (g_str_equal(from_parent, to_parent) || file_sync_dir(from_parent, error));
}

static bool set_mode_and_sync(const char *path, mode_t mode, GError **error)
{
	g_auto(FileFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && fchmod(fd, mode) == 0 && sync_dir_fd(fd))
		return sync_parent(path, error);
	fault_set_errno(error, errno, "cannot create %s", path);
	return false;
}

static bool is_directory(const char *path)
{
	struct stat status = { 0 };

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool make_dir(const char *path, mode_t mode, GPtrArray *created, GError **error)
{
	if (is_directory(path))
		return true;

	g_autofree char *parent = g_path_get_dirname(path);
	if (!make_dir(parent, mode, created, error))
		return false;

	if (mkdir(path, mode) == 0) { /* a kill before the next call finds the mode right already */
		if (created)
			g_ptr_array_add(created, g_strdup(path));
		return set_mode_and_sync(path, mode, error);
	}

	int reason = errno;
	if (reason == EEXIST && is_directory(path)) /* somebody else was faster */
		return true;
	fault_set_errno(error, reason == EEXIST ? ENOTDIR : reason, "cannot create %s", path);
	return false;
}

bool file_make_dirs(const char *path, mode_t mode, GPtrArray *created, GError **error)
{
	g_return_val_if_fail(path && *path, false);

	g_autofree char *canonical = g_canonicalize_filename(path, NULL);

	return make_dir(canonical, mode, created, error);
}

bool file_exists(const char *path)
{
	struct stat status = { 0 };

	return lstat(path, &status) == 0;
}
