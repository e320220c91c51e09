/* checks/facts_endpoint.h - which engine the docker program would talk to
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_client.h"

typedef struct {
	char *url;    /* (nullable): "unix:///…", "tcp://…"; NULL for a context without one */
	char *source; /* why this one: "DOCKER_HOST", "context NAME", "default", "found" */
	char *why;    /* (nullable): why there is no URL */
} Endpoint;

/** DOCKER_HOST before DOCKER_CONTEXT before currentContext before the default socket; where nothing
 *  is configured and the default socket is dead, a usual one that is alive.  @endpoint: filled;
 *  clear with endpoint_clear(). */
void endpoint_resolve(const FactsSource *source, const DockerConfig *config, Endpoint *endpoint);
void endpoint_clear(Endpoint *endpoint);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Endpoint, endpoint_clear)

/** Returns: (transfer full) (nullable): further sockets that an engine listens on, space between; not
 *  that of @url under another name. */
char *endpoint_others(const FactsSource *source, const char *url);
