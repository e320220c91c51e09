/* checks/facts_engine.h - asking the container engine, and what its answers mean
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_endpoint.h"

/** Where an engine's API is. */
typedef struct {
	const char *base;   /* "http://localhost" */
	const char *socket; /* (nullable): absolute path */
} EngineAddress;

/** Resolves nothing: asks the engine at @endpoint; blocks until the deadline at most, and wake->ms
 *  longer where Docker Desktop seems asleep. */
void facts_read_engine(const FactsSource *source, const FactsWake *wake, const Endpoint *endpoint,
                       FactsEngine *engine);

/** GETs from an engine before the deadline.
 *  @refusal: (transfer full) (nullable): set to its own words when it refuses.
 *  Returns: (transfer full): a JSON object or array; NULL with an error of http_stream(), or DATA, set. */
json_t *engine_ask(const FactsSource *source, const EngineAddress *address, const char *path,
                   char **refusal, GError **error);

/** Takes what /info and /version say; members of a wrong type are unknown. */
void engine_take_info(const json_t *info, FactsEngine *engine);
void engine_take_version(const json_t *version, FactsEngine *engine);

/** What is asked once the engine has answered: the disk that it lies on, and who has the ports. */
void facts_read_engine_rest(const FactsSource *source, Facts *facts);

/** Fills socket_gid, is_in_group and is_group_listed.  @path: of the socket. */
void facts_read_socket_group(const FactsSource *source, const char *path, FactsEngine *engine);

/** Returns: (transfer full) (nullable): @url with its user name and password taken out. */
char *url_without_password(const char *url);
