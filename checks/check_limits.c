/* checks/check_limits.c - judges limits of the process and of the system
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* Servers of databases and vectors keep some thousand files open.  Source: what containerd's own unit
 * allowed until version 2, less two powers. */
#define OPEN_FILES 1024
#define OPEN_FILES_RECOMMENDED 4096

/* Source: the default of Linux; fewer are only there when somebody lowered it. */
#define INOTIFY_INSTANCES 128
/* Source: the default of kernels before 5.11 is 8192, of later ones by memory; servers that watch a tree of
 * sources take one for each directory. */
#define INOTIFY_WATCHES 65536

/* Source: Elasticsearch's and Qdrant's installation guides. */
#define MAP_COUNT 262144
/* Source: redis.conf, tcp-backlog. */
#define BACKLOG 511
/* A dozen containers with their threads. */
#define PROCESSES 4096
/* Room for the largest file that a stack loads. */
#define FILE_BYTES ((guint64)64 << 30)
#define ADDRESS_BYTES ((guint64)64 << 30)

static bool has_service(const CheckNeeds *needs, const char *const *names)
{
	for (; *names != NULL; names++)
		if (needs->services != NULL && g_strv_contains(needs->services, *names))
			return true;

	return false;
}

bool applies_with_redis(const Facts *facts, const CheckNeeds *needs)
{
	static const char *const names[] = { "redis", "valkey", NULL };

	return needs->engine != NULL && applies_to_linux(facts, needs) && has_service(needs, names);
}

static bool applies_with_maps(const Facts *facts, const CheckNeeds *needs)
{
	static const char *const names[] = { "qdrant", "elasticsearch", "opensearch", NULL };

	return needs->engine != NULL && applies_to_linux(facts, needs) && has_service(needs, names);
}

static bool applies_with_engine_on_linux(const Facts *facts, const CheckNeeds *needs)
{
	return needs->engine != NULL && applies_to_linux(facts, needs);
}

static bool applies_with_rootless(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_engine_on_linux(facts, needs) && facts->engine.is_rootless == FACT_YES;
}

/* A limit that may be none. */
static void judge_limit(CheckRun *run, const Amount *amount)
{
	CheckFinding *finding = finding_add_amount(run, amount);

	if (amount->measured == FACTS_UNLIMITED)
		finding_set(&finding->measured, g_strdup("no limit"));
}

static void judge_nofile(CheckRun *run)
{
	const FactsLimits *limits = &run->facts->limits;

	judge_limit(run, &(Amount){ MAX(limits->open_files, limits->open_files_hard), OPEN_FILES,
	                            OPEN_FILES_RECOMMENDED, 0, "files" });
}

static void judge_processes(CheckRun *run)
{
	judge_limit(run, &(Amount){ run->facts->limits.processes, 0, PROCESSES, 0, "processes" });
}

static void judge_file_size(CheckRun *run)
{
	judge_limit(run, &(Amount){ run->facts->limits.file_bytes, 0, FILE_BYTES, 0, "bytes" });
}

static void judge_address_space(CheckRun *run)
{
	judge_limit(run,
	            &(Amount){ run->facts->limits.address_bytes, 0, ADDRESS_BYTES, 0, "bytes" });
}

/* The lowest of the three holds; a group without a limit is no bound. */
static void judge_pids(CheckRun *run)
{
	const FactsLimits *limits = &run->facts->limits;
	bool is_known = limits->pids != FACTS_UNKNOWN && limits->threads != FACTS_UNKNOWN &&
	                limits->cgroup_pids != FACTS_UNKNOWN;
	guint64 lowest = is_known ? MIN(limits->pids, limits->threads) : FACTS_UNKNOWN;
	bool is_group = is_known && limits->cgroup_pids < lowest;
	CheckFinding *finding;

	if (is_group)
		lowest = limits->cgroup_pids;
	finding = finding_add_amount(run, &(Amount){ lowest, 0, PROCESSES, 0, "processes" });
	if (is_group) {
		finding_set_source(finding, g_strdup("pids.max of the control group"));
		finding_set_remedy(finding, g_strdup("Raise the limit of this control group or "
		                                     "container (--pids-limit)."));
	}
}

static void judge_inotify_instances(CheckRun *run)
{
	(void)finding_add_amount(run, &(Amount){ run->facts->limits.inotify_instances, 0,
	                                         INOTIFY_INSTANCES, 0, "instances" });
}

