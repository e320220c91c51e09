/* base/secret_private.h - what secret.c needs from the system; private to it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

/** Forbids other processes of this user to trace us or to read our memory; best effort. */
void secret_deny_tracing(void);
