/* checks/check_kernel.c - judges features of the kernel, security modules and the clock
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

#define DAY_S ((guint64)24 * 60 * 60)

/* The engine says by itself what it lacks: before there is one, the kernel is asked. */
static bool applies_without_engine(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && applies_to_linux(facts, needs) &&
	       facts->engine.state != ENGINE_OK && facts->system.wsl == 0;
}

static bool applies_with_engine_on_linux(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && applies_to_linux(facts, needs);
}

static bool has_word(const char *list, const char *word, const char *separator)
{
	g_auto(GStrv) words = g_strsplit(list, separator, -1);

	return g_strv_contains((const char *const *)words, word);
}

static void tell_cgroup(CheckRun *run)
{
	(void)finding_tell(run, run->facts->kernel.cgroup);
}

static void judge_controllers(CheckRun *run)
{
	const char *list = run->facts->kernel.controllers;

	if (list == NULL)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add_fact(run, has_word(list, "memory", " ") ? FACT_YES : FACT_NO,
		                       list, "memory is not among them");
}

static void judge_overlay(CheckRun *run)
{
	(void)finding_add_fact(run, run->facts->kernel.has_overlay, "available", "missing");
}

static void judge_config(CheckRun *run)
{
	const FactsKernel *kernel = &run->facts->kernel;
	CheckFinding *finding;

	if (kernel->lacks == NULL) {
		(void)finding_add(run, CHECK_SKIPPED,
		                  kernel->config == NULL ? "not looked at, or no file says it"
		                                         : "its file is no list of options");
		return;
	}
	finding = finding_add(run, *kernel->lacks != '\0' ? run->check->severity : CHECK_PASS,
	                      *kernel->lacks != '\0' ? kernel->lacks : "all there");
	finding_set_source(finding, g_strdup(kernel->config));
}

/* After an update of the kernel the modules of the running one may be gone. */
static void judge_modules(CheckRun *run)
{
	const FactsKernel *kernel = &run->facts->kernel;

	if (run->facts->system.container != NULL)
		(void)finding_add(run, CHECK_SKIPPED, "inside of a container");
	else if (kernel->has_overlay == FACT_YES)
		(void)finding_add(run, CHECK_PASS, "loaded as far as they are needed");
	else
		(void)finding_add_fact(run, kernel->has_modules, "on the disk",
		                       "those of the running kernel are gone");
}

static void judge_seccomp(CheckRun *run)
{
	(void)finding_add_fact(run, run->facts->kernel.has_seccomp, "available", "missing");
}

static void tell_emulators(CheckRun *run)
{
	const char *list = run->facts->kernel.emulators;

	(void)finding_tell(run, list != NULL && *list == '\0' ? "none" : list);
}

static void judge_reboot(CheckRun *run)
{
	(void)finding_add_fact(run, fact_not(run->facts->kernel.needs_reboot), "none waits",
	                       "an update waits for a restart");
}

static void tell_modules(CheckRun *run)
{
	const char *list = run->facts->kernel.security;

	(void)finding_add(run, CHECK_PASS, list != NULL ? list : "the kernel does not say");
}

static void tell_selinux(CheckRun *run)
{
	(void)finding_tell(run, run->facts->kernel.selinux);
}

/* Snaps are confined: what they start sees another /tmp, and not all of the home directory. */
static void judge_apparmor(CheckRun *run)
{
	const char *label = run->facts->kernel.confinement;

	if (label == NULL)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		(void)finding_add(
			run, g_str_has_prefix(label, "snap.") ? run->check->severity : CHECK_PASS,
			*label == '\0' ? "not in use" : label);
}

static void tell_lockdown(CheckRun *run)
{
	const FactsKernel *kernel = &run->facts->kernel;
	g_autofree char *text = g_strdup_printf(
		"%s, Secure Boot is %s", kernel->lockdown != NULL ? kernel->lockdown : "none",
		kernel->has_secure_boot == FACT_YES  ? "on"
		: kernel->has_secure_boot == FACT_NO ? "off"
						     : "unknown");

	(void)finding_add(run, CHECK_PASS, text);
}

static void tell_fips(CheckRun *run)
{
	Fact is_fips = run->facts->kernel.is_fips;

	(void)finding_tell(run, is_fips == FACT_YES ? "on" : is_fips == FACT_NO ? "off" : NULL);
}

/* A clock that stopped while the machine was off shows a time before files that it has. */
static void judge_clock(CheckRun *run)
{
	const FactsClock *clock = &run->facts->clock;
	guint64 behind_s = clock->newest_s > clock->now_s ? clock->newest_s - clock->now_s : 0;
	g_autofree char *measured =
		g_strdup_printf("at least %" G_GUINT64_FORMAT " days behind", behind_s / DAY_S);

	if (clock->now_s == FACTS_UNKNOWN || clock->newest_s == FACTS_UNKNOWN)
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else if (behind_s >= DAY_S)
		(void)finding_add(run, run->check->severity, measured);
	else
		(void)finding_add(run, CHECK_PASS, "later than the system's files");
}

static void tell_ntp(CheckRun *run)
{
	Fact is_synchronized = run->facts->clock.is_synchronized;

	(void)finding_tell(run, is_synchronized == FACT_YES  ? "synchronized"
	                        : is_synchronized == FACT_NO ? "not synchronized"
	                                                     : NULL);
}

static void judge_random(CheckRun *run)
{
	(void)finding_add_fact(run, run->facts->clock.has_random, "ready", "not ready yet");
}

