/* installer/fix_private.h - the parts of a plan of fixes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/fix.h"

/** Returns: whether a finding of the check @id fails or warns. */
bool fix_is_unmet(const GPtrArray *findings, const char *id);

/**
 * Makes a step of the plan.
 *
 * @checks: ids, with blanks between.  @text: (transfer full).  @inputs: (transfer full).
 * Returns: (transfer full): the step; commands are for the caller to set.
 */
Step *fix_step_new(const StepKind *kind, const char *id, const char *checks, char *text,
                   json_t *inputs);

/** Returns: (transfer full) (nullable): the step that changes Docker Desktop's settings. */
Step *fix_desktop(const FixRequest *request);
