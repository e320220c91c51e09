/* installer/manual.h - the manual page
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"

/** Prints slipway(1) as mdoc(7) to stdout: commands, options, settings and exit statuses come from
 *  their tables. */
void manual_print(Term *term);