static void judge_inotify_watches(CheckRun *run)
{
	(void)finding_add_amount(run, &(Amount){ run->facts->limits.inotify_watches, 0,
	                                         INOTIFY_WATCHES, 0, "watches" });
}

static void judge_map_count(CheckRun *run)
{
	(void)finding_add_amount(
		run, &(Amount){ run->facts->limits.map_count, 0, MAP_COUNT, 0, "maps" });
}

static void judge_backlog(CheckRun *run)
{
	(void)finding_add_amount(
		run, &(Amount){ run->facts->limits.backlog, 0, BACKLOG, 0, "connections" });
}

static void judge_userns(CheckRun *run)
{
	(void)finding_add_fact(run, run->facts->limits.lets_user_namespaces, "allowed",
	                       "not allowed");
}

static void tell_number(CheckRun *run, guint64 number, const char *unit)
{
	g_autofree char *text = strcmp(unit, "bytes") == 0 && number < FACTS_UNLIMITED
	                                ? check_format_bytes(number)
	                                : g_strdup_printf("%" G_GUINT64_FORMAT " %s", number, unit);

	(void)finding_tell(run, number == FACTS_UNKNOWN     ? NULL
	                        : number == FACTS_UNLIMITED ? "no limit"
	                                                    : text);
}

static void tell_memlock(CheckRun *run)
{
	tell_number(run, run->facts->limits.locked_bytes, "bytes");
}

static void tell_keys(CheckRun *run)
{
	tell_number(run, run->facts->limits.keys, "keys");
}

static void tell_core_pattern(CheckRun *run)
{
	const char *pattern = run->facts->limits.core_pattern;

	(void)finding_tell(run,
	                   pattern != NULL && *pattern == '\0' ? "core files are off" : pattern);
}

/* "" is a kernel that has no such setting, and so no such bound. */
static void tell_scope(CheckRun *run, const char *scope, const char *const *words, gsize count)
{
	guint64 number = 0;

	if (scope == NULL || *scope == '\0')
		(void)finding_tell(run, scope != NULL ? "not bounded" : NULL);
	else if (g_ascii_string_to_unsigned(scope, 10, 0, count - 1, &number, NULL))
		(void)finding_tell(run, words[number]);
	else
		(void)finding_tell(run, scope);
}

static void tell_perf(CheckRun *run)
{
	static const char *const words[] = { "0: of processors and the kernel",
		                             "1: of the user's own programs and the kernel",
		                             "2: of the user's own programs",
		                             "3: not without privilege",
		                             "4: not without privilege" };

	tell_scope(run, run->facts->limits.perf, words, G_N_ELEMENTS(words));
}

static void tell_ptrace(CheckRun *run)
{
	static const char *const words[] = { "0: any process of the same user",
		                             "1: a process that one has started",
		                             "2: not without privilege", "3: not at all" };

	tell_scope(run, run->facts->limits.ptrace, words, G_N_ELEMENTS(words));
}

