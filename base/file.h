/* base/file.h - single files: read whole, replaced whole
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/** Closes a descriptor when it goes out of scope.  For reading only: closing what was written is
 *  checked by hand. */
typedef int FileFd;
void file_fd_clear(FileFd *fd);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileFd, file_fd_clear)

/** Returns: the descriptor, which is the caller's now; @fd becomes -1. */
int file_fd_take(FileFd *fd);

/**
 * Reads a regular file whole.
 *
 * Returns: (transfer full): its bytes; or NULL with CANNOT_CREATE (absent), DENIED, DATA (not a
 * regular file, or over @max_bytes) or IO set.  Never blocks on a FIFO.
 */
GBytes *file_read(const char *path, gsize max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Replaces @path with @size_bytes at @data: temporary file beside it, fsync, rename, fsync of the
 * directory.  The directory exists.  After a failure the old file stands and no litter is left.
 */
bool file_write(const char *path, const void *data, gsize size_bytes, mode_t mode,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): lower-case hex SHA-256 of a regular file, symlinks not followed; or
 *  NULL with the error set as by file_read(). */
char *file_digest(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As file_digest(), for a path relative to the directory @dir_fd. */
char *file_digest_at(int dir_fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): lower-case hex SHA-256 of @bytes. */
char *file_digest_bytes(GBytes *bytes);

/** Digits of a digest. */
#define FILE_DIGEST_LENGTH 64

/** Returns: whether @text is a digest as file_digest() writes it. */
bool file_is_digest(const char *text);

/** Unlinks @path and syncs its directory; an absent file is success. */
bool file_remove(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Renames within one file system and syncs both directories. */
bool file_rename(const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes what was written to @fd durable, without its times.  Returns: false with errno set. */
bool file_sync_data(int fd) G_GNUC_WARN_UNUSED_RESULT;

/** Gives the new file @fd @size_bytes of room on the disk; best effort. */
void file_reserve(int fd, off_t size_bytes);

/** Has what was written to @fd go to the disk soon, so that a later fsync() is short; best effort. */
void file_begin_sync(int fd);

/** Returns: the time of the last change of the content, and of anything. */
struct timespec file_modified(const struct stat *status);
struct timespec file_changed(const struct stat *status);

/** Returns: (transfer full): the name of a file in /proc/locks; "" where there is no such list. */
char *file_lock_id(dev_t device, ino_t inode);

/** Makes directory entries durable. */
bool file_sync_dir(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads @size_bytes into @data, over interruptions.  Returns: how many there were, fewer only at the
 *  end of the file; -1 with errno set. */
gssize file_read_fd(int fd, void *data, gsize size_bytes);

/** Writes all of @size_bytes to @fd, through EINTR and short writes. */
bool file_write_all(int fd, const void *data, gsize size_bytes, GError **error);

/**
 * Creates @path and its missing parents with @mode (umask does not matter), each durable.
 * @created: (nullable) (element-type utf8): each directory that was made is appended, outermost
 * first.
 */
bool file_make_dirs(const char *path, mode_t mode, GPtrArray *created,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether anything, a dangling symlink too, has that name. */
bool file_exists(const char *path);
