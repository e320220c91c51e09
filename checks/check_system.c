/* checks/check_system.c - judges the system and what it runs in
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

#define KERNEL_MINIMUM "3.10"
#define KERNEL_RECOMMENDED "4.18"
#define WSL_KERNEL "5.15"

bool applies_to_macos(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return g_strcmp0(facts->system.name, "Darwin") == 0;
}

bool applies_to_linux(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return g_strcmp0(facts->system.name, "Darwin") != 0;
}

bool applies_with_packages(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->needs_packages;
}

bool applies_with_keyring(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->needs_keyring;
}

/* Two names are in use for each of the usual architectures. */
static const char *canonical(const char *architecture)
{
	if (strcmp(architecture, "amd64") == 0 || strcmp(architecture, "x64") == 0)
		return "x86_64";
	if (strcmp(architecture, "arm64") == 0)
		return "aarch64";
	return architecture;
}

static void judge_arch(CheckRun *run)
{
	const char *const *wanted = run->needs->architectures;
	const char *ours = run->facts->system.architecture;
	CheckVerdict verdict = run->check->severity;
	g_autoptr(GString) list = g_string_new(NULL);

	if (wanted == NULL || wanted[0] == NULL) {
		(void)finding_add(run, CHECK_PASS, ours);
		return;
	}
	for (gsize i = 0; wanted[i] != NULL; i++) {
		if (ours != NULL && strcmp(canonical(ours), canonical(wanted[i])) == 0)
			verdict = CHECK_PASS;
		g_string_append_printf(list, "%s%s", i > 0 ? " or " : "", wanted[i]);
	}
	finding_set(&finding_add(run, ours != NULL ? verdict : CHECK_UNKNOWN, ours)->needed,
	            g_strdup(list->str));
}

/** Systems that this program is tested on, and their oldest version; NULL: they have none. */
static const struct {
	const char *id, *minimum;
} system_table[] = {
	{ "debian", "11" },
	{ "ubuntu", "20.04" },
	{ "fedora", "40" },
	{ "rhel", "8" },
	{ "centos", "8" },
	{ "rocky", "8" },
	{ "almalinux", "8" },
	{ "amzn", "2023" },
	{ "opensuse-leap", "15.5" },
	{ "opensuse-tumbleweed", NULL },
	{ "arch", NULL },
	{ "alpine", "3.18" },
	{ "macos", "13" },
};

static gssize find_system(const char *id)
{
	for (gsize i = 0; i < G_N_ELEMENTS(system_table); i++)
		if (strcmp(system_table[i].id, id) == 0)
			return (gssize)i;

	return -1;
}

static bool is_like_known(const char *id_like)
{
	g_auto(GStrv) words = g_strsplit(id_like != NULL ? id_like : "", " ", -1);

	for (gsize i = 0; words[i] != NULL; i++)
		if (find_system(words[i]) >= 0 || g_str_has_prefix(words[i], "suse"))
			return true;

	return false;
}

static bool is_older(const char *version, const char *minimum)
{
	return version != NULL && minimum != NULL && version_compare(version, minimum) < 0;
}

static void judge_os_supported(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;
	gssize row = system->id != NULL ? find_system(system->id) : -1;
	const char *minimum = row >= 0 ? system_table[row].minimum : NULL;
	CheckVerdict verdict = CHECK_PASS;
	CheckFinding *finding;

	if (system->id == NULL)
		verdict = CHECK_UNKNOWN;
	else if (row < 0 ? !is_like_known(system->id_like) : is_older(system->version, minimum))
		verdict = run->check->severity;

	finding = finding_add(run, verdict, system->pretty != NULL ? system->pretty : system->id);
	if (minimum != NULL)
		finding->needed = g_strdup_printf("%s %s", system->id, minimum);
}

static void judge_os_kernel(CheckRun *run)
{
	const char *kernel = run->facts->system.kernel;
	CheckFinding *finding = finding_add_version(run, kernel, KERNEL_MINIMUM);

	if (finding->verdict == CHECK_PASS && version_compare(kernel, KERNEL_RECOMMENDED) < 0) {
		finding->verdict = finding->judged = CHECK_WARN;
		finding_set(&finding->needed, g_strdup(KERNEL_RECOMMENDED " recommended"));
	}
}

static void judge_env_container(CheckRun *run)
{
	const char *container = run->facts->system.container;

	(void)finding_add(run, CHECK_PASS, container != NULL ? container : "none");
}

static void judge_env_ci(CheckRun *run)
{
	const char *ci = run->facts->system.ci;

	(void)finding_add(run, CHECK_PASS, ci != NULL ? ci : "none");
}

static void judge_env_wsl(CheckRun *run)
{
	switch (run->facts->system.wsl) {
	case 0:
		(void)finding_add(run, CHECK_PASS, "none");
		break;
	case 1:
		(void)finding_add(run, run->needs->engine != NULL ? CHECK_FAIL : CHECK_WARN,
		                  "WSL 1");
		break;
	case 2:
		(void)finding_add(run, CHECK_PASS, "WSL 2");
		break;
	default:
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	}
}