/* clang-format off */
const Check check_rows_limits[] = {
	{ "limit.nofile", "open files of a process", CHECK_FAIL, CHECK_LOCAL, NULL, "RLIMIT_NOFILE",
	  "Raise it: `ulimit -n 65536`, for good in /etc/security/limits.conf or the unit's LimitNOFILE.",
	  "Servers and downloads keep many files open; below 1,024 even small ones end with \"Too many open files\". The limit up to "
	  "which a program may raise its own counts.",
	  NULL, judge_nofile },
	{ "limit.processes", "processes of this user", CHECK_WARN, CHECK_LOCAL, NULL, "RLIMIT_NPROC",
	  "Raise it: `ulimit -u 65536`, for good in /etc/security/limits.conf.",
	  "Threads count as processes here, and a language model's server alone starts one for each core; 4,096 are enough for "
	  "any of the stacks.",
	  NULL, judge_processes },
	{ "limit.file_size", "largest file", CHECK_WARN, CHECK_LOCAL, NULL, "RLIMIT_FSIZE",
	  "Remove the limit: `ulimit -f unlimited`.",
	  "A program that writes beyond this limit is killed: a model or an image is then cut off. 64 GiB hold the largest.",
	  NULL, judge_file_size },
	{ "limit.address_space", "address space of a process", CHECK_WARN, CHECK_LOCAL, NULL, "RLIMIT_AS",
	  "Remove the limit: `ulimit -v unlimited`.",
	  "Models are mapped into memory whole, and programs for graphics cards reserve address space many times as large as the "
	  "memory that they use.",
	  NULL, judge_address_space },
	{ "limit.pids", "processes in all", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/kernel",
	  "Raise them: `sudo sysctl -w kernel.pid_max=4194304 kernel.threads-max=200000`.",
	  "The lowest of kernel.pid_max, kernel.threads-max and the control group's pids.max is the number of processes and "
	  "threads that can exist; a stack of a dozen containers takes some hundred to two thousand.",
	  applies_to_linux, judge_pids },
	{ "limit.inotify.instances", "inotify instances", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/fs/inotify",
	  "Raise it: `sudo sysctl -w fs.inotify.max_user_instances=512`, for good in a file of /etc/sysctl.d.",
	  "Each program that watches files takes one, containers of one user together. When they run out programs say \"Too many "
	  "open files\", which misleads. 128 is the default of Linux.",
	  applies_with_engine_on_linux, judge_inotify_instances },
	{ "limit.inotify.watches", "inotify watches", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/fs/inotify",
	  "Raise it: `sudo sysctl -w fs.inotify.max_user_watches=524288`, for good in a file of /etc/sysctl.d.",
	  "A server that reloads when sources change takes one for each directory. 8,192, the default before kernel 5.11, are too "
	  "few for one tree of Python packages; 65,536 are enough.",
	  applies_with_engine_on_linux, judge_inotify_watches },
	{ "limit.map_count", "memory maps of a process", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/vm/max_map_count",
	  "Raise it: `sudo sysctl -w vm.max_map_count=262144`, for good in a file of /etc/sysctl.d.",
	  "Vector and search databases map each segment of their data; their makers ask for 262,144. The limit is the host's: "
	  "it cannot be set in a container.",
	  applies_with_maps, judge_map_count },
	{ "limit.backlog", "connections that wait", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/net/core/somaxconn",
	  "Raise it: `sudo sysctl -w net.core.somaxconn=4096`.",
	  "Redis lets 511 connections wait to be accepted, and warns where the kernel allows fewer.",
	  applies_with_redis, judge_backlog },
	{ "limit.userns", "user namespaces without privilege", CHECK_FAIL, CHECK_LOCAL, NULL, "/proc/sys",
	  "Run `sudo sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`; that of the two which "
	  "the system does not have is passed over.",
	  "A rootless engine makes its containers in user namespaces. Debian has had a switch for them, Ubuntu restricts them with "
	  "AppArmor since 23.10, and user.max_user_namespaces may be 0.",
	  applies_with_rootless, judge_userns },
	{ "limit.memlock", "memory that may be locked", CHECK_PASS, CHECK_LOCAL, NULL, "RLIMIT_MEMLOCK",
	  "Nothing to do.",
	  "Ollama can lock a model into memory (use_mlock); that takes a limit as large as the model. It runs without.",
	  applies_with_models, tell_memlock },
	{ "limit.keys", "keys of the kernel", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/sys/kernel/keys/maxkeys",
	  "Raise it when containers end with \"disk quota exceeded\": `sudo sysctl -w kernel.keys.maxkeys=2000`.",
	  "Each container takes a keyring of the user who starts it; with many of them the default of 200 runs out, and the error "
	  "speaks of a disk quota.",
	  applies_with_engine_on_linux, tell_keys },
	{ "limit.core_pattern", "core files", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/sys/kernel/core_pattern",
	  "Set it while a fuzzer runs: `sudo sysctl -w kernel.core_pattern=core`; the host's setting holds in containers.",
	  "Where it begins with a pipe, each crash starts a program on the host first: fuzzers of the AFL family refuse to start, and "
	  "others take crashes for timeouts.",
	  applies_with_engine_on_linux, tell_core_pattern },
	{ "limit.perf", "what may be profiled", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/sys/kernel/perf_event_paranoid",
	  "Lower it while you profile: `sudo sysctl -w kernel.perf_event_paranoid=1`.",
	  "Profilers and fuzzers that count branches in hardware need 2 or less; Debian and Ubuntu have 3 and 4, which the kernel's own "
	  "documentation does not know.",
	  applies_with_engine_on_linux, tell_perf },
	{ "limit.ptrace", "what may be traced", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/sys/kernel/yama/ptrace_scope",
	  "Lower it while you debug: `sudo sysctl -w kernel.yama.ptrace_scope=0`.",
	  "Debuggers and leak detectors (LeakSanitizer) trace other processes; with 2 or 3 they cannot, in containers neither.",
	  applies_with_engine_on_linux, tell_ptrace },
	{ 0 },
};
/* clang-format on */
