/* checks/facts_packages.c - the package manager, and whether it can be used now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "checks/facts_private.h"

/* Most names that are kept of the packages that are not fully configured. */
#define BROKEN_SHOWN 5

/** One way to install packages; in each family the first whose program is there. */
typedef struct {
	const char *manager;
	const char *family; /* os-release ID and ID_LIKE words, space on both sides */
	const char *program[2];
} Manager;

/* clang-format off */
static const Manager manager_table[] = {
	{ "apt",      " debian ubuntu ",                   { "/usr/bin/apt-get" } },
	{ "dnf5",     " fedora rhel centos amzn mageia ",  { "/usr/bin/dnf5" } },
	{ "dnf4",     " fedora rhel centos amzn mageia ",  { "/usr/bin/dnf-3", "/usr/bin/dnf" } },
	{ "microdnf", " fedora rhel centos amzn ",         { "/usr/bin/microdnf" } },
	{ "yum",      " fedora rhel centos amzn ",         { "/usr/bin/yum" } },
	{ "zypper",   " suse opensuse sles ",              { "/usr/bin/zypper" } },
	{ "pacman",   " arch ",                            { "/usr/bin/pacman" } },
	{ "apk",      " alpine ",                          { "/sbin/apk", "/usr/bin/apk" } },
	{ "brew",     " macos ",                           { "/opt/homebrew/bin/brew",
	                                                     "/usr/local/bin/brew" } },
};

/** Files that a manager locks, or whose mere existence is the lock. */
static const struct {
	const char *manager; /* prefix of the manager's name */
	const char *path;
	bool is_by_existence;
} lock_table[] = {
	{ "apt",    "/var/lib/dpkg/lock-frontend" },
	{ "apt",    "/var/lib/dpkg/lock" },
	{ "apt",    "/var/lib/apt/lists/lock" },
	{ "apt",    "/var/cache/apt/archives/lock" },
	{ "dnf",    "/var/lib/rpm/.rpm.lock" },
	{ "dnf",    "/usr/lib/sysimage/rpm/.rpm.lock" },
	{ "yum",    "/var/lib/rpm/.rpm.lock" },
	{ "zypper", "/usr/lib/sysimage/rpm/.rpm.lock" },
	{ "zypper", "/run/zypp.pid" },
	{ "pacman", "/var/lib/pacman/db.lck", true },
	{ "apk",    "/lib/apk/db/lock" },
};
/* clang-format on */

static bool is_of_family(const Manager *manager, const FactsSystem *system)
{
	g_autofree char *all = g_strdup_printf("%s %s", system->id != NULL ? system->id : "",
	                                       system->id_like != NULL ? system->id_like : "");
	g_auto(GStrv) words = g_strsplit_set(all, " \t", -1);

	for (gsize i = 0; words[i] != NULL; i++) {
		g_autofree char *word = g_strdup_printf(" %s ", words[i]);

		if (*words[i] != '\0' && strstr(manager->family, word) != NULL)
			return true;
	}
	return false;
}

static bool has_program(const FactsSource *source, const Manager *manager)
{
	for (gsize i = 0; i < G_N_ELEMENTS(manager->program); i++)
		if (manager->program[i] != NULL && source_exists(source, manager->program[i]))
			return true;

	return false;
}

/* A Debian machine may have dnf: the system's own comes first. */
static const char *find_manager(const FactsSource *source, const FactsSystem *system)
{
	const char *found = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(manager_table); i++) {
		const Manager *manager = &manager_table[i];

		if (!has_program(source, manager))
			continue;
		if (is_of_family(manager, system))
			return manager->manager;
		if (found == NULL)
			found = manager->manager;
	}
	return found;
}

/* An operation that was cut off leaves numbered files in updates/. */
static Fact is_interrupted(const FactsSource *source)
{
	g_autofree char *path = source_path(source, "/var/lib/dpkg/updates");
	DIR *directory = opendir(path);
	Fact found = FACT_NO;

	if (directory == NULL)
		return FACT_UNKNOWN;

	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		if (g_ascii_isdigit(entry->d_name[0]))
			found = FACT_YES;
	(void)closedir(directory);
	return found;
}

/* The third word of "Status: install ok installed". */
static bool is_settled(const char *status)
{
	const char *state = strrchr(status, ' ');

	if (strstr(status, " reinstreq ") != NULL)
		return false;
	return state != NULL &&
	       (strcmp(state, " installed") == 0 || strcmp(state, " config-files") == 0 ||
	        strcmp(state, " not-installed") == 0);
}

/* The end of a line without changing the text. */
static char *rest_of_line(const char *text)
{
	return g_strndup(text, strcspn(text, "\n"));
}