/* A date as "2026-05-12", at its beginning. */
static guint64 date_s(const char *date)
{
	g_autofree char *text = g_strconcat(date, "T00:00:00Z", NULL);
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
	gint64 seconds = time != NULL ? g_date_time_to_unix(time) : -1;

	return seconds >= 0 ? (guint64)seconds : FACTS_UNKNOWN;
}

static bool applies_with_support_end(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return facts->system.support_end != NULL;
}

static void judge_support_end(CheckRun *run)
{
	const char *date = run->facts->system.support_end;
	guint64 end_s = date_s(date);
	guint64 now_s = run->facts->clock.now_s;

	(void)finding_add_fact(run,
	                       end_s == FACTS_UNKNOWN || now_s == FACTS_UNKNOWN ? FACT_UNKNOWN
	                       : now_s < end_s                                  ? FACT_YES
	                                                                        : FACT_NO,
	                       date, date);
}

static bool applies_with_own_models(const Facts *facts, const CheckNeeds *needs)
{
	return needs->runs_models && applies_to_linux(facts, needs);
}

static void judge_library(CheckRun *run)
{
	const char *library = run->facts->system.library;

	(void)finding_add(run,
	                  library == NULL                   ? CHECK_UNKNOWN
	                  : g_strcmp0(library, "musl") == 0 ? run->check->severity
	                                                    : CHECK_PASS,
	                  library);
}

static bool applies_to_wsl(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return facts->system.wsl == 2;
}

static void judge_wsl_kernel(CheckRun *run)
{
	(void)finding_add_version(run, run->facts->system.kernel, WSL_KERNEL);
}

/* With Docker Desktop the engine is not in this distribution. */
static void judge_wsl_systemd(CheckRun *run)
{
	if (run->needs->engine != NULL && applies_with_desktop(run->facts, run->needs))
		(void)finding_add(run, CHECK_SKIPPED, "the engine is that of Docker Desktop");
	else
		(void)finding_add_fact(run, run->facts->system.has_systemd, "the init", "off");
}

/* clang-format off */
const Check check_rows_system[] = {
	{ "os.supported", "supported system", CHECK_WARN, CHECK_LOCAL, NULL, "os-release",
	  "It may work; see the README for the systems that slipway is tested on.",
	  "The distribution and its version, as /etc/os-release has them; a system that says it is like a known one counts as known.",
	  NULL, judge_os_supported },
	{ "os.support_end", "end of the system's support", CHECK_WARN, CHECK_LOCAL, NULL, "os-release SUPPORT_END",
	  "Upgrade the system.",
	  "After this day the distribution gives out no updates, and its packages move to an archive where installing them fails.",
	  applies_with_support_end, judge_support_end },
	{ "os.kernel", "kernel version", CHECK_FAIL, CHECK_LOCAL, NULL, "uname",
	  "Update the system.",
	  "Docker's engine asks for Linux 3.10; overlay layers and control groups behave as they should from 4.18 on, the kernel of "
	  "RHEL 8.",
	  applies_to_linux, judge_os_kernel },
	{ "os.library", "C library", CHECK_WARN, CHECK_LOCAL, NULL, "program loaders",
	  "Install Ollama from the distribution's packages (Alpine has one), or run it in a container.",
	  "Ollama's releases are made for glibc; on a system with musl they do not start.",
	  applies_with_own_models, judge_library },
	{ "arch", "processor architecture", CHECK_FAIL, CHECK_LOCAL, NULL, "uname",
	  "Use a machine of an architecture that the stack has programs for.",
	  "The stack says for which processors its images and programs exist.",
	  NULL, judge_arch },
	{ "env.container", "container", CHECK_PASS, CHECK_LOCAL, NULL, "files and variables that container engines set",
	  "Nothing to do.",
	  "Inside of a container, limits and disks are those of the container, and the kernel's settings those of its host.",
	  NULL, judge_env_container },
	{ "env.ci", "CI service", CHECK_PASS, CHECK_LOCAL, NULL, "environment",
	  "Nothing to do.",
	  "On a CI service nothing is asked.",
	  NULL, judge_env_ci },
	{ "env.wsl", "Windows Subsystem for Linux", CHECK_FAIL, CHECK_LOCAL, NULL, "kernel release",
	  "Run `wsl --set-version DISTRIBUTION 2` in Windows.",
	  "WSL 1 has no kernel of its own: neither containers nor Ollama run there.",
	  applies_to_linux, judge_env_wsl },
	{ "wsl.kernel", "kernel of WSL", CHECK_WARN, CHECK_LOCAL, "env.wsl", "uname",
	  "Run `wsl --update` in Windows.",
	  "systemd and today's engines need Linux 5.15 under WSL; `wsl --update` brings a later one.",
	  applies_to_wsl, judge_wsl_kernel },
	{ "wsl.systemd", "systemd under WSL", CHECK_WARN, CHECK_LOCAL, "env.wsl", "/run/systemd/system",
	  "Put `systemd=true` below `[boot]` into /etc/wsl.conf, then run `wsl --shutdown` in Windows.",
	  "Without it nothing starts an engine or Ollama together with the distribution.",
	  applies_to_wsl, judge_wsl_systemd },
	{ 0 },
};
/* clang-format on */
