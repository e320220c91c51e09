/* installer/key_doctor_macos.c - file systems and swap of macOS
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/mount.h>
#include <sys/param.h>

#include "base/paths.h"
#include "installer/key_doctor.h"

void doctor_look_at_place(const Doctor *doctor, DoctorFinding *finding)
{
	g_autofree char *place = paths_existing_ancestor(doctor->path);
	struct statfs status;

	if (statfs(place, &status) != 0)
		doctor_say(finding, DOCTOR_WARN, NULL, "the file system of %s is not known", place);
	else if (!(status.f_flags & MNT_LOCAL))
		doctor_say(finding, DOCTOR_WARN,
		           "Name a file on a disk of this machine with --keystore.",
		           "%s is on %s, a network file system: others who can read it there can "
		           "copy the file",
		           place, status.f_fstypename);
	else
		doctor_say(finding, DOCTOR_OK, NULL, "%s is on %s", place, status.f_fstypename);
}

void doctor_look_at_swap(const Doctor *doctor G_GNUC_UNUSED, DoctorFinding *finding)
{
	doctor_say(finding, DOCTOR_OK, NULL, "macOS encrypts its swap");
}
