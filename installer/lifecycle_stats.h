/* installer/lifecycle_stats.h - what containers use
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_services.h"

/** What one container uses; zeros when it is not known. */
typedef struct {
	guint64 memory_bytes; /* without what the kernel could drop at once */
	guint64 limit_bytes;  /* the machine's memory where there is no limit */
	double cpu_percent;   /* of one processor */
	guint64 processes;
	bool is_known;
} LifeStats;

/** Asks for all of @services that run, side by side; about two seconds, in which the engine measures.
 *  Returns: (transfer full): one for each of @services. */
LifeStats *stats_ask(const char *engine, const GPtrArray *services);

/** Reads the engine's answer to /containers/ID/stats. */
LifeStats stats_parse(const json_t *answer);
