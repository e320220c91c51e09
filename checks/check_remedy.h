/* checks/check_remedy.h - what to do, for each kind of engine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check_private.h"
#include "checks/facts_flavour.h"

typedef enum { ENGINE_MEMORY, ENGINE_CPUS, ENGINE_DISK, ENGINE_SWAP } EngineSize;

/** Returns: (transfer full): a sentence that says how to start the engine. */
char *remedy_start(const Facts *facts);

/** Returns: (transfer full) (nullable): a sentence that says how to give the engine @amount, in bytes or
 *  CPUs; NULL where that is the machine's own size. */
char *remedy_size(const Facts *facts, EngineSize size, guint64 amount);

/** Returns: (transfer full): a sentence that says how to add @setting, one of daemon.json. */
char *remedy_daemon(const Facts *facts, const char *setting);

/** Returns: (transfer full): a sentence that says how to get a newer engine. */
char *remedy_update(const Facts *facts);
