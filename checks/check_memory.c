/* checks/check_memory.c - judges memory and swap
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/check_private.h"

/* A machine sold with 16 GiB reports 15.2 to 15.9: firmware and kernel keep the rest. */
#define MEMORY_TOLERANCE_PERCENT 7

static void judge_mem_total(CheckRun *run)
{
	const FactsMemory *memory = &run->facts->memory;
	CheckFinding *finding =
		finding_add_amount(run, &(Amount){ memory->total_bytes, run->needs->memory_bytes,
	                                           run->needs->memory_recommended_bytes,
	                                           MEMORY_TOLERANCE_PERCENT, "bytes" });

	if (memory->source != NULL)
		finding_set_source(finding, g_strdup(memory->source));
	if (memory->limit_bytes < memory->installed_bytes)
		finding_set_remedy(finding,
		                   g_strdup("Raise the limit of this control group or container."));
	else if (run->facts->system.wsl == 2)
		finding_set_remedy(finding, g_strdup("Raise \"memory\" in .wslconfig, then run "
		                                     "`wsl --shutdown` in Windows."));
}

static void judge_mem_available(CheckRun *run)
{
	(void)finding_add_amount(run, &(Amount){ run->facts->memory.available_bytes,
	                                         run->needs->memory_bytes, 0, 0, "bytes" });
}

/* Swap matters where memory is short of what is recommended. */
static void judge_mem_swap(CheckRun *run)
{
	const FactsMemory *memory = &run->facts->memory;
	guint64 wanted = MAX(run->needs->memory_bytes, run->needs->memory_recommended_bytes);
	CheckVerdict verdict = CHECK_PASS;
	g_autofree char *measured = NULL;

	if (wanted == 0) {
		(void)finding_add(run, CHECK_SKIPPED, "the stack states no need");
		return;
	}
	if (memory->swap_bytes == FACTS_UNKNOWN ||
	    (memory->swap_bytes == 0 && memory->available_bytes == FACTS_UNKNOWN))
		verdict = CHECK_UNKNOWN;
	else if (memory->swap_bytes == 0 && memory->available_bytes < wanted)
		verdict = run->check->severity;
	if (memory->swap_bytes != FACTS_UNKNOWN)
		measured = check_format_bytes(memory->swap_bytes);
	finding_add(run, verdict, measured)->measured_value = memory->swap_bytes;
}

/* Huge pages that somebody set aside are used whether somebody uses them or not. */
static void judge_mem_huge(CheckRun *run)
{
	const FactsMemory *memory = &run->facts->memory;
	g_autofree char *measured = NULL;

	if (memory->huge_bytes == FACTS_UNKNOWN || memory->installed_bytes == FACTS_UNKNOWN) {
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
		return;
	}
	measured = check_format_bytes(memory->huge_bytes);
	finding_add(run,
	            memory->huge_bytes > memory->installed_bytes / 2 ? run->check->severity
	                                                             : CHECK_PASS,
	            measured)
		->measured_value = memory->huge_bytes;
}

static void judge_mem_overcommit(CheckRun *run)
{
	static const char *const modes[] = { "0 (by estimate)", "1 (always)",
		                             "2 (never beyond the limit)" };
	guint64 mode = run->facts->memory.overcommit;

	if (mode >= G_N_ELEMENTS(modes))
		(void)finding_add(run, CHECK_UNKNOWN, NULL);
	else
		finding_set(&finding_add(run, mode == 1 ? CHECK_PASS : run->check->severity,
		                         modes[mode])
		                     ->needed,
		            g_strdup("1"));
}

/* Only with overcommit 2 is there a bound on what is promised. */
static void judge_mem_commit(CheckRun *run)
{
	const FactsMemory *memory = &run->facts->memory;
	guint64 left = FACTS_UNKNOWN;

	if (memory->overcommit == 0 || memory->overcommit == 1) {
		(void)finding_add(run, CHECK_PASS, "not bounded");
		return;
	}
	if (memory->overcommit != FACTS_UNKNOWN && memory->commit_bytes != FACTS_UNKNOWN &&
	    memory->committed_bytes != FACTS_UNKNOWN)
		left = memory->commit_bytes > memory->committed_bytes
		               ? memory->commit_bytes - memory->committed_bytes
		               : 0;
	(void)finding_add_amount(run, &(Amount){ left, 0, run->needs->memory_bytes, 0, "bytes" });
}

