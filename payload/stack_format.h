/* payload/stack_format.h - the format of stack.ini, described
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <jansson.h>

/**
 * Describes what a stack.ini may have, from the table that it is read with.
 *
 * Returns: (transfer full): an array of sections in order, each an object with "name", "forms" (an
 * array: "[needs]", "[needs PROFILE]"), "about", "rest" (absent where there is none) and "keys", an
 * array of objects with "name", "required" and "about".
 */
json_t *stack_format(void);
