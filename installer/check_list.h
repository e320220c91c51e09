/* installer/check_list.h - the table of checks, for people and for programs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"

/** Shows the checks, or those of @words: ids or patterns, NULL-terminated. */
void check_list(App *app, const char *const *words);

/** Sets USAGE: there is no check @word; names the one that looks most like it. */
void check_set_unknown(const char *word, GError **error);