static void take_broken(FactsPackages *packages, const char *name)
{
	g_autofree char *before = g_steal_pointer(&packages->broken);

	packages->broken_count++;
	if (packages->broken_count > BROKEN_SHOWN || name == NULL)
		packages->broken = g_steal_pointer(&before);
	else
		packages->broken =
			before != NULL ? g_strconcat(before, " ", name, NULL) : g_strdup(name);
}

/* g_str_has_prefix() measures the whole text first: with each line, that took seconds. */
static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Looks at "Package:" and "Status:" only: the file has up to a hundred thousand lines. */
static void read_dpkg_status(const char *text, FactsPackages *packages)
{
	g_autofree char *name = NULL;

	packages->broken_count = 0;
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (starts(line, "Package: ")) {
			g_free(name);
			name = rest_of_line(line + strlen("Package: "));
		} else if (starts(line, "Status: ")) {
			g_autofree char *status = rest_of_line(line + strlen("Status: "));

			if (!is_settled(status))
				take_broken(packages, name);
		}
	}
}

/* "1: POSIX ADVISORY WRITE 1234 08:01:131 0 EOF"; a waiting one has "->" behind the number. */
static guint64 holder_in_proc(const FactsSource *source, const struct stat *file)
{
	g_autofree char *text = source_read(source, "/proc/locks");
	g_autofree char *id = file_lock_id(file->st_dev, file->st_ino);
	g_autofree char *inode = g_strdup_printf(" %s ", id);
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

	for (gsize i = 0; lines[i] != NULL; i++) {
		char *place = strstr(lines[i], inode);

		if (place == NULL || strstr(lines[i], "->") != NULL)
			continue;
		*place = '\0';
		place = strrchr(lines[i], ' ');
		return place != NULL ? source_parse_number(place) : FACTS_UNKNOWN;
	}
	return 0;
}

/* Returns: process number, 0 when nobody holds it, FACTS_UNKNOWN when somebody unknown does. */
static guint64 lock_holder(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);
	struct flock query = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	g_auto(FileFd) fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;

	if (fd >= 0 && fcntl(fd, F_GETLK, &query) == 0 && query.l_type != F_UNLCK)
		return query.l_pid > 0 ? (guint64)query.l_pid : FACTS_UNKNOWN;
	if (stat(full, &file) == 0)
		return holder_in_proc(source, &file);
	return 0;
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

static void read_locks(const FactsSource *source, FactsPackages *packages)
{
	packages->is_locked = FACT_NO;
	packages->lock_pid = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(lock_table); i++) {
		const char *path = lock_table[i].path;
		guint64 pid = 0;

		if (!g_str_has_prefix(packages->manager, lock_table[i].manager))
			continue;
		if (!lock_table[i].is_by_existence)
			pid = lock_holder(source, path);
		else if (source_exists(source, path))
			pid = FACTS_UNKNOWN;
		if (pid != 0) {
			take_lock(source, path, pid, packages);
			return;
		}
	}
}

/* "1:2.26.1-4" without epoch and revision. */
static char *upstream_version(const char *version)
{
	gsize digits = strspn(version, "0123456789");

	if (version[digits] == ':')
		version += digits + 1;
	return g_strndup(version, strcspn(version, "-+~\n"));
}

char *dpkg_version(const FactsSource *source, const char *const *packages)
{
	g_autofree char *text = source_read(source, "/var/lib/dpkg/status");

	for (; text != NULL && *packages != NULL; packages++) {
		g_autofree char *key = g_strdup_printf("\nPackage: %s\n", *packages);
		const char *stanza = strstr(text, key);
		const char *end = stanza != NULL ? strstr(stanza, "\n\n") : NULL;
		const char *version = stanza != NULL ? strstr(stanza, "\nVersion: ") : NULL;

		if (version == NULL || (end != NULL && version > end) ||
		    g_strstr_len(stanza, end != NULL ? end - stanza : -1, " ok installed") == NULL)
			continue;
		return upstream_version(version + strlen("\nVersion: "));
	}
	return NULL;
}

void facts_read_packages(const FactsSource *source, const FactsSystem *system,
                         FactsPackages *packages)
{
	packages->manager = g_strdup(find_manager(source, system));
	if (packages->manager == NULL)
		return;

	read_locks(source, packages);
	if (strcmp(packages->manager, "apt") == 0) {
		g_autofree char *text = source_read(source, "/var/lib/dpkg/status");

		packages->is_interrupted = is_interrupted(source);
		if (text != NULL)
			read_dpkg_status(text, packages);
	}
}
