/* checks/check_disk.c - judges the places that the plan writes to
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* Below this many free inodes an installation ends in the middle of a tree.  Source: a Python
 * environment with its packages has about 4,000 files. */
#define INODES_MINIMUM 5000
#define INODES_RECOMMENDED 50000

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

bool disk_is_judged(const CheckRun *run, gsize index)
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

	finding_set_source(
		finding, g_strconcat("free for ", names->len > 0 ? names->str : need->path, NULL));
}

static void judge_disk_space(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		if (!disk_is_judged(run, i))
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
	finding_set_source(finding, g_strconcat("free for ", need->path, NULL));
}

static void judge_disk_inodes(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		if (!disk_is_judged(run, i))
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
		return directory->is_read_only == FACT_NO ? "" : NULL;

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

static void judge_disk_writable(CheckRun *run)
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		judge_writable(run, &run->needs->disk[i]);

	if (run->needs->disk_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "nothing is written");
}

/* clang-format off */
const Check check_rows_disk[] = {
	{ "disk.writable", "directory", CHECK_FAIL, CHECK_LOCAL, NULL, "faccessat",
	  "Choose another place with --prefix, or change the owner of the directory.",
	  "Where the stack and its state are written to. An ancestor that exists says nothing about a directory below it that is "
	  "still to be made by somebody else.",
	  NULL, judge_disk_writable },
	{ "disk.space", "free disk space", CHECK_FAIL, CHECK_LOCAL, NULL, "statvfs",
	  "Free some space, or choose another disk with --prefix.",
	  "What this user can still write, without the reserve of root, against all that the plan writes to the same device "
	  "together. The stack says how much that is.",
	  NULL, judge_disk_space },
	{ "disk.inodes", "free inodes", CHECK_FAIL, CHECK_LOCAL, NULL, "statvfs",
	  "Remove trees of small files, or choose another disk with --prefix.",
	  "Each file takes an inode, and a Python environment has about 4,000: below 5,000 an installation ends in the middle. "
	  "File systems as btrfs do not count them.",
	  NULL, judge_disk_inodes },
	{ 0 },
};
/* clang-format on */
