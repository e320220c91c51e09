/* checks/check_machine.c - judges memory, disk, processor and ports
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* A machine sold with 16 GiB reports 15.2 to 15.9: firmware and kernel keep the rest. */
#define MEMORY_TOLERANCE_PERCENT 7

/* Below this many free inodes an installation ends in the middle of a tree.  Source: a Python
 * environment with its packages has about 4,000 files. */
#define INODES_MINIMUM 5000
#define INODES_RECOMMENDED 50000

void judge_mem_total(CheckRun *run)
{
	const FactsMemory *memory = &run->facts->memory;
	CheckFinding *finding =
		finding_add_amount(run, &(Amount){ memory->total_bytes, run->needs->memory_bytes,
	                                           run->needs->memory_recommended_bytes,
	                                           MEMORY_TOLERANCE_PERCENT, "bytes" });

	if (memory->source != NULL)
		finding_set(&finding->source, g_strdup(memory->source));
	if (memory->limit_bytes < memory->installed_bytes)
		finding_set(&finding->remedy,
		            g_strdup("Raise the limit of this control group or container."));
	else if (run->facts->system.wsl == 2)
		finding_set(&finding->remedy, g_strdup("Raise \"memory\" in .wslconfig, then run "
		                                       "`wsl --shutdown` in Windows."));
}

void judge_mem_available(CheckRun *run)
{
	(void)finding_add_amount(run, &(Amount){ run->facts->memory.available_bytes,
	                                         run->needs->memory_bytes, 0, 0, "bytes" });
}

/* Swap matters where memory is short of what is recommended. */
void judge_mem_swap(CheckRun *run)
{
	const FactsMemory *memory = &run->facts->memory;
	guint64 wanted = MAX(run->needs->memory_bytes, run->needs->memory_recommended_bytes);
	CheckVerdict verdict = CHECK_PASS;
	g_autofree char *measured = NULL;

	if (wanted == 0) {
		(void)finding_add(run, CHECK_SKIPPED, "the stack states no need");
		return;
	}
	if (memory->swap_bytes == FACTS_UNKNOWN)
		verdict = CHECK_UNKNOWN;
	else if (memory->swap_bytes == 0 && memory->available_bytes < wanted)
		verdict = run->check->severity;
	if (memory->swap_bytes != FACTS_UNKNOWN)
		measured = check_format_bytes(memory->swap_bytes);
	finding_add(run, verdict, measured)->measured_value = memory->swap_bytes;
}

static bool is_same_device(const FactsDirectory *a, const FactsDirectory *b)
{
	return a != NULL && b != NULL && a->device != FACTS_UNKNOWN && a->device == b->device;
}

/* What all needs together want of the device that @directory is on. */
static guint64 needed_on_device(const CheckRun *run, const FactsDirectory *directory,
                                GString *names)
{
	guint64 bytes = 0;

	for (gsize i = 0; i < run->needs->disk_count; i++) {
		const CheckDiskNeed *need = &run->needs->disk[i];

		if (!is_same_device(facts_directory(run->facts, need->path), directory))
			continue;
		if (!g_uint64_checked_add(&bytes, bytes, need->bytes))
			bytes = G_MAXINT64;
		g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", need->path);
	}
	return bytes;
}

/* Whether an earlier need is on the same device, and has been judged with this one. */
static bool is_judged(const CheckRun *run, gsize index)
{
	const FactsDirectory *directory = facts_directory(run->facts, run->needs->disk[index].path);

	for (gsize i = 0; i < index; i++)
		if (is_same_device(facts_directory(run->facts, run->needs->disk[i].path),
		                   directory))
			return true;

	return false;
}

static void judge_device(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);
	g_autoptr(GString) names = g_string_new(NULL);
	guint64 bytes = needed_on_device(run, directory, names);
	guint64 free_bytes = directory != NULL ? directory->free_bytes : FACTS_UNKNOWN;
	CheckFinding *finding = finding_add_amount(
		run, &(Amount){ free_bytes, names->len > 0 ? bytes : need->bytes, 0, 0, "bytes" });

	finding_set(&finding->source,
	            g_strconcat("free for ", names->len > 0 ? names->str : need->path, NULL));
}

void judge_disk_space(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		if (!is_judged(run, i))
			judge_device(run, &run->needs->disk[i]);

	if (run->needs->disk_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "the stack states no need");
}

