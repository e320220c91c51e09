/* checks/facts_limits_read.c - the limits of this process
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/resource.h>

#include "checks/facts_private.h"

static guint64 bound(rlim_t value)
{
	return value == RLIM_INFINITY ? FACTS_UNLIMITED : MIN((guint64)value, FACTS_UNLIMITED);
}

void limits_read_process(FactsLimits *limits)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limits->open_files = bound(limit.rlim_cur);
		limits->open_files_hard = bound(limit.rlim_max);
	}
	if (getrlimit(RLIMIT_NPROC, &limit) == 0)
		limits->processes = bound(limit.rlim_cur);
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		limits->locked_bytes = bound(limit.rlim_cur);
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0)
		limits->file_bytes = bound(limit.rlim_cur);
	if (getrlimit(RLIMIT_AS, &limit) == 0)
		limits->address_bytes = bound(limit.rlim_cur);
}
