/* installer/deploy.h - a new version takes the place of the old one, without a pause, or is taken back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/deploy_order.h"

/**
 * Does what @order says: loads the image; keeps the data; starts the other colour and tries it; leads the
 * traffic to it step by step; makes the state say so, which is the point of no return; stops the old one.
 * The lock is held.  Killed at any moment, deploy_recover() goes on.
 *
 * After a failure before that point all traffic is with the old colour, as it was, and the new one is stopped:
 * false with FAILED, or the status of a signal, of a full disk or of a missing right; INCOMPLETE when taking it
 * back failed, or was not wanted.  A failure before anything was begun has a status of its own (UNAVAILABLE:
 * the image cannot be had).  What came of it is in the document as "deployment", in the audit log and a report.
 */
bool deploy_run(Deploy *it, const DeployOrder *order, GError **error) G_GNUC_WARN_UNUSED_RESULT;
