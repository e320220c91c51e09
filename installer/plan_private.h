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

/** Returns: (transfer full) (nullable): the step that puts --bin on the PATH of the user's shell, where
 *  --add-to-path asks for it and a command goes there, or an earlier run did so (@record, (nullable)). */
Step *plan_build_shell_path(const Plan *plan, const PlanRequest *request, const json_t *record);

/** Reads the definition's [test NAME] sections that belong to @profile.  Returns: (transfer full): an
 *  array of objects: name, title, needs, timeout_s, expect, and argv, with service or without, or url; NULL
 *  with CONFIG set. */
json_t *plan_tests(const Stack *stack, const char *profile, const json_t *vars,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the name of a key in StepKind.keys, without the signs of what it is. */
const char *plan_key_name(const char *text);

/** Returns: (transfer none): the value that --set gives for @key, the last one, or @fallback. */
const char *plan_override(const Settings *settings, const char *key, const char *fallback);

/** Returns: whether @stack has each KEY of --set; false with USAGE set. */
bool plan_check_overrides(const Settings *settings, const Stack *stack, GError **error);

/** Returns: (transfer full): the first place where @url is to be asked for; the others are noted in
 *  @inputs, for step_places(). */
char *plan_mirror(const Settings *settings, json_t *inputs, const char *url);

/**
 * Chooses the ports of @plan's profile: those of an earlier installation; else the definition's, or,
 * where one of them is taken or belongs to another installed stack, all of them moved by one distance,
 * if templates of the stack say all of them.  Puts "port_NAME" into @vars, fills plan->ports and, for
 * moved ones, plan->clash.
 */
void plan_ports(const PlanRequest *request, Plan *plan, json_t *vars);

/** Gives a step of kind "key" the size that the [key NAME] of @stack says, unless it has its own. */
void plan_key_size(const Stack *stack, json_t *inputs);

/** Adds @step, (transfer full), with what the receipt says of it. */
void plan_add_item(Plan *plan, Step *step);

/** Makes @step wait for the one called @id, if it does not yet. */
void plan_wait_for(Step *step, const char *id);

/**
 * Has the compose projects of the receipt gone on with: a step of @plan with another id or other files
 * takes over what is recorded ("replaces", "earlier" of its inputs); a project that @plan has no step of
 * gets one that stops it ("is_retired").
 */
void plan_settle_projects(Plan *plan);
