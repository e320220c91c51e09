/* installer/package_lock.c - wait until a package manager is free
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"

#define POLL_US 200000

/* "3: POSIX  ADVISORY  WRITE 1234 fd:01:131076 0 EOF" */
bool package_lock_parse(const char *text, dev_t device, ino_t inode, pid_t *holder)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *want = file_lock_id(device, inode);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit_set(*line, " \t", -1);
		const char *fields[6] = { NULL };
		guint count = 0;

		for (char **word = words; *word && count < G_N_ELEMENTS(fields); word++)
			if (**word)
				fields[count++] = *word;
		if (count < G_N_ELEMENTS(fields) || !g_str_equal(fields[1], "POSIX") ||
		    !g_str_equal(fields[5], want))
			continue;
		*holder = (pid_t)MAX(0, g_ascii_strtoll(fields[4], NULL, 10));
		return true;
	}

	return false;
}

static bool is_in_proc_locks(const char *path, pid_t *holder)
{
	g_autofree char *text = NULL;
	struct stat status;

	return stat(path, &status) == 0 && g_file_get_contents("/proc/locks", &text, NULL, NULL) &&
	       package_lock_parse(text, status.st_dev, status.st_ino, holder);
}

bool package_lock_holder(const char *path, pid_t *holder)
{
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return is_in_proc_locks(path, holder);
	if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
		return false;
	*holder = MAX(0, lock.l_pid);
	return true;
}

static char *describe(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_autofree char *name = NULL;

	if (pid == 0)
		return g_strdup("a process that cannot be seen from here");
	if (!g_file_get_contents(path, &name, NULL, NULL))
		return g_strdup_printf("process %d", (int)pid);
	return g_strdup_printf("%s (process %d)", g_strstrip(name), (int)pid);
}

/* Returns: (transfer none) (nullable): the first path that is locked. */
static const char *find_locked(const PackageLockWait *wait, pid_t *holder)
{
	for (const char *const *path = wait->paths; path && *path; path++)
		if (package_lock_holder(*path, holder))
			return *path;

	return NULL;
}

bool package_lock_wait(const PackageLockWait *wait, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)wait->timeout_s * G_USEC_PER_SEC;
	const char *path;
	pid_t holder = 0;

	while ((path = find_locked(wait, &holder))) {
		g_autofree char *who = describe(holder);
		g_autofree char *detail =
			g_strdup_printf("waiting for %s, which holds %s", who, path);

		if (!cancel_check(error))
			return false;
		if (g_get_monotonic_time() >= deadline_us) {
			fault_set(error, STATUS_BUSY,
			          "Let it finish, then run the same command again; a longer "
			          "--package-lock-timeout waits for it.",
			          "%s holds %s, for longer than %u s", who, path, wait->timeout_s);
			return false;
		}
		if (wait->report)
			wait->report(-1, detail, wait->data);
		g_usleep(POLL_US);
	}

	return true;
}
