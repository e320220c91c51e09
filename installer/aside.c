/* installer/aside.c - temporary files by a name and a lock that tell them from everything else
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fault.h"

#define PREFIX ".slipway-aside-"
#define PATTERN "XXXXXX"
#define ATTEMPTS 10

static bool has_our_name(const char *name)
{
	const char *random = g_str_has_prefix(name, PREFIX) ? name + strlen(PREFIX) : "";

	return strlen(random) == strlen(PATTERN) &&
	       strspn(random, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS) == strlen(PATTERN);
}

/* Returns: a descriptor with its lock when nobody works on it any more; else -1. */
static int open_abandoned(const char *path)
{
	g_auto(FileFd) fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status = { 0 };
	bool is_ours = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	               status.st_uid == geteuid();

	return is_ours && flock(fd, LOCK_EX | LOCK_NB) == 0 ? file_fd_take(&fd) : -1;
}

static guint visit_abandoned(const char *directory, bool is_swept)
{
	g_autoptr(GDir) listing = g_dir_open(directory, 0, NULL);
	const char *name = NULL;
	guint count = 0;

	while (listing && (name = g_dir_read_name(listing))) {
		if (!has_our_name(name))
			continue;
		g_autofree char *path = g_build_filename(directory, name, NULL);
		g_auto(FileFd) lock = open_abandoned(path);

		count += lock >= 0;
		if (lock >= 0 && is_swept)
			(void)unlink(path);
	}
	return count;
}

guint aside_count_abandoned(const char *directory)
{
	return visit_abandoned(directory, false);
}

void aside_clear(Aside *aside)
{
	if (aside->path)
		(void)unlink(aside->path);
	g_clear_pointer(&aside->path, g_free);
	file_fd_clear(&aside->lock);
}

/* Between its birth and its lock somebody else may have swept it.  Where there are no locks, nobody
 * sweeps. */
static bool is_locked(int fd)
{
	struct stat status = { 0 };

	if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return false;
	return fstat(fd, &status) == 0 && status.st_nlink == 1;
}

bool aside_open(Aside *aside, const char *directory, GError **error)
{
	*aside = (Aside){ NULL, -1, -1 };
	(void)visit_abandoned(directory, true);

	for (guint attempt = 0; attempt < ATTEMPTS; attempt++) {
		g_autofree char *path = g_build_filename(directory, PREFIX PATTERN, NULL);
		g_auto(FileFd) fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);

		if (fd < 0) {
			fault_set_errno(error, errno, "cannot write into %s", directory);
			return false;
		}
		if (is_locked(fd)) {
			aside->path = g_steal_pointer(&path);
			aside->lock = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the same lock */
			aside->fd = file_fd_take(&fd);
			return true;
		}
	}
	fault_set(error, STATUS_BUSY, "Run the command again.",
	          "other programs keep taking away the new files in %s", directory);
	return false;
}
