/* installer/lifecycle_health.h - services asked as their users would
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_services.h"

/** What the health URL of one service says. */
typedef struct {
	char *service;
	char *url;
	bool is_good; /* HTTP status 200 */
	char *why;    /* (nullable): of one that is not */
} HealthAnswer;

/** Asks the health URLs of all @services that have one and run, side by side, again and again for
 *  @wait_ms until each answers well; 0 asks once.  Blocks.
 *  Returns: (transfer full) (element-type HealthAnswer): in the order of @services. */
GPtrArray *health_ask(const LifeProject *project, const GPtrArray *services, guint wait_ms);

/** Returns: (transfer none) (nullable): the first answer that is not good. */
const HealthAnswer *health_first_bad(const GPtrArray *answers);
