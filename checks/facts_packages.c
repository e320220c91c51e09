/* checks/facts_packages.c - the package manager, and whether it can be used now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checks/facts_packages.h"

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

/** Names that a transaction leaves behind when it is cut off. */
static const struct {
	const char *manager; /* prefix of the manager's name */
	const char *directory, *prefix;
} leftover_table[] = {
	{ "yum", "/var/lib/yum", "transaction-all." },
	{ "yum", "/var/lib", "rpmrebuilddb." },
	{ "dnf", "/var/lib", "rpmrebuilddb." },
	{ "microdnf", "/var/lib", "rpmrebuilddb." },
	{ "dnf", "/usr/lib/sysimage", "rpmrebuilddb." },
	{ "zypper", "/usr/lib/sysimage", "rpmrebuilddb." },
	{ "apk", "/lib/apk/db", "installed.new" },
};

static void take_leftover(const FactsSource *source, gsize row, FactsPackages *packages)
{
	const char *directory = leftover_table[row].directory;
	g_autoptr(GPtrArray) names = source_list(source, directory);

	if (names->len > 0 && packages->is_interrupted == FACT_UNKNOWN)
		packages->is_interrupted = FACT_NO;
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (packages->trouble == NULL &&
		    g_str_has_prefix(name, leftover_table[row].prefix)) {
			packages->is_interrupted = FACT_YES;
			packages->trouble = g_build_filename(directory, name, NULL);
		}
	}
}

static void read_leftovers(const FactsSource *source, FactsPackages *packages)
{
	for (gsize i = 0; i < G_N_ELEMENTS(leftover_table); i++)
		if (g_str_has_prefix(packages->manager, leftover_table[i].manager))
			take_leftover(source, i, packages);
}

/* What a manager writes whenever it fetches its lists. */
static void read_lists_age(const FactsSource *source, FactsPackages *packages)
{
	static const struct {
		const char *manager, *path;
	} marks[] = { { "apt", "/var/lib/apt/lists/partial" },
		      { "dnf5", "/var/cache/libdnf5" },
		      { "dnf4", "/var/cache/dnf" },
		      { "yum", "/var/cache/yum" },
		      { "zypper", "/var/cache/zypp/raw" },
		      { "pacman", "/var/lib/pacman/sync/core.db" } };
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;

	for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
		g_autofree char *path = source_path(source, marks[i].path);
		struct stat status;

		if (strcmp(packages->manager, marks[i].manager) != 0)
			continue;
		if (stat(path, &status) == 0)
			packages->lists_age_s = (guint64)MAX(now_s - (gint64)status.st_mtime, 0);
		else if (errno == ENOENT)
			packages->lists_age_s = FACTS_UNLIMITED;
	}
}

/* On a Mac with Apple silicon the one in /usr/local is that of Intel, which Rosetta translates. */
static void read_brew(const FactsSource *source, const FactsSystem *system, FactsPackages *packages)
{
	bool is_native = source_exists(source, "/opt/homebrew/bin/brew");
	g_autofree char *prefix = source_path(source, is_native ? "/opt/homebrew" : "/usr/local");

	packages->is_prefix_writable = access(prefix, W_OK | X_OK) == 0 ? FACT_YES : FACT_NO;
	packages->is_prefix_foreign =
		!is_native && g_strcmp0(system->architecture, "arm64") == 0 ? FACT_YES : FACT_NO;
}

void facts_read_packages(const FactsSource *source, const FactsSystem *system, bool is_work_asked,
                         FactsPackages *packages)
{
	packages->manager = g_strdup(find_manager(source, system));
	if (packages->manager == NULL || !is_work_asked)
		return;

	lock_read(source, packages);
	read_lists_age(source, packages);
	if (strcmp(packages->manager, "apt") == 0)
		dpkg_read(source, packages);
	else if (strcmp(packages->manager, "brew") == 0)
		read_brew(source, system, packages);
	else
		read_leftovers(source, packages);
}
