/* checks/check_user.c - judges the user, the user's session and what programs inherit from it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* Source: Docker's documentation of Desktop: its sockets lie below the home directory, and the name of a
 * socket has 108 bytes at most on Linux, 104 on macOS. */
#define HOME_MAX_LINUX 55
#define HOME_MAX_MACOS 40

/* Rights of the owner. */
#define UMASK_OWNER 0700

static void tell_user(CheckRun *run)
{
	guint64 uid = run->facts->system.uid;

	(void)finding_tell(run, uid == FACTS_UNKNOWN ? NULL
	                        : uid == 0           ? "root"
	                                             : "an ordinary user");
}

static void tell_groups(CheckRun *run)
{
	const char *groups = run->facts->system.groups;

	(void)finding_tell(run, groups != NULL && *groups == '\0' ? "none" : groups);
}

/* What is wrong with it; "" for nothing, NULL when that is not known. */
static const char *home_trouble(const Facts *facts, const CheckNeeds *needs)
{
	const FactsSystem *system = &facts->system;
	gsize most = applies_to_macos(facts, needs) ? HOME_MAX_MACOS : HOME_MAX_LINUX;

	if (system->home == NULL)
		return "HOME is not set";
	if (!g_path_is_absolute(system->home))
		return "HOME is no absolute path";
	if (strpbrk(system->home, ": \t\n") != NULL && needs->engine != NULL)
		return "it has a blank or a colon in its name";
	if (strlen(system->home) > most && needs->engine != NULL)
		return "its name is too long for sockets below it";
	if (system->uid == FACTS_UNKNOWN || system->home_uid == FACTS_UNKNOWN)
		return NULL;
	return system->home_uid != system->uid ? "it belongs to somebody else" : "";
}

static void judge_home(CheckRun *run)
{
	const char *trouble = home_trouble(run->facts, run->needs);

	if (trouble == NULL)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(run, *trouble == '\0' ? CHECK_PASS : run->check->severity,
		                  *trouble == '\0' ? run->facts->system.home : trouble);
}

/* Rights of everybody else. */
#define MODE_OTHERS 0077

static void judge_secret(CheckRun *run, const FactsSecret *secret)
{
	g_autofree char *text = g_strdup_printf("%04o %s", (guint)(secret->mode & 07777),
	                                        secret->path != NULL ? secret->path : "?");
	bool is_known = secret->mode != FACTS_UNKNOWN;
	CheckFinding *finding =
		finding_add(run, is_known ? run->check->severity : CHECK_UNKNOWN, text);

	finding_set(&finding->needed, g_strdup("0600"));
	finding_set_remedy(finding, g_strdup_printf("Run `chmod 600 %s`.", secret->path));
}

static void judge_secrets(CheckRun *run)
{
	const GPtrArray *secrets = run->facts->secrets;
	g_autofree char *text = g_strdup_printf("%u, for the owner alone", secrets->len);
	bool is_one = false;

	for (guint i = 0; i < secrets->len; i++) {
		const FactsSecret *secret = g_ptr_array_index(secrets, i);

		if (secret->mode != FACTS_UNKNOWN && (secret->mode & MODE_OTHERS) == 0)
			continue;
		judge_secret(run, secret);
		is_one = true;
	}
	if (!is_one)
		(void)finding_add(run, secrets->len > 0 ? CHECK_PASS : CHECK_SKIPPED,
		                  secrets->len > 0 ? text : "none found");
}

