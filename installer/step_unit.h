/* installer/step_unit.h - a command of ours that runs when the machine starts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/step.h"

/** Adds to the inputs of a step of kind "unit" what the planner knows: "path", where systemd looks
 *  for units of root or of this user, "systemd", whether it is what runs this machine, and
 *  "key_profile". */
void step_unit_place(json_t *inputs, const char *key_profile);
