/* installer/preflight_private.h - the parts of a stack's needs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/preflight.h"

/** Takes the names of the containers in @profile. */
void preflight_take_services(Preflight *preflight, const Stack *stack, const char *profile);

/** Takes which versions of git and Python the profile asks for. */
void preflight_take_tools(Preflight *preflight, const Stack *stack, const char *profile);

/** Takes the models that @profile loads, or could load in their place; services are taken before. */
void preflight_take_models(Preflight *preflight, const Stack *stack, const char *profile);
