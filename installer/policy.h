/* installer/policy.h - what the settings allow a plan to do
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "installer/plan.h"

/**
 * Holds @plan, probed, against the settings: "user" rules root out (what needs it is put off under
 * "defer"), "reversible-only" what cannot be taken back, and with "yes" that has to be accepted by
 * "accept=irreversible".
 *
 * And it must be possible at all to run what needs root.
 *
 * Returns: false with DENIED, USAGE (needs --accept) or CONFIG set; the message names each step.
 */
bool policy_apply(const App *app, Plan *plan, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer container) (element-type utf8): the lines that are due in @plan and need root, with a
 *  NULL behind them; they belong to @plan. */
GPtrArray *policy_root_commands(const Plan *plan);

/** Returns: (transfer full): a shell script with what is due in @plan and needs root. */
char *policy_root_script(const Plan *plan);
