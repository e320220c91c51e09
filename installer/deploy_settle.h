/* installer/deploy_settle.h - weights, files and containers become what the state says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/deploy_look.h"

/** Brings everything to the state: all traffic to the active colour, the files that say so, the other colour
 *  stopped once it has answered what it had.  It takes a deployment back before its commit, and ends it behind it;
 *  done again after a kill at any moment.  Returns: false with the error of the first part that failed set. */
bool deploy_settle(Deploy *it, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes the state say that nothing is under way: the last thing, behind what is written of it. */
bool deploy_end(Deploy *it, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Ends a deployment that did not come to its end: weights, files and containers become what the state says.
 *  @was_committed: set to whether the new version stays.  Without one there is nothing to do.  Returns: false
 *  with INCOMPLETE set. */
bool deploy_recover(Deploy *it, bool *was_committed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes the receipt say what runs now.  Returns: false with the errors of compose_ask() or of the receipt
 *  set. */
bool deploy_tell_receipt(Deploy *it, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads the state again after a change of it that may not have been written. */
void deploy_reread(Deploy *it);

/** Returns: (transfer full): what the audit log has of each run: id, time, actor, host, action, from, to, image,
 *  digest, result. */
json_t *deploy_describe_run(const char *id, const char *action, guint from,
                            const DeployColour *colour, const char *result);