static void judge_inodes(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);
	CheckFinding *finding;

	if (directory != NULL && directory->free_bytes != FACTS_UNKNOWN &&
	    directory->free_inodes == FACTS_UNKNOWN) {
		(void)finding_add(run, CHECK_PASS, "not counted by this file system");
		return;
	}
	finding = finding_add_amount(
		run, &(Amount){ directory != NULL ? directory->free_inodes : FACTS_UNKNOWN,
	                        INODES_MINIMUM, INODES_RECOMMENDED, 0, "inodes" });
	finding_set(&finding->source, g_strconcat("free for ", need->path, NULL));
}

void judge_disk_inodes(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		if (!is_judged(run, i))
			judge_inodes(run, &run->needs->disk[i]);

	if (run->needs->disk_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "nothing is written");
}

/* Why nothing can be written there; "" if it can, NULL if that is not known. */
static const char *writing_trouble(const FactsDirectory *directory, const char *path)
{
	if (directory == NULL)
		return NULL;
	if (directory->is_read_only == FACT_YES)
		return " is on a read-only file system";
	if (directory->is_writable == FACT_YES)
		return "";

	/* An ancestor that may not be written says nothing about a directory below it. */
	return directory->is_writable == FACT_NO && strcmp(directory->path, path) == 0
	               ? " is not writable"
	               : NULL;
}

static void judge_writable(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);
	const char *place =
		directory != NULL && directory->existing != NULL ? directory->existing : need->path;
	const char *trouble = writing_trouble(directory, need->path);
	g_autofree char *measured =
		g_strconcat(place, trouble != NULL ? trouble : ": unknown", NULL);
	CheckVerdict verdict = CHECK_UNKNOWN;

	if (trouble != NULL)
		verdict = *trouble == '\0' ? CHECK_PASS : run->check->severity;
	(void)finding_add(run, verdict, measured);
}

void judge_disk_writable(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		judge_writable(run, &run->needs->disk[i]);

	if (run->needs->disk_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "nothing is written");
}

void judge_cpu_count(CheckRun *run)
{
	const FactsCpu *cpu = &run->facts->cpu;
	CheckFinding *finding =
		finding_add_amount(run, &(Amount){ cpu->count, run->needs->cpus, 0, 0, "CPUs" });

	if (cpu->source != NULL)
		finding_set(&finding->source, g_strdup(cpu->source));
}

static bool has_feature(const char *features, const char *name)
{
	g_auto(GStrv) words = g_strsplit(features, " ", -1);

	return g_strv_contains((const char *const *)words, name);
}

/* Local models run slowly without AVX, and today's Python wheels not at all without SSE 4.2. */
void judge_cpu_isa(CheckRun *run)
{
	const char *features = run->facts->cpu.features;
	CheckVerdict verdict = CHECK_PASS;

	if (features == NULL)
		verdict = CHECK_UNKNOWN;
	else if (g_strcmp0(run->facts->system.architecture, "x86_64") != 0)
		verdict = CHECK_PASS;
	else if (!has_feature(features, "sse4.2"))
		verdict = run->check->severity;
	else if (!has_feature(features, "avx"))
		verdict = CHECK_WARN;
	finding_set(&finding_add(run, verdict, features)->needed, g_strdup("sse4.2, better avx"));
}

static void judge_port(CheckRun *run, const CheckPortNeed *need)
{
	const FactsPort *port = facts_port(run->facts, need->number);
	bool is_elsewhere = run->needs->engine != NULL && engine_is_outside(run->facts);
	CheckVerdict verdict = CHECK_UNKNOWN;
	CheckFinding *finding;

	if (port != NULL && port->is_free != FACT_UNKNOWN && !is_elsewhere)
		verdict = port->is_free == FACT_YES ? CHECK_PASS : run->check->severity;

	finding = finding_add(run, verdict,
	                      verdict == CHECK_PASS   ? "free"
	                      : verdict == CHECK_FAIL ? "in use"
	                      : is_elsewhere          ? "not visible from inside a container"
	                      : port != NULL          ? port->why
	                                              : NULL);
	finding_set(&finding->id, g_strdup_printf("port.%" G_GUINT64_FORMAT, need->number));
	finding_set(&finding->needed, g_strdup_printf("free for %s", need->name));
	if (need->variable != NULL)
		finding_set(&finding->remedy,
		            g_strdup_printf("Stop the program that listens there, or set %s to "
		                            "another port.",
		                            need->variable));
}

void judge_port_free(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->port_count; i++)
		judge_port(run, &run->needs->ports[i]);

	if (run->needs->port_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "the stack listens on no port");
}
