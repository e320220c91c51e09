/* installer/package_manager.c - the package managers: one row of data each
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_manager.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "installer/package_apk.h"
#include "installer/package_apt.h"
#include "installer/package_brew.h"
#include "installer/package_pacman.h"
#include "installer/package_rpm.h"
#include "installer/package_zypper.h"
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
	.explain = package_apt_explain,
	.words = package_apt_words,
};

static const PackageLock apt_locks[] = {
	{ "/var/lib/dpkg/lock-frontend", PACKAGE_LOCK_FCNTL },
	{ "/var/lib/dpkg/lock", PACKAGE_LOCK_FCNTL },
	{ "/var/lib/apt/lists/lock", PACKAGE_LOCK_FCNTL },
	{ "/var/cache/apt/archives/lock", PACKAGE_LOCK_FCNTL },
	{ NULL, PACKAGE_LOCK_NONE },
};

/* rpm's own, below the directory of its database. */
#define RPM_LOCKS                                                     \
	{ "/var/lib/rpm/.rpm.lock", PACKAGE_LOCK_FCNTL },             \
	{                                                             \
		"/usr/lib/sysimage/rpm/.rpm.lock", PACKAGE_LOCK_FCNTL \
	}

/* Sources: dnf/lock.py; dnf5's strace; yum's manual page; libzypp's zypp_detail.  A process that
 * reads packages only takes some of them too, for a moment. */
static const PackageLock dnf4_locks[] = {
	{ "/var/lib/dnf/rpmdb_lock.pid", PACKAGE_LOCK_PID },
	{ "/var/cache/dnf/metadata_lock.pid", PACKAGE_LOCK_PID },
	{ "/var/cache/dnf/download_lock.pid", PACKAGE_LOCK_PID },
	RPM_LOCKS,
	{ NULL, PACKAGE_LOCK_NONE },
};

static const PackageLock dnf5_locks[] = {
	{ "/run/dnf/rpmtransaction.lock", PACKAGE_LOCK_FCNTL },
	RPM_LOCKS,
	{ NULL, PACKAGE_LOCK_NONE },
};

static const PackageLock rpm_locks[] = {
	RPM_LOCKS,
	{ NULL, PACKAGE_LOCK_NONE },
};

static const PackageLock yum_locks[] = {
	{ "/run/yum.pid", PACKAGE_LOCK_PID },
	{ "/var/run/yum.pid", PACKAGE_LOCK_PID },
	RPM_LOCKS,
	{ NULL, PACKAGE_LOCK_NONE },
};

static const PackageLock zypper_locks[] = {
	{ "/run/zypp.pid", PACKAGE_LOCK_PID },
	RPM_LOCKS,
	{ NULL, PACKAGE_LOCK_NONE },
};

/* Sources: the manual page of each; where it is silent, its exit codes in its source. */
static const PackageStatus dnf_statuses[] = {
	{ 200, PACKAGE_BUSY }, /* --setopt=exit_on_lock=True */
	{ 0, PACKAGE_DONE },
};

static const PackageStatus zypper_statuses[] = {
	{ 7, PACKAGE_BUSY },      { 102, PACKAGE_WARNED }, { 103, PACKAGE_AGAIN },
	{ 104, PACKAGE_UNKNOWN }, { 106, PACKAGE_WARNED }, { 107, PACKAGE_WARNED },
	{ 0, PACKAGE_DONE },
};

#define RPM_LIST "rpm", "-qa", "--queryformat", PACKAGE_RPM_LIST_FORMAT
#define DNF_REASONS \
	"repoquery", "-q", "--installed", "--disablerepo=*", "--qf", PACKAGE_RPM_REASON_FORMAT
#define DNF_LEAN "--setopt=install_weak_deps=False"
#define DNF4 "dnf", "--setopt=exit_on_lock=True"

static const PackageDialect pacman_dialect = {
	.parse_list = package_pacman_parse_list,
	.parse_automatic = package_pacman_parse_automatic,
	.parse_changes = package_pacman_parse_changes,
	.parse_progress = package_pacman_parse_progress,
	.edited = ".pacsave",
	.displaced = ".pacorig",
	.words = package_pacman_words,
};