static void judge_umask(CheckRun *run)
{
	guint64 umask = run->facts->system.umask;
	g_autofree char *text = g_strdup_printf("%04o", (guint)(umask & 07777));

	if (umask == FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(
			run, (umask & UMASK_OWNER) != 0 ? run->check->severity : CHECK_PASS, text);
}

static void tell_locale(CheckRun *run)
{
	const char *locale = run->facts->system.locale;

	(void)finding_add(run, CHECK_PASS, locale != NULL ? locale : "none is set");
}

static void judge_variables(CheckRun *run)
{
	const char *list = run->facts->system.disturbing;

	if (list == NULL)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(run, *list == '\0' ? CHECK_PASS : run->check->severity,
		                  *list == '\0' ? "none" : list);
}

static bool applies_with_unit(const Facts *facts, const CheckNeeds *needs)
{
	return needs->has_user_unit && applies_to_linux(facts, needs);
}

static void tell_manager(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;

	(void)finding_tell(run, system->has_systemd == FACT_UNKNOWN    ? NULL
	                        : system->has_systemd == FACT_NO       ? "no systemd"
	                        : system->uid == 0                     ? "systemd"
	                        : system->has_user_systemd == FACT_YES ? "systemd, of this user"
	                        : system->has_user_systemd == FACT_UNKNOWN
	                                ? NULL
	                                : "systemd, none of this user");
}

/* The system's own instance needs nobody to be logged in. */
static void judge_linger(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;

	if (system->uid == 0 || system->has_systemd == FACT_NO)
		(void)finding_add(run, CHECK_SKIPPED, "no service of a user's own");
	else if (system->uid == FACTS_UNKNOWN || system->has_systemd == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add_fact(run, system->has_linger, "on", "off");
}

static void judge_collision(CheckRun *run)
{
	const FactsInstalled *installed = &run->facts->installed;

	if (installed->ollama_count == FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (installed->ollama_count > 1)
		(void)finding_add(run, run->check->severity, installed->ollama);
	else
		(void)finding_add(run, CHECK_PASS,
		                  installed->ollama != NULL ? installed->ollama : "none");
}

static void tell_service(CheckRun *run)
{
	Fact has_service = run->facts->installed.has_ollama_service;

	(void)finding_tell(run, has_service == FACT_YES  ? "a service of the system runs it"
	                        : has_service == FACT_NO ? "none"
	                                                 : NULL);
}

static void judge_quarantine(CheckRun *run)
{
	(void)finding_add_fact(run, fact_not(run->facts->system.is_quarantined), "let through",
	                       "downloaded, and not let through yet");
}

/* clang-format off */
const Check check_rows_user[] = {
	{ "os.user", "user", CHECK_PASS, CHECK_LOCAL, NULL, "geteuid",
	  "Nothing to do.",
	  "As root everything is installed for the whole machine; as an ordinary user below the home directory, and sudo is asked for "
	  "what needs it. Homebrew refuses root.",
	  NULL, tell_user },
	{ "os.groups", "groups that give rights", CHECK_PASS, CHECK_LOCAL, NULL, "getgroups, /etc/group",
	  "Nothing to do.",
	  "Of docker, sudo, wheel, admin, render, video and kvm, those that this process has. A group that was given after the login "
	  "is not among them.",
	  NULL, tell_groups },
	{ "os.home", "home directory", CHECK_WARN, CHECK_LOCAL, NULL, "HOME",
	  "Set HOME to your own home directory; with sudo use `sudo -H`.",
	  "Configuration, state and sockets lie below it. Files made in somebody else's home directory (as with sudo) cannot be "
	  "changed by their owner, compose takes a colon for a separator, and the name of a socket has about a hundred bytes.",
	  NULL, judge_home },
	{ "secrets.mode", "files with secrets", CHECK_WARN, CHECK_LOCAL, NULL, "stat",
	  "Run `chmod 600` on the file.",
	  "The keystore and its key, and the .env files of installed stacks, hold or open secrets: other users of this machine should "
	  "not read them. slipway makes them so; an editor or a copy may not have kept it.",
	  NULL, judge_secrets },
	{ "os.umask", "umask", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/self/status",
	  "Set it to 0022 or 0077: `umask 0022`.",
	  "A mask that takes rights from the owner makes files that their own maker cannot read.",
	  applies_to_linux, judge_umask },
	{ "os.locale", "locale", CHECK_PASS, CHECK_LOCAL, NULL, "LC_ALL, LC_CTYPE, LANG",
	  "Nothing to do.",
	  "Without UTF-8, messages are written with plain characters.",
	  NULL, tell_locale },
	{ "conflict.env", "variables that mislead programs", CHECK_WARN, CHECK_LOCAL, NULL, "environment",
	  "Unset them in the shell (and in its start files) before you start programs of the stack.",
	  "Libraries that are forced upon every program, another Python's modules, or a graphics card that is hidden from all: "
	  "programs that are started from this shell behave otherwise than anywhere else. slipway itself starts programs without "
	  "them.",
	  NULL, judge_variables },
	{ "svc.manager", "manager of services", CHECK_PASS, CHECK_LOCAL, NULL, "/run/systemd",
	  "Nothing to do.",
	  "A service of a stack is run by systemd where it is the init, by that of the user where there is one; else slipway starts "
	  "it as a process.",
	  applies_with_unit, tell_manager },
	{ "svc.linger", "services after the logout", CHECK_WARN, CHECK_LOCAL, NULL, "/var/lib/systemd/linger",
	  "Run `loginctl enable-linger`, so that services go on when you log out.",
	  "systemd ends a user's own services with the last session of that user, unless the user \"lingers\".",
	  applies_with_unit, judge_linger },
	{ "conflict.ollama", "installations of Ollama", CHECK_WARN, CHECK_LOCAL, NULL, "program directories",
	  "Remove all but one of them; which one answers depends on PATH and on who started first.",
	  "Two servers want the same port, and each has models of its own: what one has pulled the other does not know.",
	  applies_with_models, judge_collision },
	{ "conflict.ollama_service", "service of Ollama", CHECK_PASS, CHECK_LOCAL, NULL, "unit files",
	  "Nothing to do: it is used as it is.",
	  "A service that is there already is used and never changed.",
	  applies_with_models, tell_service },
	{ "mac.quarantine", "Gatekeeper", CHECK_WARN, CHECK_LOCAL, NULL, "com.apple.quarantine",
	  "Run `xattr -d com.apple.quarantine` on the program.",
	  "macOS stops programs that a browser has downloaded until somebody lets them through.",
	  applies_to_macos, judge_quarantine },
	{ 0 },
};
/* clang-format on */
