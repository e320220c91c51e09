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
#include "checks/facts_directory.h"

static guint64 bytes_of(guint64 blocks, guint64 block_bytes)
{
	guint64 bytes = 0;

	if (!g_uint64_checked_mul(&bytes, blocks, block_bytes) || bytes > G_MAXINT64)
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
		/* What this user gets: not what root or a reserve may use. */
		directory->free_bytes = bytes_of(room.f_bavail, room.f_frsize);
		directory->total_bytes = bytes_of(room.f_blocks, room.f_frsize);
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

/* What was read of another path that ends in the same directory. */
static FactsDirectory *copy_of(const FactsDirectory *other, const char *path)
{
	FactsDirectory *copy = facts_directory_new(NULL);

	*copy = *other;
	copy->path = g_strdup(path);
	copy->existing = g_strdup(other->existing);
	copy->file_system = g_strdup(other->file_system);
	return copy;
}

FactsDirectory *facts_read_directory(const char *path, const GPtrArray *known)
{
	g_autofree char *existing = paths_existing_ancestor(path);
	FactsDirectory *directory;

	for (guint i = 0; known != NULL && existing != NULL && i < known->len; i++) {
		const FactsDirectory *other = g_ptr_array_index(known, i);

		if (g_strcmp0(other->existing, existing) == 0)
			return copy_of(other, path);
	}

	directory = facts_directory_new(path);
	directory->existing = g_steal_pointer(&existing);
	if (directory->existing != NULL) {
		read_room(directory);
		directory_read_system(directory);
	}
	return directory;
}
