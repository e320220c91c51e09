/* installer/document.h - what a command says with --json
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"

/** Sets a member, (transfer full), of app->document, which is made if need be. */
void session_put(App *app, const char *name, json_t *value);
