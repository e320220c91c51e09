/* payload/embedded.h - what travels inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Returns: (transfer full): the archive of all stacks, tar with zstd, NAME/stack.ini and more. */
GBytes *embedded_stacks(void);

/** Returns: (transfer full): as embedded_stacks(), each NAME/stack.ini alone. */
GBytes *embedded_stack_definitions(void);

/** Returns: (transfer full): payload/catalogue.ini. */
GBytes *embedded_catalogue(void);
