/* installer/package_lock.c - wait until a package manager is free
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"

#define POLL_US 200000

/* "3: POSIX  ADVISORY  WRITE 1234 fd:01:131076 0 EOF"; one that waits has "->" for the type. */
bool package_lock_parse(const char *text, const char *type, const struct stat *file, pid_t *holder)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *want = file_lock_id(file->st_dev, file->st_ino);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit_set(*line, " \t", -1);
		const char *fields[6] = { NULL };
		guint count = 0;

		for (char **word = words; *word && count < G_N_ELEMENTS(fields); word++)
			if (**word)
				fields[count++] = *word;
		if (count < G_N_ELEMENTS(fields) || !g_str_equal(fields[1], type) ||
		    !g_str_equal(fields[5], want))
			continue;
		*holder = (pid_t)MAX(0, g_ascii_strtoll(fields[4], NULL, 10));
		return true;
	}

	return false;
}

static bool is_in_proc_locks(const char *path, const char *type, pid_t *holder)
{
	g_autofree char *text = NULL;
	struct stat status;

	return stat(path, &status) == 0 && g_file_get_contents("/proc/locks", &text, NULL, NULL) &&
	       package_lock_parse(text, type, &status, holder);
}

static bool has_fcntl_lock(const char *path, pid_t *holder)
{
	g_auto(FileFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0)
		return is_in_proc_locks(path, "POSIX", holder);
	if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
		return false;
	*holder = MAX(0, lock.l_pid);
	return true;
}

/* A process that has ended and that nobody has waited for yet holds nothing. */
static bool is_zombie(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	const char *state;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	state = strrchr(text, ')');
	return state && g_str_has_prefix(state, ") Z");
}

static bool names_process(const char *path, pid_t *holder)
{
	g_autofree char *text = NULL;
	gint64 pid;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	pid = g_ascii_strtoll(text, NULL, 10);
	if (pid <= 0 || pid > G_MAXINT || (kill((pid_t)pid, 0) != 0 && errno == ESRCH) ||
	    is_zombie((pid_t)pid))
		return false;
	*holder = (pid_t)pid;
	return true;
}

/* Whether the process has @file open; @is_seen: whether that could be looked at. */
static bool has_open(const char *pid, const struct stat *file, bool *is_seen)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/fd", pid);
	DIR *directory = opendir(path);
	bool is_found = false;
	struct stat status;

	if (!directory) {
		*is_seen = errno == ENOENT;
		return false;
	}
	for (struct dirent *entry; !is_found && (entry = readdir(directory));)
		is_found = fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 &&
		           status.st_dev == file->st_dev && status.st_ino == file->st_ino;
	(void)closedir(directory);
	return is_found;
}

/* A program that was killed leaves its lock file: then nobody has it open.  An ordinary user cannot
 * see what root's processes have open, and has to take the file at its word. */
static bool is_open_somewhere(const char *path, pid_t *holder)
{
	g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
	bool all_are_seen = processes != NULL;
	struct stat file;
	const char *name;

	if (stat(path, &file) != 0)
		return false;
	while (processes && (name = g_dir_read_name(processes))) {
		bool is_seen = true;

		if (!g_ascii_isdigit(*name))
			continue;
		if (has_open(name, &file, &is_seen)) {
			*holder = (pid_t)g_ascii_strtoll(name, NULL, 10);
			return true;
		}
		all_are_seen = all_are_seen && is_seen;
	}

	return !all_are_seen;
}

/* On an overlay, /proc/locks has the numbers of the file below.  Who has the file open, has it for
 * the lock. */
static bool has_flock(const char *path, pid_t *holder)
{
	return is_in_proc_locks(path, "FLOCK", holder) ||
	       (is_open_somewhere(path, holder) && *holder > 0);
}

bool package_lock_holder(const PackageLock *lock, pid_t *holder)
{
	*holder = 0;
	switch (lock->kind) {
	case PACKAGE_LOCK_FCNTL:
		return has_fcntl_lock(lock->path, holder);
	case PACKAGE_LOCK_FLOCK:
		return has_flock(lock->path, holder);
	case PACKAGE_LOCK_PID:
		return names_process(lock->path, holder);
	case PACKAGE_LOCK_FILE:
		return is_open_somewhere(lock->path, holder);
	case PACKAGE_LOCK_NONE:
		break;
	}
	return false;
}

const char *package_lock_left(const PackageLock *locks)
{
	pid_t holder = 0;

	for (; locks && locks->kind; locks++)
		if (locks->kind == PACKAGE_LOCK_FILE && file_exists(locks->path) &&
		    !is_open_somewhere(locks->path, &holder))
			return locks->path;

	return NULL;
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
	for (const PackageLock *lock = wait->locks; lock && lock->kind; lock++)
		if (package_lock_holder(lock, holder))
			return lock->path;

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
