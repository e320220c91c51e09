/* payload/embedded.h - what travels inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Returns: (transfer full): the archive of all stacks, tar with zstd, NAME/stack.ini and more. */
GBytes *embedded_stacks(void);

/** Names of the stacks, sorted, NULL-terminated. */
extern const char *const embedded_stack_names[];

/** Returns: (transfer full) (nullable): NAME/stack.ini, which most commands read alone, and at once. */
GBytes *embedded_stack_ini(const char *name);

/** Returns: (transfer full): payload/catalogue.ini. */
GBytes *embedded_catalogue(void);
