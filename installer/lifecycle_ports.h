/* installer/lifecycle_ports.h - are the ports of a project free, or its own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_services.h"

/** Looks at every port of the definition's profile that none of @services has already.  Returns: false
 *  with FAILED set for the first that is taken; the message says by whom, as far as the engine knows. */
bool ports_check(const Lifecycle *life, const LifeProject *project, const GPtrArray *services,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
