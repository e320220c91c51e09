/* checks/check_system.c - judges the system, its packages and what it runs in
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

#define KERNEL_MINIMUM "3.10"
#define KERNEL_RECOMMENDED "4.18"

bool applies_to_linux(const Facts *facts, const CheckNeeds *needs G_GNUC_UNUSED)
{
	return g_strcmp0(facts->system.name, "Darwin") != 0;
}

bool applies_with_packages(const Facts *facts G_GNUC_UNUSED, const CheckNeeds *needs)
{
	return needs->needs_packages;
}

bool applies_with_apt(const Facts *facts, const CheckNeeds *needs)
{
	return needs->needs_packages && g_strcmp0(facts->packages.manager, "apt") == 0;
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

void judge_arch(CheckRun *run)
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

void judge_os_supported(CheckRun *run)
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

void judge_os_kernel(CheckRun *run)
{
	const char *kernel = run->facts->system.kernel;
	CheckFinding *finding = finding_add_version(run, kernel, KERNEL_MINIMUM);

	if (finding->verdict == CHECK_PASS && version_compare(kernel, KERNEL_RECOMMENDED) < 0) {
		finding->verdict = finding->judged = CHECK_WARN;
		finding_set(&finding->needed, g_strdup(KERNEL_RECOMMENDED " recommended"));
	}
}

/* Homebrew lives beside an image-based system; every other manager would change the image. */
void judge_os_immutable(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;
	bool is_met =
		system->immutable == NULL || g_strcmp0(run->facts->packages.manager, "brew") == 0;

	(void)finding_add(run, is_met ? CHECK_PASS : run->check->severity,
	                  system->immutable != NULL ? system->immutable : "ordinary system");
}

void judge_env_container(CheckRun *run)
{
	const char *container = run->facts->system.container;

	(void)finding_add(run, CHECK_PASS, container != NULL ? container : "none");
}

void judge_env_ci(CheckRun *run)
{
	const char *ci = run->facts->system.ci;

	(void)finding_add(run, CHECK_PASS, ci != NULL ? ci : "none");
}

void judge_env_wsl(CheckRun *run)
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

void judge_packages_manager(CheckRun *run)
{
	const char *manager = run->facts->packages.manager;

	(void)finding_add(run, manager != NULL ? CHECK_PASS : run->check->severity,
	                  manager != NULL ? manager : "none found");
}

void judge_packages_health(CheckRun *run)
{
	const FactsPackages *packages = &run->facts->packages;
	g_autofree char *broken = NULL;

	if (packages->is_interrupted == FACT_YES) {
		(void)finding_add(run, run->check->severity, "dpkg was interrupted");
	} else if (packages->broken_count == FACTS_UNKNOWN) {
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	} else if (packages->broken_count > 0) {
		broken = g_strdup_printf("%" G_GUINT64_FORMAT " not fully configured: %s",
		                         packages->broken_count,
		                         packages->broken != NULL ? packages->broken : "?");
		(void)finding_add(run, run->check->severity, broken);
	} else {
		(void)finding_add(run,
		                  packages->is_interrupted == FACT_NO ? CHECK_PASS : CHECK_UNKNOWN,
		                  packages->is_interrupted == FACT_NO ? "in order" : NULL);
	}
}

void judge_packages_lock(CheckRun *run)
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
	finding = finding_add(run, run->check->severity, holder);
	if (packages->lock_file != NULL)
		finding_set(&finding->source, g_strdup(packages->lock_file));
}

/* Homebrew is the other way round: it refuses root. */
static void judge_brew_user(CheckRun *run)
{
	bool is_root = run->facts->system.uid == 0;
	CheckFinding *finding = finding_add(run, is_root ? run->check->severity : CHECK_PASS,
	                                    is_root ? "root" : "not needed for Homebrew");

	if (is_root)
		finding_set(&finding->remedy, g_strdup("Run slipway as an ordinary user: Homebrew "
		                                       "refuses root."));
}

void judge_privilege_sudo(CheckRun *run)
{
	const FactsSystem *system = &run->facts->system;

	if (g_strcmp0(run->facts->packages.manager, "brew") == 0)
		judge_brew_user(run);
	else if (system->uid == 0)
		(void)finding_add(run, CHECK_PASS, "root");
	else if (system->uid == FACTS_UNKNOWN || system->has_sudo == FACT_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (system->has_no_new_privs == FACT_YES)
		(void)finding_add(run, run->check->severity,
		                  "sudo cannot work here (no_new_privs is set)");
	else if (system->has_sudo == FACT_YES)
		(void)finding_add(run, CHECK_PASS, "sudo is installed");
	else
		(void)finding_add(run, run->check->severity, "not root, and there is no sudo");
}

void judge_keyring_available(CheckRun *run)
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
