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
