/* checks/facts.h - what a machine is, read once per run
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/http_reach.h"
#include "checks/facts_machine.h"

/** Schema number of the JSON form. */
#define FACTS_SCHEMA 1

/** Docker Desktop may be asleep, and take some seconds to answer. */
typedef struct {
	guint timeout_ms;               /* wait that long for it; 0: do not */
	void (*on_wait)(gpointer data); /* called before, on another thread */
	gpointer data;
} FactsWake;

typedef struct {
	const char *const *directories; /* (nullable): absolute paths the plan writes to */
	const guint16 *ports;
	gsize port_count;
	const char *const *urls;    /* (nullable): servers to ask; NULL: no connection is opened */
	guint network_timeout_ms;   /* for all of them together; 0: 2,000 */
	const char *const *secrets; /* (nullable): files that only their owner should read */
	bool are_tools_asked;       /* which tools are there */
	bool is_engine_asked;
	bool is_thorough; /* also what takes an engine long and seldom matters */
	FactsWake wake;
	bool is_keyring_asked;
	bool is_package_work_asked; /* who installs now, and what was left half done: takes some ms */
	const char *root;           /* (nullable): directory that stands for "/", for tests */
	char **environment;         /* (nullable): default: ours */
	guint timeout_ms;           /* for engine and keyring; 0: 1,000 */
} FactsRequest;

/** Reads the machine.  Changes nothing, runs no program, needs no privilege; blocks for what is asked of
 *  others until its timeout, else a few ms.  Cannot fail: what is not known is unknown. */
Facts *facts_read(const FactsRequest *request);

/** The same in two halves: an engine takes longest, and is asked while something else is done.
 *  @request: what says whom to ask counts; it has to stay.
 *  Returns: (transfer full): to be given to facts_end(). */
typedef struct FactsReading FactsReading;
FactsReading *facts_begin(const FactsRequest *request);

/** @reading: (transfer full).  @request: what else is read; an engine that was not asked before is not now.
 *  Returns: (transfer full): as facts_read(). */
Facts *facts_end(FactsReading *reading, const FactsRequest *request);

/** Waits for nobody. */
void facts_cancel(FactsReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FactsReading, facts_cancel)

/** Runs the compose plugin when no file says its version, unless somebody else could have put it there;
 *  blocks for 3 s at most. */
void facts_ask_compose(Facts *facts);

/** Runs the tools whose version no file says; blocks for 3 s each at most. */
void facts_ask_tools(Facts *facts);

/** Looks through the options that the kernel was built with: some 300 KiB. */
void facts_ask_kernel(Facts *facts);

/** Asks all @urls at once how far they can be reached, and adds them to the servers; blocks for
 *  @timeout_ms (0: 2,000) at most.  @watch: (nullable): with @data, hears how many are left. */
void facts_ask_servers(Facts *facts, const char *const *urls, guint timeout_ms,
                       HttpReachWatch watch, gpointer data);

/** Returns: (transfer full): facts of the graphics cards alone. */
Facts *facts_read_cards(void);

/** Asks for the memory of NVIDIA's cards, where @facts have its driver, and fills it in.  Runs nvidia-smi;
 *  blocks for 10 s at most. */
void facts_ask_cards(Facts *facts);

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

/** Returns: (transfer none) (nullable): the server that was asked for @url. */
const FactsServer *facts_server(const Facts *facts, const char *url);

/** Returns: (transfer full): the facts as a JSON object; what is unknown is null. */
json_t *facts_to_json(const Facts *facts);

/** Returns: (transfer full): what facts_to_json() wrote, read back; unknown members are passed
 *  over, absent ones are unknown; NULL with DATA (another schema, a wrong type) set. */
Facts *facts_from_json(const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;
