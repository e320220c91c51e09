/* checks/check_place.c - judges the file systems of places: what they can do, beside their room
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/check_private.h"

/* What compilers and pip unpack there at once. */
#define TMP_BYTES ((guint64)512 << 20)
#define TMP_RECOMMENDED_BYTES ((guint64)2 << 30)

/* Source: docker.io with compose and buildx on Debian 12 takes 400 MiB, their archives another 100. */
#define SYSTEM_BYTES ((guint64)512 << 20)
#define SYSTEM_RECOMMENDED_BYTES ((guint64)2 << 30)

/** What is known of kinds of file systems; of those that are not listed, nothing bad. */
static const struct {
	const char *name;
	CheckVerdict verdict;
	const char *trouble;
} kind_table[] = {
	{ "vfat", CHECK_FAIL, "it has no links and no owners" },
	{ "exfat", CHECK_FAIL, "it has no links and no owners" },
	{ "msdos", CHECK_FAIL, "it has no links and no owners" },
	{ "squashfs", CHECK_FAIL, "it cannot be written" },
	{ "erofs", CHECK_FAIL, "it cannot be written" },
	{ "cifs", CHECK_WARN, "links, owners and locks are those of a server" },
	{ "smbfs", CHECK_WARN, "links, owners and locks are those of a server" },
	{ "vboxsf", CHECK_WARN, "it is a directory of the host, without links" },
	{ "nfs", CHECK_WARN, "locks and durable writes depend on a server" },
	{ "9p", CHECK_WARN, "it is a directory of another system, and slow" },
	{ "fuse", CHECK_WARN, "it is as reliable as the program behind it" },
	{ "ecryptfs", CHECK_WARN, "long names do not fit" },
	{ "tmpfs", CHECK_WARN, "it is gone with the next restart" },
	{ "ramfs", CHECK_WARN, "it is gone with the next restart" },
};

static void judge_kind(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);
	const char *name = directory != NULL ? directory->file_system : NULL;
	CheckFinding *finding;

	for (gsize i = 0; name != NULL && i < G_N_ELEMENTS(kind_table); i++) {
		g_autofree char *measured = NULL;

		if (strcmp(kind_table[i].name, name) != 0)
			continue;
		measured = g_strdup_printf("%s: %s", name, kind_table[i].trouble);
		finding = finding_add(run, kind_table[i].verdict, measured);
		finding_set_source(finding, g_strdup(need->path));
		if (strcmp(name, "9p") == 0 && run->facts->system.wsl == 2)
			finding_set_remedy(
				finding,
				g_strdup("Choose a place below the home directory of Linux, not "
			                 "below /mnt/c."));
		return;
	}
	finding = finding_tell(run, name);
	finding_set_source(finding, g_strdup(need->path));
}

/** Judges each device that something is written to. */
static void judge_devices(CheckRun *run, void (*judge)(CheckRun *run, const CheckDiskNeed *need))
{
	for (gsize i = 0; i < run->needs->disk_count; i++)
		if (!disk_is_judged(run, i))
			judge(run, &run->needs->disk[i]);

	if (run->needs->disk_count == 0)
		(void)finding_add(run, CHECK_SKIPPED, "nothing is written");
}

static void judge_disk_filesystem(CheckRun *run)
{
	judge_devices(run, judge_kind);
}

/* The first of the needs is the place of the stack itself, with its programs. */
static void judge_disk_noexec(CheckRun *run)
{
	const char *path = run->needs->disk_count > 0 ? run->needs->disk[0].path : NULL;
	const FactsDirectory *directory = path != NULL ? facts_directory(run->facts, path) : NULL;
	Fact is_noexec = directory != NULL ? directory->is_noexec : FACT_UNKNOWN;

	if (path == NULL)
		(void)finding_add(run, CHECK_SKIPPED, "nothing is written");
	else
		finding_set_source(finding_add_fact(run, fact_not(is_noexec), "allowed",
		                                    "mounted with noexec"),
		                   g_strdup(path));
}

