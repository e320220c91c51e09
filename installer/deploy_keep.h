/* installer/deploy_keep.h - what is kept of a stack before something is deployed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/deploy_look.h"

/** Returns: (transfer full): the directory of the backup of a deployment. */
char *deploy_backup_path(const Deploy *it, const char *id);

/** Keeps the volumes that the definition names, as "slipway restore" takes them, and in "definition" below them
 *  the compose files, the env files, the proxy's file, state.json, and what the engine says of both colours.
 *  The services go on.  Returns: false with the errors of backup_write(), or of a file, set. */
bool deploy_backup(const Deploy *it, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes the backups that are older than the tunables say; the newest one stays. */
void deploy_prune(const Deploy *it);
