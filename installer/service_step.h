/* installer/service_step.h - the part of a step that is a service: its file, its link, its life
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/**
 * Adds to @recipe, before the parts that change the service's program, how it comes back to life:
 * the last thing that an undo does.
 */
void service_step_begin(const StepRun *run, const json_t *service, json_t *recipe);

/** Adds, behind those parts, how its file and link go away, and that it is stopped first.
 *  Returns: false with CANNOT_CREATE (somebody else has such a file) or an error of reading it set. */
bool service_step_end(const StepRun *run, const json_t *service, json_t *recipe,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Writes file and link, three ways as every file of ours, then starts the service anew.
 *
 * Returns: (transfer full): for the receipt: an object with "service", "file" and "note"; or NULL
 * with an error set.
 */
json_t *service_step_apply(const StepRun *run, const json_t *service,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
