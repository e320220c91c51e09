/* tests/drive_payload_download.c - unpacks an archive while it is loaded: for benchmarks
 *
 * Usage: drive_payload_download URL DIGEST DIRECTORY [CONNECTIONS]; prints the peak of resident
 * memory, in KiB.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <sys/resource.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "payload/archive_download.h"

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct rusage usage = { 0 };

	if (argc < 4 || argc > 5)
		return STATUS_USAGE;
	cancel_init();

	const char *const urls[] = { argv[1], NULL };
	ArchiveDownload wanted = { .urls = urls,
		                   .sha256 = argv[2],
		                   .max_bytes = (guint64)4 << 30,
		                   .limits = { .has_symlinks = true } };
	if (argc == 5)
		wanted.connections = (guint)g_ascii_strtoull(argv[4], NULL, 10);
	if (!archive_download(&wanted, 1, argv[3], &error)) {
		(void)fprintf(stderr, "%s\n", error->message);
		return (int)fault_status(error);
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("%ld\n", usage.ru_maxrss);
	return 0;
}
