/* installer/check_fix.h - "slipway check --fix"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "installer/findings.h"
#include "installer/fix.h"

/** How far it goes. */
typedef enum {
	FIX_APPLY,
	FIX_SHOW,   /* --dry-run: the plan alone */
	FIX_SCRIPT, /* --print-root-script: what root would run */
} FixMode;

/**
 * Shows what can be mended of @findings by itself, and does it when it is confirmed, as one transaction.
 * Puts "fixes", "left" and "changed" into app->document.
 *
 * @is_changed: set when something was changed: the machine is to be judged anew.
 * Returns: false with an error set: USAGE (nobody can be asked, and there is no --yes), FAILED (the answer
 * was no), those of session_run().
 */
bool check_fix(App *app, const CheckNeeds *needs, const FindingsReport *report, FixMode mode,
               bool *is_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes back all that it mended; nothing is not an error. */
bool check_fix_undo(App *app, GError **error) G_GNUC_WARN_UNUSED_RESULT;
