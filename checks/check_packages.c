/* checks/check_packages.c - judges the package manager, the right to use it, and the keyring
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

#define DAY_S ((guint64)24 * 60 * 60)

static bool applies_with_apt(const Facts *facts, const CheckNeeds *needs)
{
	return needs->needs_packages && g_strcmp0(facts->packages.manager, "apt") == 0;
}

/* Homebrew lives beside an image-based system; every other manager would change the image. */
static void judge_os_immutable(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;
	bool is_met =
		system->immutable == NULL || g_strcmp0(run->facts->packages.manager, "brew") == 0;

	(void)finding_add(run, is_met ? CHECK_PASS : run->check->severity,
	                  system->immutable != NULL ? system->immutable : "ordinary system");
}

static void judge_packages_manager(CheckRun *run)
{
	const char *manager = run->facts->packages.manager;

	(void)finding_add(run, manager != NULL ? CHECK_PASS : run->check->severity,
	                  manager != NULL ? manager : "none found");
}

static bool applies_with_database(const Facts *facts, const CheckNeeds *needs)
{
	static const char *const managers[] = { "apt", "dnf5",   "dnf4", "microdnf",
		                                "yum", "zypper", "apk",  NULL };
	const char *manager = facts->packages.manager;

	return needs->needs_packages && manager != NULL && g_strv_contains(managers, manager);
}

/** What mends the database of each. */
static const struct {
	const char *manager; /* prefix of the manager's name */
	const char *remedy;
} mend_table[] = {
	{ "yum", "Run `sudo yum-complete-transaction`, then `sudo rpm --rebuilddb`." },
	{ "dnf", "Run `sudo rpm --rebuilddb`, then `sudo dnf check`." },
	{ "microdnf", "Run `sudo rpm --rebuilddb`." },
	{ "zypper", "Run `sudo rpm --rebuilddb`, then `sudo zypper verify`." },
	{ "apk", "Run `sudo apk fix`." },
};

static void explain_mending(CheckRun *run, CheckFinding *finding)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mend_table); i++)
		if (g_str_has_prefix(run->facts->packages.manager, mend_table[i].manager))
			finding_set_remedy(finding, g_strdup(mend_table[i].remedy));

	if (run->facts->packages.trouble != NULL)
		finding_set_source(finding, g_strdup(run->facts->packages.trouble));
}

static void judge_broken(CheckRun *run)
{
	const FactsPackages *packages = &run->facts->packages;
	g_autofree char *broken = g_strdup_printf(
		"%" G_GUINT64_FORMAT " not fully configured: %s", packages->broken_count,
		packages->broken != NULL ? packages->broken : "?");

	if (packages->broken_count == FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(run,
		                  packages->broken_count > 0 ? run->check->severity : CHECK_PASS,
		                  packages->broken_count > 0 ? broken : "in order");
}

/* Only dpkg keeps a list of what is half done. */
static void judge_packages_health(CheckRun *run)
{
	const FactsPackages *packages = &run->facts->packages;
	bool is_apt = strcmp(packages->manager, "apt") == 0;

	if (packages->is_interrupted == FACT_YES || !is_apt || packages->broken_count == 0)
		explain_mending(run, finding_add_fact(run, fact_not(packages->is_interrupted),
		                                      "in order", "an operation was cut off"));
	else
		judge_broken(run);
}

static void judge_packages_sources(CheckRun *run)
{
	const char *conflict = run->facts->packages.sources_conflict;
	g_autofree char *measured =
		g_strdup_printf("%s has two keys", conflict != NULL ? conflict : "?");

	if (conflict == NULL)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(run, *conflict == '\0' ? CHECK_PASS : run->check->severity,
		                  *conflict == '\0' ? "in order" : measured);
}

/* Neither brew nor apk writes a file whenever it fetches its lists. */
static bool applies_with_lists(const Facts *facts, const CheckNeeds *needs)
{
	const char *manager = facts->packages.manager;

	return needs->needs_packages && g_strcmp0(manager, "brew") != 0 &&
	       g_strcmp0(manager, "apk") != 0;
}

static void tell_packages_lists(CheckRun *run)
{
	guint64 age_s = run->facts->packages.lists_age_s;
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT " days old", age_s / DAY_S);

	(void)finding_tell(run, age_s == FACTS_UNKNOWN     ? NULL
	                        : age_s == FACTS_UNLIMITED ? "never fetched"
	                        : age_s < DAY_S            ? "of today"
	                                                   : text);
}

static bool applies_with_brew(const Facts *facts, const CheckNeeds *needs)
{
	return needs->needs_packages && g_strcmp0(facts->packages.manager, "brew") == 0;
}

