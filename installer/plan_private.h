/* installer/plan_private.h - the parts of the planner
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/plan.h"

/**
 * Makes the one step for all tools of @profile, because a package manager knows one transaction.
 * Programs are asked only when what the receipt says of them (@record, (nullable)) no longer holds.
 *
 * Returns: (transfer full): the step; or NULL with CONFIG (a tool that the catalogue does not know) or
 * UNAVAILABLE (no package manager has it) set.
 */
Step *plan_build_packages(const PlanRequest *request, const char *profile, const json_t *record,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the step that adds the vendor's repository which @packages come
 *  from; NULL when they need none, or it is there already. */
Step *plan_build_repository(const PlanRequest *request, const Step *packages);

/** Reads the definition's [test NAME] sections that belong to @profile.  Returns: (transfer full): an
 *  array of objects: name, title, needs, timeout_s, expect, and argv, with service or without, or url; NULL
 *  with CONFIG set. */
json_t *plan_tests(const Stack *stack, const char *profile, const json_t *vars,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes @step wait for the packages, if it does not yet. */
void plan_wait_for_packages(Step *step);
