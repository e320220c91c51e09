/* installer/drift.h - what became of the things that a receipt records
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/**
 * Compares the machine with @entry, a stack of the receipt.  Reads only.
 *
 * @host: (nullable): without it keys cannot be asked for.
 * @is_deep: reads every file of the trees that steps made, too.
 *
 * Returns: (transfer full): an array, a step an object: id, text, state ("ok", "missing", "changed",
 * "replaced", "edited", "unknown"), path where there is one; and for a tree of which something is not
 * as it was made, arrays of at most 20 names: changed, added, missing.
 */
json_t *drift_report(const json_t *entry, const StepHost *host, bool is_deep);

/** Returns: whether every step of a report is "ok". */
bool drift_is_clean(const json_t *report);