static void judge_brew_prefix(CheckRun *run)
{
	const FactsPackages *packages = &run->facts->packages;
	CheckFinding *finding;

	if (packages->is_prefix_foreign != FACT_YES) {
		(void)finding_add_fact(run,
		                       packages->is_prefix_foreign == FACT_UNKNOWN
		                               ? FACT_UNKNOWN
		                               : packages->is_prefix_writable,
		                       "writable", "not writable");
		return;
	}
	finding = finding_add(run, CHECK_WARN, "the one for Intel");
	finding_set_remedy(finding, g_strdup("Install Homebrew for Apple silicon, below "
	                                     "/opt/homebrew."));
}

static void judge_developer_tools(CheckRun *run)
{
	(void)finding_add_fact(run, run->facts->system.has_developer_tools, "installed",
	                       "not installed");
}

static void judge_packages_lock(CheckRun *run)
{
	const FactsPackages *packages = &run->facts->packages;
	g_autofree char *pid =
		packages->lock_pid != FACTS_UNKNOWN
			? g_strdup_printf(" (process %" G_GUINT64_FORMAT ")", packages->lock_pid)
			: NULL;
	g_autofree char *holder = g_strdup_printf(
		"held by %s%s", packages->lock_holder != NULL ? packages->lock_holder : "somebody",
		pid != NULL ? pid : "");
	CheckFinding *finding;

	if (packages->is_locked != FACT_YES) {
		(void)finding_add(run, packages->is_locked == FACT_NO ? CHECK_PASS : CHECK_UNKNOWN,
		                  packages->is_locked == FACT_NO ? "free" : NULL);
		return;
	}
	finding = finding_add(run, run->check->severity,
	                      packages->is_lock_stale == FACT_YES ? "left behind" : holder);
	if (packages->is_lock_stale == FACT_YES)
		finding_set_remedy(finding,
		                   g_strdup_printf("Remove %s: the program that made it has ended.",
		                                   packages->lock_file != NULL ? packages->lock_file
		                                                               : "the lock file"));
	if (packages->lock_file != NULL)
		finding_set_source(finding, g_strdup(packages->lock_file));
}

/* Homebrew is the other way round: it refuses root. */
static void judge_brew_user(CheckRun *run)
{
	guint64 uid = run->facts->system.uid;
	Fact is_root = uid == FACTS_UNKNOWN ? FACT_UNKNOWN : uid == 0 ? FACT_YES : FACT_NO;
	CheckFinding *finding =
		finding_add_fact(run, fact_not(is_root), "not needed for Homebrew", "root");

	if (uid == 0)
		finding_set_remedy(finding, g_strdup("Run slipway as an ordinary user: Homebrew "
		                                     "refuses root."));
}

static void judge_privilege_sudo(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;
	bool is_open = system->uid == FACTS_UNKNOWN || system->has_sudo == FACT_UNKNOWN ||
	               (system->has_sudo == FACT_YES && system->has_no_new_privs == FACT_UNKNOWN);

	if (g_strcmp0(run->facts->packages.manager, "brew") == 0)
		judge_brew_user(run);
	else if (system->uid == 0)
		(void)finding_add(run, CHECK_PASS, "root");
	else if (is_open)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (system->has_no_new_privs == FACT_YES)
		(void)finding_add(run, run->check->severity,
		                  "sudo cannot work here (no_new_privs is set)");
	else if (system->has_sudo == FACT_YES)
		(void)finding_add(run, CHECK_PASS, "sudo is installed");
	else
		(void)finding_add(run, run->check->severity, "not root, and there is no sudo");
}

static void judge_keyring_available(CheckRun *run)
{
	const FactsKeyring *keyring = &run->facts->keyring;

	if (keyring->has_service == FACT_YES)
		(void)finding_add(run, CHECK_PASS, "available");
	else if (keyring->has_bus == FACT_NO)
		(void)finding_add(run, run->check->severity, "no session bus");
	else if (keyring->has_service == FACT_NO)
		(void)finding_add(run, run->check->severity, "no Secret Service on the bus");
	else
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
}

/** A tool and what is needed of it. */
typedef struct {
	const char *program, *version; /* (nullable) */
	const char *minimum;           /* "": any */
} Tool;

static bool applies_with_git(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->git != NULL;
}

static bool applies_with_python(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->python != NULL;
}

/* What is not there is brought by the installation; packages.manager tells where it cannot be. */
static void judge_tool(CheckRun *run, const Tool *tool)
{
	CheckFinding *finding;

	if (tool->program == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "not there: the installation brings it");
		return;
	}
	if (tool->version == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "no file says its version; --all asks it");
		return;
	}
	finding = finding_add_version(run, tool->version, tool->minimum);
	if (*tool->minimum == '\0')
		g_clear_pointer(&finding->needed, g_free);
	finding_set_source(finding, g_strdup(tool->program));
}

