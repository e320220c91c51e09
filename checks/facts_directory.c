/* checks/facts_directory.c - room and rights where the plan writes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/paths.h"
#include "checks/facts_private.h"

/* Blocks that this user gets, in bytes: not what root or a reserve may use. */
static guint64 free_bytes(const struct statvfs *room)
{
	guint64 bytes = 0;

	if (!g_uint64_checked_mul(&bytes, room->f_bavail, room->f_frsize) || bytes > G_MAXINT64)
		return FACTS_UNKNOWN;

	return bytes;
}

static Fact is_writable(const char *path)
{
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0)
		return FACT_YES;

	return errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOTDIR
	               ? FACT_NO
	               : FACT_UNKNOWN;
}

static void read_room(FactsDirectory *directory)
{
	struct statvfs room;
	struct stat status;

	if (statvfs(directory->existing, &room) == 0) {
		directory->free_bytes = free_bytes(&room);
		directory->is_read_only = (room.f_flag & ST_RDONLY) != 0 ? FACT_YES : FACT_NO;
		if (room.f_files != 0) /* btrfs and network file systems do not count */
			directory->free_inodes = MIN((guint64)room.f_favail, (guint64)G_MAXINT64);
	}
	if (stat(directory->existing, &status) == 0) {
		directory->device = (guint64)status.st_dev;
		directory->is_writable =
			S_ISDIR(status.st_mode) ? is_writable(directory->existing) : FACT_NO;
	}
}

FactsDirectory *facts_read_directory(const char *path)
{
	FactsDirectory *directory = facts_directory_new(path);

	directory->existing = paths_existing_ancestor(path);
	if (directory->existing != NULL)
		read_room(directory);
	return directory;
}
