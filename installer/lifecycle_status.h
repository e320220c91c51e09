/* installer/lifecycle_status.h - how the services of a stack are now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_services.h"

/** What was found out about all projects of a stack. */
typedef struct {
	guint services, ill;        /* of compose projects */
	guint natives, natives_ill; /* that run without an engine */
	bool is_down; /* no container, and that is what the receipt says; no other runs */
} LifeSummary;

/**
 * Prints how the services are, and puts "native_services", "services" and "projects" into @shown: which
 * manager (installer/service.h) each of the first has, and whether it runs; for each project its engine,
 * whether it is down, the keys that were handed over and whether they are there, and the services that
 * were made anew since the installation or come from files that were changed since; of one with colours that
 * something was deployed to, "deployment": its state.json.
 *
 * @has_resources: asks for memory and processor time too, which takes two seconds.
 *
 * Returns: false with the errors of engine_get() set.
 */
bool life_status(const Lifecycle *life, bool has_resources, json_t *shown, LifeSummary *summary,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