static const PackageLock pacman_locks[] = {
	{ PACKAGE_PACMAN_LOCK, PACKAGE_LOCK_FILE },
	{ NULL, PACKAGE_LOCK_NONE },
};

static const PackageDialect apk_dialect = {
	.parse_list = package_apk_parse_list,
	.parse_automatic = package_apk_parse_automatic,
	.parse_changes = package_apk_parse_changes,
	.parse_progress = package_apk_parse_progress,
	.edited = "",
	.words = package_apk_words,
};

static const PackageLock apk_locks[] = {
	{ "/lib/apk/db/lock", PACKAGE_LOCK_FLOCK },
	{ NULL, PACKAGE_LOCK_NONE },
};

static const PackageDialect brew_dialect = {
	.parse_list = package_brew_parse_list,
	.parse_automatic = package_brew_parse_automatic,
	.parse_changes = package_brew_parse_changes,
	.parse_users = package_brew_parse_users,
	.parse_progress = package_brew_parse_progress,
	.words = package_brew_words,
};

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
		.mend = WORDS{ APT_GET, APT_LEAN, "--reinstall", "install", NULL },
		.lists_torn = true,
		.repair = WORDS{ "dpkg", "--configure", "-a", "--force-confdef", "--force-confold",
	                         NULL },
		.locks = apt_locks,
		.side_effects = WORDS{ "/var/lib/apt", "/var/cache/apt", "/var/lib/dpkg",
	                               "/var/log/apt", "/var/log/dpkg.log",
	                               "/var/log/alternatives.log", "/var/cache/debconf",
	                               "/var/cache/ldconfig", "/etc/ld.so.cache", NULL },
		.index = "/var/lib/apt/lists",
		.index_name = "_Packages",
		.index_max_age_s = 7 * 24 * 3600,
		.interrupted = "/var/lib/dpkg/updates",
		.database = "/var/lib/dpkg/status",
		.dialect = &apt_dialect,
	},
	{
		.name = "dnf5",
		.catalogue = "dnf",
		.is_run_as_root = true,
		.is_asked_as_root = true,
		.env = WORDS{ "DNF5_FORCE_INTERACTIVE=0", NULL },
		.install = WORDS{ "dnf5", "-y", "install", DNF_LEAN, NULL },
		.simulate = WORDS{ "dnf5", "--assumeno", "install", DNF_LEAN, NULL },
		.refresh = WORDS{ "dnf5", "-y", "makecache", "--refresh", NULL },
		.remove = WORDS{ "dnf5", "-y", "remove", "--no-autoremove", NULL },
		.simulate_removal =
			WORDS{ "dnf5", "--assumeno", "remove", "--no-autoremove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.list_automatic = WORDS{ "dnf5", DNF_REASONS, NULL },
		.mark_automatic = WORDS{ "dnf5", "-y", "mark", "dependency", NULL },
		.list_files = WORDS{ "rpm", "-ql", NULL },
		.mend = WORDS{ "dnf5", "-y", "--cacheonly", "install", DNF_LEAN, NULL },
		.locks = dnf5_locks,
		.side_effects = WORDS{ "/var/lib/dnf", "/var/cache/libdnf5", "/var/log/dnf5.log",
	                               "/usr/lib/sysimage/libdnf5", "/usr/lib/sysimage/rpm",
	                               "/var/lib/rpm", NULL },
		.database = "/usr/lib/sysimage/rpm/rpmdb.sqlite",
		.dialect = &package_dnf_dialect,
	},
	{
		.name = "dnf4",
		.catalogue = "dnf",
		.is_run_as_root = true,
		.is_asked_as_root = true,
		.install = WORDS{ DNF4, "-y", "install", DNF_LEAN, NULL },
		.simulate = WORDS{ DNF4, "--assumeno", "install", DNF_LEAN, NULL },
		.refresh = WORDS{ DNF4, "-y", "makecache", "--refresh", NULL },
		.remove = WORDS{ DNF4, "-y", "remove", "--noautoremove", NULL },
		.simulate_removal = WORDS{ DNF4, "--assumeno", "remove", "--noautoremove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.list_automatic = WORDS{ DNF4, DNF_REASONS, NULL },
		.mark_automatic = WORDS{ DNF4, "-y", "mark", "remove", NULL },
		.list_files = WORDS{ "rpm", "-ql", NULL },
		.mend = WORDS{ DNF4, "-y", "--cacheonly", "install", DNF_LEAN, NULL },
		.locks = dnf4_locks,
		.side_effects =
			WORDS{ "/var/lib/dnf", "/var/cache/dnf", "/var/log", "/var/lib/rpm", NULL },
		.database = "/var/lib/rpm/rpmdb.sqlite",
		.statuses = dnf_statuses,
		.dialect = &package_dnf_dialect,
	},
	{
		.name = "microdnf", /* it keeps no marks, and tries a transaction to simulate it */
		.catalogue = "dnf",
		.is_run_as_root = true,
		.is_asked_as_root = true,
		.install =
			WORDS{ "microdnf", "-y", "install", "--setopt=install_weak_deps=0", NULL },
		.simulate = WORDS{ "microdnf", "-y", "install", "--setopt=install_weak_deps=0",
	                           "--setopt=tsflags=test", NULL },
		.refresh = WORDS{ "microdnf", "-y", "makecache", "--refresh", NULL },
		.remove = WORDS{ "microdnf", "-y", "remove", NULL },
		.simulate_removal =
			WORDS{ "microdnf", "-y", "remove", "--setopt=tsflags=test", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.list_files = WORDS{ "rpm", "-ql", NULL },
		.locks = rpm_locks,
		.side_effects = WORDS{ "/var/cache/yum", "/var/lib/dnf", "/var/lib/rpm", NULL },
		.database = "/var/lib/rpm/rpmdb.sqlite",
		.dialect = &package_microdnf_dialect,
	},
	{
		.name = "yum", /* yum 3: later ones are dnf under another name */
		.catalogue = "yum",
		.is_run_as_root = true,
		.is_asked_as_root = true,
		.install = WORDS{ "yum", "-y", "install", NULL },
		.simulate = WORDS{ "yum", "--assumeno", "install", NULL },
		.refresh = WORDS{ "yum", "-y", "makecache", NULL },
		.remove = WORDS{ "yum", "-y", "remove", NULL },
		.simulate_removal = WORDS{ "yum", "--assumeno", "remove", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.list_files = WORDS{ "rpm", "-ql", NULL },
		.mend = WORDS{ "yum", "-y", "--cacheonly", "install", NULL },
		.locks = yum_locks,
		.side_effects = WORDS{ "/var/lib/yum", "/var/cache/yum", "/var/log/yum.log",
	                               "/var/lib/rpm", NULL },
		.database = "/var/lib/rpm/Packages",
		.dialect = &package_dnf_dialect,
	},
	{
		.name = "zypper",
		.catalogue = "zypper",
		.is_run_as_root = true,
		.is_asked_as_root = true,
		.env = WORDS{ "ZYPP_LOCK_TIMEOUT=10", NULL },
		.install = WORDS{ "zypper", "-n", "install", "--no-recommends",
	                          "--auto-agree-with-licenses", NULL },
		.simulate = WORDS{ "zypper", "-n", "--xmlout", "install", "--no-recommends",
	                           "--auto-agree-with-licenses", "--dry-run", NULL },
		.refresh = WORDS{ "zypper", "-n", "refresh", "--force-download", NULL },
		.remove = WORDS{ "zypper", "-n", "remove", "--no-clean-deps", NULL },
		.simulate_removal = WORDS{ "zypper", "-n", "--xmlout", "remove", "--no-clean-deps",
	                                   "--dry-run", NULL },
		.list = WORDS{ RPM_LIST, NULL },
		.automatic = "/var/lib/zypp/AutoInstalled",
		.list_files = WORDS{ "rpm", "-ql", NULL },
		.mend = WORDS{ "zypper", "-n", "--no-refresh", "install", "--no-recommends",
	                       "--auto-agree-with-licenses", NULL },
		.locks = zypper_locks,
		.side_effects = WORDS{ "/var/lib/zypp", "/var/cache/zypp", "/var/log/zypp",
	                               "/var/log/zypper.log", "/usr/lib/sysimage/rpm",
	                               "/var/lib/rpm", NULL },
		.database = "/usr/lib/sysimage/rpm/Packages.db",
		.statuses = zypper_statuses,
		.dialect = &package_zypper_dialect,
	},
	{
		.name = "pacman",
		.catalogue = "pacman",
		.is_run_as_root = true,
		.install =
			WORDS{ "pacman", "-S", "--needed", "--noconfirm", "--noprogressbar", NULL },
		.simulate = WORDS{ "pacman", "-S", "--needed", "--noconfirm", "--print",
	                           PACKAGE_PACMAN_ADDS, NULL },
		.remove = WORDS{ "pacman", "-R", "--noconfirm", "--noprogressbar", NULL },
		.simulate_removal = WORDS{ "pacman", "-R", "--cascade", "--noconfirm", "--print",
	                                   PACKAGE_PACMAN_REMOVES, NULL },
		.list = WORDS{ PACKAGE_PACMAN_LIST, NULL },
		.list_automatic = WORDS{ PACKAGE_PACMAN_LIST_AUTOMATIC, NULL },
		.mark_automatic = WORDS{ "pacman", "-D", "--noconfirm", "--asdeps", NULL },
		.list_files = WORDS{ "pacman", "-Qlq", NULL },
		.mend = WORDS{ "sh", "-c", PACKAGE_PACMAN_MEND, "sh", NULL },
		.repair = WORDS{ "rm", "-f", PACKAGE_PACMAN_LOCK, NULL },
		.locks = pacman_locks,
		.side_effects = WORDS{ "/var/lib/pacman", "/var/cache/pacman",
	                               "/var/log/pacman.log", "/etc/pacman.d/gnupg",
	                               "/var/cache/ldconfig", "/etc/ld.so.cache", NULL },
		.index = "/var/lib/pacman/sync",
		.index_name = ".db",
		.database = PACKAGE_PACMAN_LOCAL,
		.lists_torn = true,
		.never_upgrades = true,
		.advice = "Bring the whole system up to date (\"sudo pacman -Syu\"), then run "
			  "slipway again.",
		.after_kill = "pacman was killed in the middle, and does not run the hooks of that "
			      "time again; this does: sudo pacman -S",
		.dialect = &pacman_dialect,
	},
	{
		.name = "apk",
		.catalogue = "apk",
		.is_run_as_root = true,
		.install = WORDS{ "apk", "--no-interactive", "add", NULL },
		.simulate = WORDS{ "apk", "--no-interactive", "add", "--simulate", NULL },
		.refresh = WORDS{ "apk", "--no-interactive", "update", NULL },
		.remove = WORDS{ "apk", "--no-interactive", "del", NULL },
		.simulate_removal = WORDS{ "apk", "--no-interactive", "del", "--simulate", NULL },
		.purge = WORDS{ "apk", "--no-interactive", "del", NULL },
		.list = WORDS{ "apk", "info", "-v", NULL },
		.automatic = PACKAGE_APK_WORLD,
		.mark_automatic = WORDS{ "apk", "--no-interactive", "del", NULL },
		.list_files = WORDS{ "apk", "info", "-L", NULL },
		.mend = WORDS{ "apk", "--no-interactive", "add", NULL },
		.notes_mended = true,
		.locks = apk_locks,
		.side_effects = WORDS{ "/lib/apk", "/etc/apk/world", "/var/cache/apk",
	                               "/var/log/apk.log", NULL },
		.database = "/lib/apk/db/installed",
		.dialect = &apk_dialect,
	},
	{
		.name = "brew",
		.catalogue = "brew",
		.env = WORDS{ "NONINTERACTIVE=1", "HOMEBREW_NO_ASK=1", "HOMEBREW_NO_AUTO_UPDATE=1",
	                      "HOMEBREW_NO_AUTOREMOVE=1", "HOMEBREW_NO_ENV_HINTS=1",
	                      "HOMEBREW_NO_INSTALL_CLEANUP=1", "HOMEBREW_NO_ANALYTICS=1",
	                      "HOMEBREW_NO_INSTALL_UPGRADE=1",
	                      "HOMEBREW_NO_INSTALLED_DEPENDENTS_CHECK=1", NULL },
		.install = WORDS{ "brew", "install", "--formula", NULL },
		.simulate = WORDS{ "brew", "deps", "--for-each", "--formula", NULL },
		.refresh = WORDS{ "brew", "update", NULL },
		.remove = WORDS{ "brew", "uninstall", "--formula", NULL },
		.simulate_removal = WORDS{ "brew", "deps", "--installed", "--formula", NULL },
		.list = WORDS{ "brew", "list", "--formula", "--versions", NULL },
		.list_automatic = WORDS{ "brew", "info", "--json=v2", "--installed", NULL },
		.mark_automatic = WORDS{ "brew", "tab", "--no-installed-on-request", NULL },
		.list_files = WORDS{ "brew", "list", "--formula", NULL },
		.side_effects = WORDS{ NULL },
		.dialect = &brew_dialect,
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

static void add_words(GPtrArray *argv, const char *const *words)
{
	for (; words && *words; words++)
		g_ptr_array_add(argv, g_strdup(*words));
}

char **package_manager_argv(const PackageManager *manager, const char *const *command,
                            const char *const *names, GError **error)
{
	bool is_loading = command == manager->install || command == manager->simulate ||
	                  command == manager->refresh || command == manager->mend;
	g_auto(GStrv) options = NULL;
	char *program = process_find(command[0]);
	GPtrArray *argv;

	if (!program) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no program \"%s\"",
		          command[0]);
		return NULL;
	}
	if (is_loading && manager->dialect && manager->dialect->options)
		options = manager->dialect->options();
	argv = g_ptr_array_new();
	g_ptr_array_add(argv, program);
	add_words(argv, command + 1);
	add_words(argv, (const char *const *)options);
	add_words(argv, names);
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

PackageVerdict package_manager_judge(const PackageManager *manager, int exit_code, const char *text)
{
	PackageVerdict verdict = package_manager_verdict(manager, exit_code);

	if (verdict != PACKAGE_FAILED)
		return verdict;
	for (const PackageWords *row = manager->dialect->words; row && row->says; row++)
		if (strstr(text, row->says))
			return row->verdict;

	return PACKAGE_FAILED;
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

/* Refreshing puts files into the directory and takes them out again. */
bool package_manager_has_fresh_index(const PackageManager *manager)
{
	struct stat directory;

	if (!package_manager_has_index(manager))
		return false;
	return !manager->index_max_age_s || stat(manager->index, &directory) != 0 ||
	       time(NULL) - directory.st_mtime <= (time_t)manager->index_max_age_s;
}

static void add_line(GPtrArray *lines, const PackageManager *manager, const char *const *command,
                     const char *const *names)
{
	g_auto(GStrv) argv = package_manager_argv(manager, command, names, NULL);

	if (argv)
		g_ptr_array_add(lines, privilege_text(manager->env, (const char *const *)argv));
}

char **packages_commands(const char *manager, const char *const *packages)
{
	const PackageManager *row = package_manager_row(manager);
	GPtrArray *lines = g_ptr_array_new();

	if (row && row->refresh && !package_manager_has_fresh_index(row))
		add_line(lines, row, row->refresh, NULL);
	if (row && packages && *packages)
		add_line(lines, row, row->install, packages);
	g_ptr_array_add(lines, NULL);
	return (char **)g_ptr_array_free(lines, FALSE);
}
