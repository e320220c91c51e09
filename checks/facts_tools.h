/* checks/facts_tools.h - versions of tools that a stack names, and options of the kernel
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Fills tools: which programs there are, and their versions where a file says them (a link's target, the
 *  package database).  Runs nothing. */
void facts_read_tools(const FactsSource *source, FactsTools *tools);

/** Returns: (transfer full): which options that engines need the text of a kernel's configuration has not,
 *  space between. */
char *kernel_config_lacks(const char *text);