static void judge_modes(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);

	finding_set_source(
		finding_add_fact(run, directory != NULL ? directory->keeps_modes : FACT_UNKNOWN,
	                         "kept", "everybody can read what is written"),
		g_strdup(need->path));
}

static void judge_disk_modes(CheckRun *run)
{
	judge_devices(run, judge_modes);
}

static void tell_case(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);
	Fact is_blind = directory != NULL ? directory->is_case_blind : FACT_UNKNOWN;

	finding_set_source(finding_tell(run, is_blind == FACT_YES  ? "\"a\" and \"A\" are one file"
	                                     : is_blind == FACT_NO ? "told apart"
	                                                           : NULL),
	                   g_strdup(need->path));
}

static void tell_disk_case(CheckRun *run)
{
	judge_devices(run, tell_case);
}

static void judge_quota(CheckRun *run, const CheckDiskNeed *need)
{
	const FactsDirectory *directory = facts_directory(run->facts, need->path);
	guint64 left = directory != NULL ? directory->quota_bytes : FACTS_UNKNOWN;

	if (left == FACTS_UNKNOWN || left == FACTS_UNLIMITED)
		(void)finding_add(run, CHECK_SKIPPED, "none is known of");
	else
		finding_set_source(
			finding_add_amount(run, &(Amount){ left, need->bytes, 0, 0, "bytes" }),
			g_strdup(need->path));
}

static void judge_disk_quota(CheckRun *run)
{
	judge_devices(run, judge_quota);
}

static const FactsDirectory *tmp_directory(const CheckRun *run)
{
	const char *tmp = run->facts->system.tmp;

	return tmp != NULL ? facts_directory(run->facts, tmp) : NULL;
}

/* A directory that is full is worth no word of its own when the whole disk is: that is disk.space. */
static void judge_disk_tmp(CheckRun *run)
{
	const FactsDirectory *directory = tmp_directory(run);
	CheckFinding *finding;

	if (directory != NULL && directory->is_writable == FACT_NO) {
		(void)finding_add(run, run->check->severity, "not writable");
		return;
	}
	finding = finding_add_amount(
		run, &(Amount){ directory != NULL ? directory->free_bytes : FACTS_UNKNOWN,
	                        TMP_BYTES, TMP_RECOMMENDED_BYTES, 0, "bytes" });
	if (directory != NULL && finding->verdict == CHECK_PASS &&
	    directory->is_writable == FACT_UNKNOWN)
		finding->verdict = finding->judged = CHECK_UNKNOWN;
	if (directory != NULL)
		finding_set_source(finding, g_strdup(directory->path));
}

static void judge_disk_tmp_noexec(CheckRun *run)
{
	const FactsDirectory *directory = tmp_directory(run);

	(void)finding_add_fact(run,
	                       fact_not(directory != NULL ? directory->is_noexec : FACT_UNKNOWN),
	                       "allowed", "mounted with noexec");
}

static bool applies_with_system_packages(const Facts *facts, const CheckNeeds *needs)
{
	return applies_with_packages(facts, needs) && applies_to_linux(facts, needs);
}

static void judge_disk_system(CheckRun *run)
{
	const FactsDirectory *directory = facts_directory(run->facts, "/");

	(void)finding_add_amount(
		run, &(Amount){ directory != NULL ? directory->free_bytes : FACTS_UNKNOWN,
	                        SYSTEM_BYTES, SYSTEM_RECOMMENDED_BYTES, 0, "bytes" });
}

static bool applies_to_wsl_disk(const Facts *facts, const CheckNeeds *needs)
{
	return facts->system.wsl == 2 && needs->disk_count > 0;
}

/* All that is written inside lets the image of the disk grow. */
static guint64 needed_in_all(const CheckNeeds *needs)
{
	guint64 bytes = needs->engine_disk_bytes;

	for (gsize i = 0; i < needs->disk_count; i++)
		if (!g_uint64_checked_add(&bytes, bytes, needs->disk[i].bytes))
			bytes = G_MAXINT64;

	return bytes;
}

