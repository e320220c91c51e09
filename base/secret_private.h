/* base/secret_private.h - what secret.c needs from the system; private to it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

/** Forbids other processes of this user to trace us or to read our memory; best effort. */
void secret_deny_tracing(void);

/** Returns: whether other processes of this user can read our memory. */
bool secret_is_traceable(void);

/** Returns: (transfer none) (nullable): environ(7), which can be changed. */
char **secret_environment(void);
