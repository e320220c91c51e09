/* installer/lifecycle_trouble.h - which service is not well, and why
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_health.h"

/** Looks at what stands after a failed start: the first service that is not well, what its health check
 *  and its last lines say, and the likely cause.  Tells the user, and puts "trouble" into the document:
 *  service, state, exit_code, health, cause, log.  Says nothing when no service is to blame, or when
 *  the engine does not answer.  @answers: (nullable): what the health URLs said. */
void trouble_tell(const Lifecycle *life, const LifeProject *project, const GPtrArray *answers);

/** As trouble_tell(), of the service @name, whatever its state; nothing where it has no container. */
void trouble_tell_of(const Lifecycle *life, const LifeProject *project, const char *name);

/** Returns: (transfer none) (nullable): what a container most likely ended of.  @log: (element-type
 *  utf8): its last lines. */
const char *trouble_cause(int exit_code, bool is_out_of_memory, const GPtrArray *log);
