/* checks/check_private.h - what the judges are written with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check.h"

struct CheckRun {
	const Facts *facts;
	const CheckNeeds *needs;
	const Check *check; /* the row that is being judged */
	GPtrArray *findings;
};

/** Adds a finding with the row's id, source and remedy.  @measured: (nullable) (transfer none). */
CheckFinding *finding_add(CheckRun *run, CheckVerdict verdict, const char *measured);

/** Replaces a text of a finding; @text: (transfer full). */
void finding_set(char **field, char *text);

/** A number against a need.  All in @unit. */
typedef struct {
	guint64 measured;
	guint64 minimum;           /* below it: the row's severity; 0: none */
	guint64 recommended;       /* below it: WARN; 0: none */
	guint64 tolerance_percent; /* of both: firmware and kernel keep some memory to themselves */
	const char *unit;
} Amount;

/** Adds the finding: SKIPPED without a need, UNKNOWN without a number. */
CheckFinding *finding_add_amount(CheckRun *run, const Amount *amount);

/** Compares dotted versions number by number, up to the first part that is none.  Returns: <0, 0, >0. */
int version_compare(const char *a, const char *b);

/** Adds the finding for a version; @version: (nullable): unknown. */
CheckFinding *finding_add_version(CheckRun *run, const char *version, const char *minimum);

/** Returns: whether the engine is outside of the container that we are in. */
bool engine_is_outside(const Facts *facts);

/* When a row applies. */
bool applies_to_linux(const Facts *facts, const CheckNeeds *needs);
bool applies_with_packages(const Facts *facts, const CheckNeeds *needs);
bool applies_with_apt(const Facts *facts, const CheckNeeds *needs);
bool applies_with_keyring(const Facts *facts, const CheckNeeds *needs);
bool applies_with_engine(const Facts *facts, const CheckNeeds *needs);
bool applies_with_compose(const Facts *facts, const CheckNeeds *needs);
bool applies_with_desktop(const Facts *facts, const CheckNeeds *needs);

/* check_machine.c */
void judge_mem_total(CheckRun *run);
void judge_mem_available(CheckRun *run);
void judge_mem_swap(CheckRun *run);
void judge_disk_space(CheckRun *run);
void judge_disk_inodes(CheckRun *run);
void judge_disk_writable(CheckRun *run);
void judge_cpu_count(CheckRun *run);
void judge_cpu_isa(CheckRun *run);
void judge_port_free(CheckRun *run);

/* check_system.c */
void judge_arch(CheckRun *run);
void judge_os_supported(CheckRun *run);
void judge_os_kernel(CheckRun *run);
void judge_os_immutable(CheckRun *run);
void judge_env_container(CheckRun *run);
void judge_env_ci(CheckRun *run);
void judge_env_wsl(CheckRun *run);
void judge_packages_manager(CheckRun *run);
void judge_packages_health(CheckRun *run);
void judge_packages_lock(CheckRun *run);
void judge_privilege_sudo(CheckRun *run);
void judge_keyring_available(CheckRun *run);

/* check_engine.c */
void judge_engine_cli(CheckRun *run);
void judge_engine_reachable(CheckRun *run);
void judge_engine_version(CheckRun *run);
void judge_engine_os_type(CheckRun *run);
void judge_engine_memory(CheckRun *run);
void judge_engine_cpus(CheckRun *run);
void judge_engine_disk(CheckRun *run);
void judge_engine_storage(CheckRun *run);
void judge_engine_cgroup(CheckRun *run);
void judge_engine_sibling(CheckRun *run);
void judge_compose_plugin(CheckRun *run);
void judge_compose_version(CheckRun *run);
void judge_desktop_memory(CheckRun *run);
void judge_desktop_cpus(CheckRun *run);
void judge_desktop_disk(CheckRun *run);
void judge_desktop_swap(CheckRun *run);
