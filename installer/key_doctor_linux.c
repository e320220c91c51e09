/* installer/key_doctor_linux.c - file systems and swap of Linux
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/paths.h"
#include "installer/key_doctor.h"

#define SWAPS_MAX_BYTES 65536

/* Source: <linux/magic.h> of Linux 6.1 and the file systems' own headers. */
static const struct {
	guint32 magic;
	const char *name;
	const char *meaning; /* (nullable): why keys are better not kept there */
} place_table[] = {
	{ 0x6969, "NFS", "others who can read it there can copy the file" },
	{ 0xff534d42, "CIFS", "others who can read it there can copy the file" },
	{ 0xfe534d42, "SMB", "others who can read it there can copy the file" },
	{ 0x00c36400, "Ceph", "others who can read it there can copy the file" },
	{ 0x5346414f, "AFS", "others who can read it there can copy the file" },
	{ 0x01021997, "9P", "Windows, or the host of this machine, ignores owner and mode there" },
	{ 0x65735546, "FUSE", "whoever serves it can read it, and may ignore owner and mode" },
	{ 0x4d44, "FAT", "it knows neither owner nor mode" },
	{ 0x2011bab0, "exFAT", "it knows neither owner nor mode" },
	{ 0x01021994, "tmpfs", "it is gone after a restart" },
	{ 0x794c7630, "overlayfs", "in a container it goes when the container goes" },
	{ 0xef53, "ext4", NULL },
	{ 0x9123683e, "btrfs", NULL },
	{ 0x58465342, "XFS", NULL },
	{ 0x2fc12fc1, "ZFS", NULL },
	{ 0xf2f52010, "F2FS", NULL },
	{ 0xca451a4e, "bcachefs", NULL },
};

void doctor_look_at_place(const Doctor *doctor, DoctorFinding *finding)
{
	g_autofree char *place = paths_existing_ancestor(doctor->path);
	struct statfs status;

	if (statfs(place, &status) != 0) {
		doctor_say(finding, DOCTOR_WARN, NULL, "the file system of %s is not known", place);
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(place_table); i++) {
		if (place_table[i].magic != (guint32)status.f_type)
			continue;
		if (place_table[i].meaning)
			doctor_say(finding, DOCTOR_WARN,
			           "Name a file on a disk of this machine with --keystore.",
			           "%s is on %s: %s", place, place_table[i].name,
			           place_table[i].meaning);
		else
			doctor_say(finding, DOCTOR_OK, NULL, "%s is on %s", place,
			           place_table[i].name);
		return;
	}
	doctor_say(finding, DOCTOR_OK, NULL, "%s is on a file system of type 0x%x", place,
	           (guint)(guint32)status.f_type);
}

/* Memory that is compressed in memory; what is behind /dev/dm-N may be encrypted or not. */
static bool is_harmless(const char *device)
{
	return g_str_has_prefix(device, "/dev/zram");
}

void doctor_look_at_swap(const Doctor *doctor G_GNUC_UNUSED, DoctorFinding *finding)
{
	g_autoptr(GBytes) bytes = file_read("/proc/swaps", SWAPS_MAX_BYTES, NULL);
	gsize size = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_autofree char *device = g_strndup(*line, strcspn(*line, " \t"));

		if (device[0] != '/' || is_harmless(device))
			continue;
		doctor_say(finding, DOCTOR_OK, NULL,
		           "there is swap on %s; keys are in memory that is not written there, the "
		           "programs that get them may not be so careful, so let it be encrypted",
		           device);
		return;
	}
	doctor_say(finding, DOCTOR_OK, NULL,
	           bytes ? "there is no swap on a disk" : "whether there is swap is not known");
}