/* Containers share the memory of the engine's machine; else it is this machine's. */
static void judge_mem_stack_sum(CheckRun *run)
{
	const CheckNeeds *needs = run->needs;
	guint64 engine_bytes = run->facts->engine.memory_bytes;
	bool is_engine = needs->engine != NULL && engine_bytes != FACTS_UNKNOWN;
	CheckFinding *finding;

	if (needs->others == NULL) {
		(void)finding_add(run, CHECK_SKIPPED, "no other stack is installed");
		return;
	}
	finding = finding_add_amount(
		run, &(Amount){ is_engine ? engine_bytes : run->facts->memory.total_bytes, 0,
	                        needs->memory_bytes + needs->others_memory_bytes,
	                        MEMORY_TOLERANCE_PERCENT, "bytes" });
	if (is_engine)
		finding_set_source(finding, g_strdup("engine /info"));
	finding_set_remedy(
		finding, g_strdup_printf("Have one of them up at a time: \"slipway down\" for %s.",
	                                 needs->others));
}

static void tell_mem_thp(CheckRun *run)
{
	(void)finding_tell(run, run->facts->memory.huge_pages);
}

static void tell_mem_cache(CheckRun *run)
{
	guint64 bytes = run->facts->memory.cache_bytes;
	g_autofree char *text = bytes != FACTS_UNKNOWN ? check_format_bytes(bytes) : NULL;

	(void)finding_tell(run, text);
}

/* clang-format off */
const Check check_rows_memory[] = {
	{ "mem.total", "memory", CHECK_FAIL, CHECK_LOCAL, NULL, "kernel",
	  "Use a machine with more memory, or a smaller profile.",
	  "What the kernel has, or less where a control group (of a container, a unit, a batch job) sets a limit: the lowest of "
	  "the group and all its ancestors. A machine sold with 16 GiB has up to 7 % less; that much is forgiven.",
	  NULL, judge_mem_total },
	{ "mem.available", "memory that is free now", CHECK_WARN, CHECK_LOCAL, NULL, "kernel",
	  "Close other programs before you start the stack.",
	  "What could be had without swapping: free pages and caches that can be dropped, within the control group's limit.",
	  NULL, judge_mem_available },
	{ "mem.swap", "swap", CHECK_WARN, CHECK_LOCAL, NULL, "kernel",
	  "Add a swap file of 4 GiB.",
	  "Where memory is short of what the stack recommends, the kernel ends a program (often a database) when it runs out; a "
	  "little swap lets it put aside what is not used.",
	  applies_to_linux, judge_mem_swap },
	{ "mem.huge", "memory set aside for huge pages", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/meminfo",
	  "Give it back: `sudo sysctl -w vm.nr_hugepages=0`, unless a database of yours needs it.",
	  "Nothing but programs that ask for huge pages gets this memory. More than half of all is set aside by a virtual "
	  "machine's or a database's guide, and forgotten.",
	  applies_to_linux, judge_mem_huge },
	{ "mem.overcommit", "promises of memory", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/sys/vm/overcommit_memory",
	  "Run `sudo sysctl -w vm.overcommit_memory=1`, for good in a file of /etc/sysctl.d; it cannot be set in a container.",
	  "Redis saves its data from a copy of itself. Unless the kernel promises memory freely, that copy can be refused when data "
	  "has grown to half of memory, and nothing is saved.",
	  applies_with_redis, judge_mem_overcommit },
	{ "mem.commit", "memory that can still be promised", CHECK_WARN, CHECK_LOCAL, NULL, "/proc/meminfo",
	  "Run `sudo sysctl -w vm.overcommit_memory=0`, or add swap.",
	  "With vm.overcommit_memory at 2 programs get no more than CommitLimit together, however much of it they really use; "
	  "models are mapped whole, and containers of Node.js or Java promise themselves a lot.",
	  applies_to_linux, judge_mem_commit },
	{ "mem.stack_sum", "memory for all installed stacks", CHECK_WARN, CHECK_LOCAL, NULL, "kernel",
	  "Have one of them up at a time.",
	  "What each installed stack asks for at the least, and this one, added up: the limits of their services allow them as much at "
	  "the same time, and then the kernel ends one.",
	  NULL, judge_mem_stack_sum },
	{ "mem.thp", "transparent huge pages", CHECK_PASS, CHECK_LOCAL, NULL, "/sys/kernel/mm",
	  "Set it to madvise where Redis answers late: `echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`.",
	  "With \"always\" a database that copies itself to save its data copies pages of 2 MiB for each changed byte.",
	  applies_with_redis, tell_mem_thp },
	{ "mem.zfs_cache", "cache of ZFS", CHECK_PASS, CHECK_LOCAL, NULL, "/proc/spl/kstat/zfs/arcstats",
	  "Nothing to do: it is counted as available.",
	  "ZFS counts its cache as used and gives most of it back when memory is short; mem.available has it added.",
	  applies_to_linux, tell_mem_cache },
	{ 0 },
};
/* clang-format on */
