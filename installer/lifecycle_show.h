/* installer/lifecycle_show.h - the services of a stack, for people and as JSON
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_services.h"

/** Prints a table of @services: state, ports or URL, role; placeholders say so. */
void show_services(const Lifecycle *life, const LifeProject *project, const GPtrArray *services);

/** Returns: (transfer full): an array of objects: service, container, state, is_well, image, image_id,
 *  ports, url, role, is_placeholder, exit_code. */
json_t *describe_services(const LifeProject *project, const GPtrArray *services);

/** Returns: (transfer full) (nullable): where a person looks at the service: scheme, host and port of
 *  its health URL, with "/" behind. */
char *service_url(const LifeProject *project, const LifeService *service);