/* clang-format off */
const Check check_rows_kernel[] = {
	{ "kernel.cgroup", "control groups", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/self/mountinfo",
	  "Nothing to do; engines are giving up version 1.",
	  "Limits of containers are set through control groups. Version 2 is the one that engines and systemd go on with.",
	  applies_to_linux, tell_cgroup },
	{ "kernel.controllers", "control group controllers", CHECK_WARN, CHECK_LOCAL, NULL, "cgroup.controllers",
	  "Add `cgroup_enable=memory cgroup_memory=1` to the kernel's command line (Raspberry Pi: /boot/firmware/cmdline.txt), then "
	  "restart.",
	  "Without the controller \"memory\" containers have no limit, and one that grows takes the machine down. Kernels of the "
	  "Raspberry Pi have it switched off.",
	  applies_without_engine, judge_controllers },
	{ "kernel.overlay", "overlay file system", CHECK_FAIL, CHECK_LOCAL, NULL, "/proc/filesystems, /lib/modules",
	  "Install the kernel's package of modules (linux-modules-extra, kernel-modules), or use the distribution's own kernel.",
	  "Images are kept in layers that this file system puts together. A module that is not loaded yet is not missing: its file "
	  "is looked for.",
	  applies_without_engine, judge_overlay },
	{ "kernel.modules", "modules of the running kernel", CHECK_FAIL, CHECK_LOCAL, NULL, "/lib/modules",
	  "Restart the machine: its kernel was updated.",
	  "An engine loads modules for networks and layers. When an update has removed those of the kernel that still runs (Arch "
	  "Linux does), it cannot start before the machine is restarted.",
	  applies_without_engine, judge_modules },
	{ "kernel.config", "what the kernel was built with", CHECK_WARN, CHECK_SLOW, NULL, "/proc/config.gz, /boot/config-RELEASE",
	  "Use one of the distribution's own kernels.",
	  "With --all, and where no engine answers: the options that every container engine needs. A kernel that was built by hand, or "
	  "for a small device, may lack some; those that newer kernels do without are not asked for.",
	  applies_without_engine, judge_config },
	{ "kernel.seccomp", "filter of system calls", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/kernel/seccomp",
	  "Use a kernel with CONFIG_SECCOMP_FILTER: any of the distributions' own.",
	  "Engines keep containers from dangerous system calls with it.",
	  applies_with_engine_on_linux, judge_seccomp },
	{ "kernel.emulators", "emulators of other processors", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/sys/fs/binfmt_misc",
	  "Install qemu-user-static (or qemu-user-binfmt) to run images of another architecture.",
	  "Images that exist for another processor only run where an emulator is registered; else they end with \"exec format "
	  "error\".",
	  applies_with_engine_on_linux, tell_emulators },
	{ "os.reboot", "updates that wait for a restart", CHECK_WARN, CHECK_LOCAL, NULL, "/run/reboot-required",
	  "Restart the machine when it suits you.",
	  "Programs and libraries that were updated while they run can disagree with what is on the disk.",
	  applies_to_linux, judge_reboot },
	{ "lsm.list", "security modules", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/kernel/security/lsm",
	  "Nothing to do.",
	  "Which of the kernel's security modules are active explains denials that permissions do not.",
	  applies_to_linux, tell_modules },
	{ "lsm.selinux", "SELinux", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/fs/selinux/enforce",
	  "Where a container is denied a directory of the host, mount it with the option z.",
	  "Where SELinux is enforcing, containers read directories of the host only with the label that the mount option z sets.",
	  applies_to_linux, tell_selinux },
	{ "lsm.apparmor", "AppArmor's confinement", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/self/attr/apparmor/current",
	  "Run slipway in a terminal that is no snap.",
	  "A terminal that was installed as a snap (as that of VS Code can be) confines what is started in it: directories are hidden "
	  "and programs are not found.",
	  applies_to_linux, judge_apparmor },
	{ "lsm.lockdown", "kernel lockdown", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/kernel/security/lockdown",
	  "Nothing to do.",
	  "With Secure Boot the kernel refuses modules that nobody signed, as drivers of graphics cards that were built on this "
	  "machine.",
	  applies_to_linux, tell_lockdown },
	{ "lsm.fips", "FIPS mode", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/sys/crypto/fips_enabled",
	  "Nothing to do.",
	  "In FIPS mode some ciphers are refused by libraries of the system; slipway's own do not depend on it.",
	  applies_to_linux, tell_fips },
	{ "os.clock", "clock", CHECK_FAIL, CHECK_LOCAL, NULL, "clock, times of system files",
	  "Set the clock: `sudo timedatectl set-ntp true`, or `sudo date -s TIME`.",
	  "With a clock that is behind, certificates are not valid yet: every download fails, and signatures seem to be from the "
	  "future. The clock is held against the times of files that the system itself writes.",
	  NULL, judge_clock },
	{ "os.ntp", "synchronization of the clock", CHECK_PASS, CHECK_LOCAL, NULL, "adjtimex",
	  "Run `sudo timedatectl set-ntp true`.",
	  "Something should keep the clock right: chrony, systemd-timesyncd, or the virtual machine's host.",
	  applies_to_linux, tell_ntp },
	{ "os.random", "random numbers", CHECK_WARN, CHECK_LOCAL, NULL, "getrandom",
	  "Wait a minute, or give the virtual machine a virtio-rng device.",
	  "Keys cannot be made before the kernel has gathered enough randomness, which takes a while on a machine just started.",
	  applies_to_linux, judge_random },
	{ 0 },
};
/* clang-format on */
