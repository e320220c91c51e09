/* installer/step_file.h - the kinds that are one file, compared three ways
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/** The functions of such a kind, for StepKind; its text comes from render() or a member. */
bool step_file_probe(const StepRun *run, Probe *probe, GError **error);
json_t *step_file_prepare(const StepRun *run, GError **error);
json_t *step_file_apply(const StepRun *run, GError **error);

/** Puts @bytes in the place of @path: in a marked directory beside it first, so that a kill leaves nothing
 *  without an owner; the recipe has to remove recipe_stage(). */
bool step_file_write_staged(const StepRun *run, const char *path, GBytes *bytes, mode_t mode,
                            GError **error);
