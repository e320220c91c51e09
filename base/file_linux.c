/* base/file_linux.c - what only Linux does with files in this way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"

bool file_sync_data(int fd)
{
	return fdatasync(fd) == 0;
}

void file_reserve(int fd, off_t size_bytes)
{
	(void)posix_fallocate(fd, 0, size_bytes);
}

void file_begin_sync(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

struct timespec file_modified(const struct stat *status)
{
	return status->st_mtim;
}

struct timespec file_changed(const struct stat *status)
{
	return status->st_ctim;
}

char *file_lock_id(dev_t device, ino_t inode)
{
	return g_strdup_printf("%02x:%02x:%" G_GUINT64_FORMAT, major(device), minor(device),
	                       (guint64)inode);
}
