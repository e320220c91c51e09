/* installer/package_manager.c - the package managers: one row of data each
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_manager.h"

#include <string.h>

#include "base/fault.h"
#include "installer/package_apt.h"
#include "installer/privilege.h"

#define WORDS (const char *const[])

/* clang-format off */
#define APT_GET "apt-get", "-y", "-q", "-o", "Dpkg::Options::=--force-confdef", \
	"-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0", \
	"-o", "Acquire::Retries=2", "-o", "DPkg::Lock::Timeout=10"
#define APT_LEAN "--no-install-recommends", "--no-remove"
/* What was killed while it was unpacked has to be reinstalled or may be removed, says dpkg. */
#define APT_LEAVE "--no-auto-remove", "-o", "Dpkg::Options::=--force-remove-reinstreq"
/* clang-format on */

static const PackageDialect apt_dialect = {
	.parse_list = package_apt_parse_list,
	.parse_changes = package_apt_parse_changes,
	.parse_conffiles = package_apt_parse_conffiles,
	.parse_progress = package_apt_parse_progress,
	.is_locked = package_apt_is_locked,
	.is_stale = package_apt_is_stale,
};

/* Sources: the manual page of each; where it is silent, its exit codes in its source. */
static const PackageStatus dnf_statuses[] = {
	{ 200, PACKAGE_BUSY },
	{ 0, PACKAGE_DONE },
};

static const PackageStatus zypper_statuses[] = {
	{ 7, PACKAGE_BUSY },      { 102, PACKAGE_WARNED }, { 103, PACKAGE_AGAIN },
	{ 104, PACKAGE_UNKNOWN }, { 106, PACKAGE_WARNED }, { 107, PACKAGE_WARNED },
	{ 0, PACKAGE_DONE },
};

#define RPM_LIST "rpm", "-qa", "--queryformat", "%{NAME}\\t%{ARCH}\\t%{EVR}\\n"

