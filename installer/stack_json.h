/* installer/stack_json.h - a stack's definition, for programs and for people
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"
#include "base/term.h"
#include "payload/stacks.h"

/** Returns: (transfer full): an object with identity, needs, tools, keys (never values), ports,
 *  services, profiles, steps and models. */
json_t *stack_to_json(const StackBundle *bundle);

/** Prints the same, for people. */
void stack_show(Term *term, const StackBundle *bundle);
