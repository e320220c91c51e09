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

/** What an engine is, asked and not answered yet. */
typedef struct EngineQuestion EngineQuestion;

/** Resolves nothing: asks the engine at @endpoint, without waiting for the answer.
 *  Returns: (transfer full) (nullable): to be given to engine_end(); NULL where there is nobody to ask. */
EngineQuestion *engine_begin(const FactsSource *source, const Endpoint *endpoint,
                             FactsEngine *engine);

/** Waits for the answer, until the deadline at most, and wake->timeout_ms longer where Docker Desktop seems
 *  asleep.  @question: (transfer full) (nullable) */
void engine_end(EngineQuestion *question, const FactsSource *source, const FactsWake *wake,
                const Endpoint *endpoint, FactsEngine *engine);

/** Nobody waits for the answer.  @question: (transfer full) (nullable) */
void engine_drop(EngineQuestion *question);

/** GETs from an engine before the deadline.
 *  Returns: (transfer full) (nullable): a JSON object or array; NULL where there was none. */
json_t *engine_ask(const FactsSource *source, const EngineAddress *address, const char *path);

/** Takes what /info and /version say; members of a wrong type are unknown. */
void engine_take_info(const json_t *info, FactsEngine *engine);
void engine_take_version(const json_t *version, FactsEngine *engine);

/** What is asked once the engine has answered: the disk that it lies on, and who has the ports. */
void facts_read_engine_rest(const FactsSource *source, Facts *facts);

/** Fills socket_gid, is_in_group and is_group_listed.  @path: of the socket. */
void facts_read_socket_group(const FactsSource *source, const char *path, FactsEngine *engine);

/** Returns: (transfer full) (nullable): @url with its user name and password taken out. */
char *url_without_password(const char *url);