const PackageManager package_manager_table[] = {
	{
		.name = "apt",
		.catalogue = "apt",
		.is_run_as_root = true,
		.env = WORDS{ "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1",
	                      "APT_LISTCHANGES_FRONTEND=none", NULL },
		.install = WORDS{ APT_GET, APT_LEAN, "install", NULL },
		.simulate =
			WORDS{ "apt-get", "-s", "-q", "--no-install-recommends", "install", NULL },
		.refresh = WORDS{ "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "-o",
	                          "Acquire::Retries=2", "update", NULL },
		.remove = WORDS{ APT_GET, APT_LEAVE, "remove", NULL },
		.simulate_removal = WORDS{ "apt-get", "-s", "-q", APT_LEAVE, "remove", NULL },
		.purge = WORDS{ APT_GET, APT_LEAVE, "purge", NULL },
		.list = WORDS{ "dpkg-query", "-W", "-f", PACKAGE_APT_LIST_FORMAT, NULL },
		.list_automatic = WORDS{ "apt-mark", "showauto", NULL },
		.mark_automatic = WORDS{ "apt-mark", "auto", NULL },
		.list_files = WORDS{ "dpkg-query", "-L", NULL },
		.list_conffiles = WORDS{ "dpkg-query", "-W", "-f", "${Conffiles}\\n", NULL },
		.repair = WORDS{ "dpkg", "--configure", "-a", "--force-confdef", "--force-confold",
	                         NULL },
		.locks = WORDS{ "/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock",
	                        "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock", NULL },
		.side_effects = WORDS{ "/var/lib/apt", "/var/cache/apt", "/var/lib/dpkg",
	                               "/var/log/apt", "/var/log/dpkg.log",
	                               "/var/log/alternatives.log", "/var/cache/debconf",
	                               "/var/cache/ldconfig", "/etc/ld.so.cache", NULL },
		.index = "/var/lib/apt/lists",
		.index_name = "_Packages",
		.interrupted = "/var/lib/dpkg/updates",
		.database = "/var/lib/dpkg/status",
		.dialect = &apt_dialect,
	},
	{
		.name = "dnf5",
		.catalogue = "dnf",
		.is_run_as_root = true,
		.env = WORDS{ "DNF5_FORCE_INTERACTIVE=0", NULL },
		.install =
			WORDS{ "dnf5", "-y", "install", "--setopt=install_weak_deps=False", NULL },
		.simulate = WORDS{ "dnf5", "--assumeno", "install",
	                           "--setopt=install_weak_deps=False", NULL },
		.refresh = WORDS{ "dnf5", "-y", "makecache", NULL },
		.remove = WORDS{ "dnf5", "-y", "remove", "--no-autoremove", NULL },
		.simulate_removal =
			WORDS{ "dnf5", "--assumeno", "remove", "--no-autoremove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.mark_automatic = WORDS{ "dnf5", "-y", "mark", "dependency", NULL },
		.side_effects = WORDS{ "/var/lib/dnf", "/var/cache/libdnf5", "/var/log/dnf5.log",
	                               "/usr/lib/sysimage/libdnf5", "/usr/lib/sysimage/rpm",
	                               "/var/lib/rpm", NULL },
		.database = "/usr/lib/sysimage/rpm/rpmdb.sqlite",
	},
	{
		.name = "dnf4",
		.catalogue = "dnf",
		.is_run_as_root = true,
		.install = WORDS{ "dnf", "-y", "-q", "install", "--setopt=install_weak_deps=False",
	                          NULL },
		.simulate = WORDS{ "dnf", "--assumeno", "install",
	                           "--setopt=install_weak_deps=False", NULL },
		.refresh = WORDS{ "dnf", "-y", "-q", "makecache", NULL },
		.remove = WORDS{ "dnf", "-y", "-q", "remove", "--noautoremove", NULL },
		.simulate_removal = WORDS{ "dnf", "--assumeno", "remove", "--noautoremove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.mark_automatic = WORDS{ "dnf", "-y", "-q", "mark", "remove", NULL },
		.side_effects =
			WORDS{ "/var/lib/dnf", "/var/cache/dnf", "/var/log", "/var/lib/rpm", NULL },
		.database = "/var/lib/rpm/rpmdb.sqlite",
		.statuses = dnf_statuses,
	},
	{
		.name = "microdnf",
		.catalogue = "dnf",
		.is_run_as_root = true,
		.install =
			WORDS{ "microdnf", "-y", "install", "--setopt=install_weak_deps=0", NULL },
		.simulate = WORDS{ "microdnf", "-y", "install", "--setopt=install_weak_deps=0",
	                           "--setopt=tsflags=test", NULL },
		.refresh = WORDS{ "microdnf", "-y", "makecache", NULL },
		.remove = WORDS{ "microdnf", "-y", "remove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.side_effects = WORDS{ "/var/cache/yum", "/var/lib/dnf", "/var/lib/rpm", NULL },
		.database = "/var/lib/rpm/rpmdb.sqlite",
	},
	{
		.name = "yum",
		.catalogue = "yum",
		.is_run_as_root = true,
		.install = WORDS{ "yum", "-y", "install", NULL },
		.simulate = WORDS{ "yum", "--assumeno", "install", NULL },
		.refresh = WORDS{ "yum", "-y", "makecache", NULL },
		.remove = WORDS{ "yum", "-y", "remove", NULL },
		.simulate_removal = WORDS{ "yum", "--assumeno", "remove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.side_effects = WORDS{ "/var/lib/yum", "/var/cache/yum", "/var/log/yum.log",
	                               "/var/lib/rpm", NULL },
		.database = "/var/lib/rpm/Packages",
	},
	{
		.name = "zypper",
		.catalogue = "zypper",
		.is_run_as_root = true,
		.env = WORDS{ "ZYPP_LOCK_TIMEOUT=60", NULL },
		.install = WORDS{ "zypper", "-n", "install", "--no-recommends",
	                          "--auto-agree-with-licenses", NULL },
		.simulate =
			WORDS{ "zypper", "-n", "install", "--no-recommends", "--dry-run", NULL },
		.refresh = WORDS{ "zypper", "-n", "refresh", NULL },
		.remove = WORDS{ "zypper", "-n", "remove", "--no-clean-deps", NULL },
		.simulate_removal =
			WORDS{ "zypper", "-n", "remove", "--no-clean-deps", "--dry-run", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.side_effects = WORDS{ "/var/lib/zypp", "/var/cache/zypp", "/var/log/zypp",
	                               "/var/log/zypper.log", "/usr/lib/sysimage/rpm", NULL },
		.database = "/usr/lib/sysimage/rpm/Packages.db",
		.statuses = zypper_statuses,
	},
	{
		.name = "pacman",
		.catalogue = "pacman",
		.is_run_as_root = true,
		.install = WORDS{ "pacman", "-S", "--needed", "--noconfirm", NULL },
		.simulate = WORDS{ "pacman", "-S", "--needed", "--print", NULL },
		.remove = WORDS{ "pacman", "-R", "--noconfirm", NULL },
		.simulate_removal = WORDS{ "pacman", "-R", "--print", NULL },
		.list = WORDS{ "pacman", "-Q", NULL },
		.list_automatic = WORDS{ "pacman", "-Qdq", NULL },
		.mark_automatic = WORDS{ "pacman", "-D", "--asdeps", NULL },
		.side_effects = WORDS{ "/var/lib/pacman", "/var/cache/pacman",
	                               "/var/log/pacman.log", NULL },
		.database = "/var/lib/pacman/local",
	},
	{
		.name = "apk",
		.catalogue = "apk",
		.is_run_as_root = true,
		.install = WORDS{ "apk", "--wait", "60", "add", NULL },
		.simulate = WORDS{ "apk", "add", "-s", NULL },
		.refresh = WORDS{ "apk", "--wait", "60", "update", NULL },
		.remove = WORDS{ "apk", "--wait", "60", "del", NULL },
		.simulate_removal = WORDS{ "apk", "del", "-s", NULL },
		.list = WORDS{ "apk", "info", "-v", NULL },
		.side_effects = WORDS{ "/lib/apk", "/etc/apk/world", "/var/cache/apk", NULL },
		.database = "/lib/apk/db/installed",
	},
	{
		.name = "brew",
		.catalogue = "brew",
		.env = WORDS{ "NONINTERACTIVE=1", "HOMEBREW_NO_ASK=1", "HOMEBREW_NO_AUTO_UPDATE=1",
	                      "HOMEBREW_NO_ENV_HINTS=1", "HOMEBREW_NO_INSTALL_CLEANUP=1",
	                      "HOMEBREW_NO_ANALYTICS=1", "HOMEBREW_NO_INSTALL_UPGRADE=1",
	                      "HOMEBREW_NO_INSTALLED_DEPENDENTS_CHECK=1", NULL },
		.install = WORDS{ "brew", "install", NULL },
		.simulate = WORDS{ "brew", "install", "--dry-run", NULL },
		.refresh = WORDS{ "brew", "update", NULL },
		.remove = WORDS{ "brew", "uninstall", NULL },
		.list = WORDS{ "brew", "list", "--versions", NULL },
		.side_effects = WORDS{ NULL },
	},
};

const gsize package_manager_count = G_N_ELEMENTS(package_manager_table);

const PackageManager *package_manager_row(const char *name)
{
	for (gsize i = 0; i < package_manager_count; i++)
		if (g_strcmp0(package_manager_table[i].name, name) == 0)
			return &package_manager_table[i];

	return NULL;
}

const PackageManager *package_manager_find(const char *name, GError **error)
{
	const PackageManager *manager = package_manager_row(name);

	if (!manager)
		fault_set(error, STATUS_FOREIGN, NULL, "no package manager \"%s\" is known",
		          name ? name : "");
	else if (!manager->dialect)
		fault_set(
			error, STATUS_UNAVAILABLE,
			"Install the packages that the plan names by hand, then run slipway again.",
			"this version of slipway cannot install with %s", name);
	return manager && manager->dialect ? manager : NULL;
}

char **package_manager_argv(const char *const *command, const char *const *names, GError **error)
{
	char *program = process_find(command[0]);
	GPtrArray *argv;

	if (!program) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no program \"%s\"",
		          command[0]);
		return NULL;
	}
	argv = g_ptr_array_new();
	g_ptr_array_add(argv, program);
	for (command++; *command; command++)
		g_ptr_array_add(argv, g_strdup(*command));
	for (; names && *names; names++)
		g_ptr_array_add(argv, g_strdup(*names));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

PackageVerdict package_manager_verdict(const PackageManager *manager, int exit_code)
{
	for (const PackageStatus *row = manager->statuses; row && row->verdict; row++)
		if (row->exit_code == exit_code)
			return row->verdict;

	return exit_code == 0 ? PACKAGE_DONE : PACKAGE_FAILED;
}

bool package_manager_has_index(const PackageManager *manager)
{
	g_autoptr(GDir) dir = NULL;
	const char *name;

	if (!manager->index)
		return true;
	dir = g_dir_open(manager->index, 0, NULL);
	while (dir && (name = g_dir_read_name(dir)))
		if (strstr(name, manager->index_name))
			return true;

	return false;
}

static void add_line(GPtrArray *lines, const PackageManager *manager, const char *const *command,
                     const char *const *names)
{
	g_auto(GStrv) argv = package_manager_argv(command, names, NULL);

	if (argv)
		g_ptr_array_add(lines, privilege_text(manager->env, (const char *const *)argv));
}

char **packages_commands(const char *manager, const char *const *packages)
{
	const PackageManager *row = package_manager_row(manager);
	GPtrArray *lines = g_ptr_array_new();

	if (row && !package_manager_has_index(row))
		add_line(lines, row, row->refresh, NULL);
	if (row && packages && *packages)
		add_line(lines, row, row->install, packages);
	g_ptr_array_add(lines, NULL);
	return (char **)g_ptr_array_free(lines, FALSE);
}
