/* checks/facts_directory_macos.c - what macOS says of the file system that a directory is on
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <unistd.h>

#include "checks/facts_directory.h"

static Fact is_case_blind(const char *path)
{
	switch (pathconf(path, _PC_CASE_SENSITIVE)) {
	case 0:
		return FACT_YES;
	case 1:
		return FACT_NO;
	default:
		return FACT_UNKNOWN;
	}
}

/* The cards of cameras and sticks have no rights, and neither have servers of Windows. */
static Fact keeps_modes(const char *file_system)
{
	static const char *const without[] = { "exfat", "msdos", "smbfs", "ntfs", NULL };

	return g_strv_contains(without, file_system) ? FACT_NO : FACT_YES;
}

void directory_read_system(FactsDirectory *directory)
{
	struct statfs status;

	if (statfs(directory->existing, &status) != 0)
		return;

	directory->file_system = g_strdup(status.f_fstypename);
	directory->is_noexec = (status.f_flags & MNT_NOEXEC) != 0 ? FACT_YES : FACT_NO;
	directory->is_case_blind = is_case_blind(directory->existing);
	directory->keeps_modes = keeps_modes(directory->file_system);
}
