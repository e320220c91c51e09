/* installer/fix.h - what "slipway check --fix" can mend by itself
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check.h"
#include "installer/plan.h"

/** What a plan of fixes is made from; all (transfer none). */
typedef struct {
	const Facts *facts;
	const CheckNeeds *needs;
	const GPtrArray *findings; /* (element-type CheckFinding) */
	const Paths *paths;
	const json_t *receipt;
	bool is_user; /* root is ruled out: what needs it is left alone */
} FixRequest;

/**
 * Makes steps for what fails or warns on this machine and is safe to mend by itself: settings of the
 * kernel, the group docker, a link to a plugin, Docker Desktop's settings.  Each step has in its inputs,
 * as "checks", the ids of what it mends.
 *
 * Returns: (transfer full): the plan, which may have no step.
 */
Plan *fix_plan(const FixRequest *request);

/** Writes the definition that @plan's entry in the receipt names; the state lock is held. */
bool fix_write_definition(const Plan *plan, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (element-type CheckFinding) (transfer container): what fails or warns and no
 *  step of @plan that is due mends. */
GPtrArray *fix_left(const Plan *plan, const GPtrArray *findings);
