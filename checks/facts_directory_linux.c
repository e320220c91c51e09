/* checks/facts_directory_linux.c - what Linux says of the file system that a directory is on
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "checks/facts_directory.h"

/* Source: linux/fs.h, FS_IOC_GETFLAGS and FS_CASEFOLD_FL. */
#define GET_FLAGS _IOR('f', 1, long)
#define FLAG_CASE_BLIND 0x40000000L

/* Source: the kernel's tables of system calls, which agree since number 424; sys/quota.h: limits are in
 * blocks. */
#define QUOTACTL_FD 443
#define GET_USER_QUOTA (((guint)Q_GETQUOTA << 8) | USRQUOTA)
#define QUOTA_BLOCK_BYTES 1024

/** Names of file systems by their magic number.  Source: linux/magic.h, statfs(2). */
static const struct {
	const char *name;
	guint32 magic;
	bool is_without_modes; /* rights are those of the mount, whatever chmod() says */
} type_table[] = {
	{ "ext4", 0xef53, false },         { "xfs", 0x58465342, false },
	{ "btrfs", 0x9123683e, false },    { "zfs", 0x2fc12fc1, false },
	{ "f2fs", 0xf2f52010, false },     { "bcachefs", 0xca451a4e, false },
	{ "overlay", 0x794c7630, false },  { "tmpfs", 0x01021994, false },
	{ "ramfs", 0x858458f6, false },    { "nfs", 0x6969, false },
	{ "cifs", 0xff534d42, true },      { "cifs", 0xfe534d42, true },
	{ "cifs", 0x517b, true },          { "9p", 0x01021997, false },
	{ "fuse", 0x65735546, false },     { "ecryptfs", 0xf15f, false },
	{ "ntfs3", 0x7366746e, true },     { "ntfs", 0x5346544e, true },
	{ "vfat", 0x4d44, true },          { "exfat", 0x2011bab0, true },
	{ "squashfs", 0x73717368, false }, { "erofs", 0xe0f5e1e2, false },
	{ "vboxsf", 0x786f4256, true },    { "ceph", 0x00c36400, false },
	{ "gpfs", 0x47504653, false },     { "lustre", 0x0bd00bd0, false },
};

static void take_type(guint32 magic, FactsDirectory *directory)
{
	for (gsize i = 0; i < G_N_ELEMENTS(type_table); i++) {
		if (type_table[i].magic != magic)
			continue;
		directory->file_system = g_strdup(type_table[i].name);
		directory->keeps_modes = type_table[i].is_without_modes ? FACT_NO : FACT_YES;
		return;
	}
	directory->file_system = g_strdup_printf("0x%x", magic);
}

/* A file system that folds case says so for each directory. */
static Fact is_case_blind(const FactsDirectory *directory, int fd)
{
	static const char *const blind[] = { "vfat", "exfat", "cifs", "ntfs3", "ntfs", NULL };
	long flags = 0;

	if (g_strv_contains(blind, directory->file_system))
		return FACT_YES;
	/* The two C libraries disagree about the type of the request. */
	if (syscall(SYS_ioctl, fd, GET_FLAGS, &flags) == 0)
		return (flags & FLAG_CASE_BLIND) != 0 ? FACT_YES : FACT_NO;
	return strcmp(directory->file_system, "9p") == 0 ? FACT_UNKNOWN : FACT_NO;
}

/* Kernels from 5.14 tell the quota of whatever a descriptor is on; older ones want the name of a device. */
static guint64 quota_bytes(int fd)
{
	struct dqblk quota = { 0 };
	guint64 limit;

	if (syscall(QUOTACTL_FD, fd, GET_USER_QUOTA, geteuid(), &quota) != 0)
		return errno == ESRCH ? FACTS_UNLIMITED : FACTS_UNKNOWN;

	limit = quota.dqb_bhardlimit != 0 ? quota.dqb_bhardlimit : quota.dqb_bsoftlimit;
	if (limit == 0 || limit > G_MAXINT64 / QUOTA_BLOCK_BYTES)
		return FACTS_UNLIMITED;
	limit *= QUOTA_BLOCK_BYTES;
	return limit > quota.dqb_curspace ? limit - quota.dqb_curspace : 0;
}

void directory_read_system(FactsDirectory *directory)
{
	g_auto(FileFd) fd = -1;
	struct statfs status;

	if (statfs(directory->existing, &status) != 0)
		return;

	take_type((guint32)status.f_type, directory);
	directory->is_noexec = (status.f_flags & ST_NOEXEC) != 0 ? FACT_YES : FACT_NO;
	fd = open(directory->existing, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		directory->is_case_blind = is_case_blind(directory, fd);
		directory->quota_bytes = quota_bytes(fd);
	}
}