static void judge_tool_git(CheckRun *run)
{
	const FactsTools *tools = &run->facts->tools;

	judge_tool(run, &(Tool){ tools->git, tools->git_version, run->needs->git });
}

static void judge_tool_python(CheckRun *run)
{
	const FactsTools *tools = &run->facts->tools;

	judge_tool(run, &(Tool){ tools->python, tools->python_version, run->needs->python });
}

/* clang-format off */
const Check check_rows_packages[] = {
	{ "packages.manager", "package manager", CHECK_FAIL, CHECK_LOCAL, NULL, "os-release and programs",
	  "Install the tools of the stack by hand; `slipway plan STACK` lists them.",
	  "Missing tools come from the system's own package manager. Which one that is the distribution says; a program that happens "
	  "to be there counts less.",
	  applies_with_packages, judge_packages_manager },
	{ "os.immutable", "system that takes packages", CHECK_FAIL, CHECK_LOCAL, "packages.manager", "system files",
	  "Install the tools in a container or with Homebrew, and run slipway again.",
	  "Systems that are one image (Silverblue, NixOS, SteamOS, MicroOS) take no single packages.",
	  applies_with_packages, judge_os_immutable },
	{ "packages.health", "package database", CHECK_FAIL, CHECK_LOCAL, "packages.manager", "package database",
	  "Run `sudo dpkg --configure -a`, then `sudo apt-get -f install`.",
	  "After an operation that was cut off, package managers refuse every other one, or install beside a broken package. What they "
	  "leave behind then is looked for.",
	  applies_with_database, judge_packages_health },
	{ "packages.sources", "sources of packages", CHECK_FAIL, CHECK_LOCAL, "packages.manager", "/etc/apt",
	  "Remove one of the two entries in /etc/apt/sources.list.d.",
	  "Where two entries name the same source with different keys, apt refuses all work (\"Conflicting values set for option "
	  "Signed-By\"). It happens when a vendor's source was added by two guides.",
	  applies_with_apt, judge_packages_sources },
	{ "packages.lists", "lists of packages", CHECK_PASS, CHECK_LOCAL, "packages.manager", "times of files",
	  "Nothing to do: they are fetched before something is installed.",
	  "With lists that are old, packages are asked for that the mirrors do not have any more.",
	  applies_with_lists, tell_packages_lists },
	{ "packages.lock", "package manager's lock", CHECK_WARN, CHECK_LOCAL, "packages.manager", "lock files",
	  "Wait until it has ended; slipway waits too, for a while.",
	  "One installation at a time: machines just started often update themselves first.",
	  applies_with_packages, judge_packages_lock },
	{ "tool.git", "git", CHECK_WARN, CHECK_LOCAL, NULL, "package database",
	  "Nothing to do where the package manager has a newer one: the installation brings it. Else update the system.",
	  "Sources are fetched without their history and at one revision, which old versions of git cannot.",
	  applies_with_git, judge_tool_git },
	{ "tool.python", "Python", CHECK_WARN, CHECK_LOCAL, NULL, "names of programs",
	  "Nothing to do where the package manager has a newer one: the installation brings it beside this one. Else update the system.",
	  "The stack's packages are made for this version of Python or later; the newest one that is there counts.",
	  applies_with_python, judge_tool_python },
	{ "packages.brew", "Homebrew's directory", CHECK_FAIL, CHECK_LOCAL, "packages.manager", "/opt/homebrew, /usr/local",
	  "Make it yours: `sudo chown -R $(whoami) $(brew --prefix)/*`.",
	  "Homebrew writes into its directory as this user. That for Intel, on a Mac with Apple silicon, brings programs that have "
	  "to be translated.",
	  applies_with_brew, judge_brew_prefix },
	{ "packages.developer_tools", "developer tools of macOS", CHECK_WARN, CHECK_LOCAL, NULL,
	  "/Library/Developer/CommandLineTools",
	  "Run `xcode-select --install`.",
	  "git and the compiler come with them. Where they are missing, calling git opens a window instead.",
	  applies_to_macos, judge_developer_tools },
	{ "privilege.sudo", "right to install packages", CHECK_FAIL, CHECK_LOCAL, "packages.manager", "user and programs",
	  "Run slipway as root, or have an administrator install sudo and the missing packages.",
	  "Packages are installed by root. sudo cannot raise a process that was started with no_new_privs, as in some containers and "
	  "editors' terminals.",
	  applies_with_packages, judge_privilege_sudo },
	{ "keyring.available", "keyring", CHECK_WARN, CHECK_LOCAL, NULL, "session bus",
	  "Keys go into an encrypted file instead; nothing to do.",
	  "Keys are kept in the desktop's keyring where one answers (Secret Service, macOS Keychain); over SSH and on servers there "
	  "is none.",
	  applies_with_keyring, judge_keyring_available },
	{ 0 },
};
/* clang-format on */
