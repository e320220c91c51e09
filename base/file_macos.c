/* base/file_macos.c - what only macOS does with files in this way
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* fsync(2) leaves the bytes in the disk's own memory there. */
bool file_sync_data(int fd)
{
	return fcntl(fd, F_FULLFSYNC) == 0 || fsync(fd) == 0;
}

void file_reserve(int fd, off_t size_bytes)
{
	fstore_t store = { .fst_flags = F_ALLOCATEALL,
		           .fst_posmode = F_PEOFPOSMODE,
		           .fst_length = size_bytes };

	if (fcntl(fd, F_PREALLOCATE, &store) == 0)
		(void)ftruncate(fd, size_bytes);
}

void file_begin_sync(int fd)
{
	(void)fd;
}

struct timespec file_modified(const struct stat *status)
{
	return status->st_mtimespec;
}

struct timespec file_changed(const struct stat *status)
{
	return status->st_ctimespec;
}

/* There is no list of locks. */
char *file_lock_id(dev_t device G_GNUC_UNUSED, ino_t inode G_GNUC_UNUSED)
{
	return g_strdup("");
}
