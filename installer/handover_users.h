/* installer/handover_users.h - the services that a key was handed over to
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"

/** Tells the user which services of installed stacks still have the value that the key @name had
 *  before, and how they get the new one; says nothing where there is none.  They are added to
 *  "recreate" in app->document, an array of objects with "stack" and "services". */
void handover_tell_users(App *app, const char *name);