static void judge_wsl_disk(CheckRun *run)
{
	const FactsDirectory *directory = facts_directory(run->facts, FACTS_WINDOWS_DISK);
	bool is_there =
		directory != NULL && g_strcmp0(directory->existing, FACTS_WINDOWS_DISK) == 0;

	(void)finding_add_amount(run, &(Amount){ is_there ? directory->free_bytes : FACTS_UNKNOWN,
	                                         0, needed_in_all(run->needs), 0, "bytes" });
}

/* clang-format off */
const Check check_rows_place[] = {
	{ "disk.filesystem", "file system", CHECK_FAIL, CHECK_LOCAL, NULL, "statfs",
	  "Choose a place on a local disk with --prefix.",
	  "Databases and journals want writes that last, locks that hold, owners and links. File systems of sticks have none of that, "
	  "those of servers some of it, and what lies in memory is gone with the next restart.",
	  NULL, judge_disk_filesystem },
	{ "disk.noexec", "programs in the stack's place", CHECK_FAIL, CHECK_LOCAL, NULL, "statfs",
	  "Choose another place with --prefix, or have it mounted without noexec.",
	  "The stack brings programs, and they are started from where it is installed.",
	  NULL, judge_disk_noexec },
	{ "disk.modes", "rights of files", CHECK_WARN, CHECK_LOCAL, NULL, "statfs",
	  "Choose a place on a disk with Linux's or macOS's own file system.",
	  "Files with keys are written for their owner alone. Where the file system knows no such rights, everybody on the machine "
	  "can read them.",
	  NULL, judge_disk_modes },
	{ "disk.case", "upper and lower case", CHECK_PASS, CHECK_LOCAL, NULL, "statfs",
	  "Use a volume of the engine, or a case-sensitive one, for sources with names that differ in case alone.",
	  "macOS and Windows take \"a\" and \"A\" for one file; some trees of sources have both.",
	  NULL, tell_disk_case },
	{ "disk.quota", "quota", CHECK_FAIL, CHECK_LOCAL, NULL, "quotactl",
	  "Ask the administrator for more, or choose another disk with --prefix.",
	  "An administrator may bound what one user writes, however much of the disk is free.",
	  applies_to_linux, judge_disk_quota },
	{ "disk.tmp", "room for temporary files", CHECK_FAIL, CHECK_LOCAL, NULL, "TMPDIR, /tmp",
	  "Set TMPDIR to a directory on a larger disk.",
	  "Tools unpack and compile there: pip takes half a GiB for a large package. On many systems it is a small file system in "
	  "memory.",
	  NULL, judge_disk_tmp },
	{ "disk.tmp_noexec", "programs among temporary files", CHECK_WARN, CHECK_LOCAL, NULL, "TMPDIR, /tmp",
	  "Set TMPDIR to a directory that is mounted without noexec.",
	  "Some installers unpack a program there and start it.",
	  NULL, judge_disk_tmp_noexec },
	{ "disk.system", "room for packages", CHECK_FAIL, CHECK_LOCAL, NULL, "free for /",
	  "Free some space: `sudo apt-get clean`, `sudo dnf clean all` or their like remove what was downloaded for installations.",
	  "Packages that the stack's tools come with go to the system's own disk: an engine with its plugins takes half a GiB.",
	  applies_with_system_packages, judge_disk_system },
	{ "wsl.disk", "free space on the disk of Windows", CHECK_WARN, CHECK_LOCAL, NULL, "free for " FACTS_WINDOWS_DISK,
	  "Free some space in Windows, or move the distribution to another disk (`wsl --manage DISTRIBUTION --move`).",
	  "The disk of a WSL distribution is a file in Windows that grows: what is free inside may be more than that disk has.",
	  applies_to_wsl_disk, judge_wsl_disk },
	{ 0 },
};
/* clang-format on */
