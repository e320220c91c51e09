/* checks/facts_package_lock.c - is somebody installing packages now, and who?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "checks/facts_packages.h"

typedef enum {
	LOCKED_FILE, /* a process has the file locked, by fcntl() */
	FLOCK_FILE,  /* the same by flock(), which only /proc/locks tells without taking it */
	PID_FILE,    /* the number of a process that lives stands in it */
	MARK_FILE,   /* it is there */
} LockKind;

/* Sources: the manual pages of each, dnf's lock.py, libzypp; dnf5 and apk as strace shows them. */
/* clang-format off */
static const struct {
	const char *manager; /* prefix of the manager's name */
	const char *path;
	LockKind kind;
} lock_table[] = {
	{ "apt",      "/var/lib/dpkg/lock-frontend",        LOCKED_FILE },
	{ "apt",      "/var/lib/dpkg/lock",                 LOCKED_FILE },
	{ "apt",      "/var/lib/apt/lists/lock",            LOCKED_FILE },
	{ "apt",      "/var/cache/apt/archives/lock",       LOCKED_FILE },
	{ "dnf4",     "/var/lib/dnf/rpmdb_lock.pid",        PID_FILE },
	{ "dnf4",     "/var/cache/dnf/metadata_lock.pid",   PID_FILE },
	{ "dnf4",     "/var/cache/dnf/download_lock.pid",   PID_FILE },
	{ "dnf5",     "/run/dnf/rpmtransaction.lock",       LOCKED_FILE },
	{ "yum",      "/run/yum.pid",                       PID_FILE },
	{ "zypper",   "/run/zypp.pid",                      PID_FILE },
	{ "dnf",      "/var/lib/rpm/.rpm.lock",             LOCKED_FILE },
	{ "dnf",      "/usr/lib/sysimage/rpm/.rpm.lock",    LOCKED_FILE },
	{ "microdnf", "/var/lib/rpm/.rpm.lock",             LOCKED_FILE },
	{ "yum",      "/var/lib/rpm/.rpm.lock",             LOCKED_FILE },
	{ "zypper",   "/usr/lib/sysimage/rpm/.rpm.lock",    LOCKED_FILE },
	{ "pacman",   "/var/lib/pacman/db.lck",             MARK_FILE },
	{ "apk",      "/lib/apk/db/lock",                   FLOCK_FILE },
};
/* clang-format on */

/* "1: POSIX ADVISORY WRITE 1234 08:01:131 0 EOF"; a waiting one has "->" behind the number. */
static guint64 holder_in_proc(const FactsSource *source, const struct stat *file)
{
	g_autofree char *text = source_read(source, "/proc/locks");
	g_autofree char *id = file_lock_id(file->st_dev, file->st_ino);
	g_autofree char *inode = g_strdup_printf(" %s ", id);
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	guint64 pid;

	for (gsize i = 0; lines[i] != NULL; i++) {
		char *place = strstr(lines[i], inode);

		if (place == NULL || strstr(lines[i], "->") != NULL)
			continue;
		*place = '\0';
		place = strrchr(lines[i], ' ');
		/* 0: a process of another namespace. */
		pid = place != NULL ? source_parse_number(place) : FACTS_UNKNOWN;
		return pid != 0 ? pid : FACTS_UNKNOWN;
	}
	return 0;
}

/* /proc/locks is for those who may not open the file: to read it, the kernel stops all work on locks for
 * some milliseconds.
 * Returns: process number, 0 when nobody holds it, FACTS_UNKNOWN when somebody unknown does. */
static guint64 lock_holder(const FactsSource *source, const char *path, LockKind kind)
{
	g_autofree char *full = source_path(source, path);
	struct flock query = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	g_auto(FileFd) fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;

	if (kind == LOCKED_FILE && fd >= 0 && fcntl(fd, F_GETLK, &query) == 0)
		return query.l_type == F_UNLCK ? 0
		       : query.l_pid > 0       ? (guint64)query.l_pid
		                               : FACTS_UNKNOWN;
	if (stat(full, &file) == 0)
		return holder_in_proc(source, &file);
	return 0;
}

/* A file that was left behind names a process that has ended. */
static guint64 living_process(const FactsSource *source, const char *path)
{
	guint64 pid = source_number(source, path);
	g_autofree char *process = g_strdup_printf("/proc/%" G_GUINT64_FORMAT, pid);

	return pid != FACTS_UNKNOWN && pid != 0 && source_exists(source, process) ? pid : 0;
}

/** Programs that lock pacman's database. */
static const char *const pacman_programs[] = { "pacman", "pamac-daemon", "packagekitd", "yay",
	                                       "paru",   "pikaur",       NULL };

/* The lock is a file without a process in it, which stays when its maker is killed. */
static Fact is_stale(const FactsSource *source)
{
	g_autoptr(GPtrArray) names = source_list(source, "/proc");
	Fact result = FACT_UNKNOWN;

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename("/proc", name, "comm", NULL);
		g_autofree char *program = NULL;

		if (!g_ascii_isdigit(*name))
			continue;
		result = FACT_YES;
		program = source_line(source, path);
		if (program != NULL && g_strv_contains(pacman_programs, program))
			return FACT_NO;
	}
	return result;
}

static void take_lock(const FactsSource *source, const char *path, guint64 pid,
                      FactsPackages *packages)
{
	packages->is_locked = FACT_YES;
	packages->lock_file = g_strdup(path);
	packages->lock_pid = pid;
	if (pid != FACTS_UNKNOWN) {
		g_autofree char *comm = g_strdup_printf("/proc/%" G_GUINT64_FORMAT "/comm", pid);

		packages->lock_holder = source_line(source, comm);
	}
}

/* Returns: as lock_holder(). */
static guint64 holder_of(const FactsSource *source, gsize row)
{
	const char *path = lock_table[row].path;

	switch (lock_table[row].kind) {
	case LOCKED_FILE:
	case FLOCK_FILE:
		return lock_holder(source, path, lock_table[row].kind);
	case PID_FILE:
		return living_process(source, path);
	case MARK_FILE:
	default:
		return source_exists(source, path) ? FACTS_UNKNOWN : 0;
	}
}

void lock_read(const FactsSource *source, FactsPackages *packages)
{
	packages->is_locked = FACT_NO;
	packages->lock_pid = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(lock_table); i++) {
		guint64 pid = g_str_has_prefix(packages->manager, lock_table[i].manager)
		                      ? holder_of(source, i)
		                      : 0;

		if (pid == 0)
			continue;
		take_lock(source, lock_table[i].path, pid, packages);
		if (lock_table[i].kind == MARK_FILE)
			packages->is_lock_stale = is_stale(source);
		return;
	}
}
