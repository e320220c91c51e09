/* checks/facts.h - what a machine is, read once per run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "checks/facts_machine.h"

/** Schema number of the JSON form. */
#define FACTS_SCHEMA 1

typedef struct {
	const char *const *directories; /* (nullable): absolute paths the plan writes to */
	const guint16 *ports;
	gsize port_count;
	bool is_engine_asked;
	bool is_keyring_asked;
	const char *root;   /* (nullable): directory that stands for "/", for tests */
	char **environment; /* (nullable): default: ours */
	guint timeout_ms;   /* for engine and keyring; 0: 1,000 */
} FactsRequest;

/** Reads the machine.  Changes nothing, runs no program, needs no privilege; blocks for timeout_ms
 *  at most, a few ms where no engine answers slowly.  Cannot fail: what is not known is unknown. */
Facts *facts_read(const FactsRequest *request);

/** Returns: (transfer full): facts in which everything is unknown. */
Facts *facts_new(void);
void facts_free(Facts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Facts, facts_free)

/** Resolves the endpoint of the engine as the docker program does: reads files, and looks which socket
 *  somebody listens on; asks nobody.
 *  Returns: (transfer full) (nullable): "unix:///…", "tcp://…"; NULL for a context without one. */
char *facts_engine_endpoint(void);

/** Returns: (transfer none) (nullable): the facts of @path, else of its nearest ancestor that
 *  the facts hold. */
const FactsDirectory *facts_directory(const Facts *facts, const char *path);

/** Returns: (transfer none) (nullable) */
const FactsPort *facts_port(const Facts *facts, guint64 number);

/** Returns: (transfer full): the facts as a JSON object; what is unknown is null. */
json_t *facts_to_json(const Facts *facts);

/** Returns: (transfer full): what facts_to_json() wrote, read back; unknown members are passed
 *  over, absent ones are unknown; NULL with DATA (another schema, a wrong type) set. */
Facts *facts_from_json(const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;
