/* checks/facts_wsl.h - Windows, as WSL 2 shows it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Returns: (transfer full): "C:\Users\ana" as "/mnt/c/Users/ana"; any other text as it is. */
char *wsl_path(const char *path);

/** Returns: (transfer full) (nullable): the home directory of the Windows user; NULL when that could be
 *  several. */
char *wsl_windows_home(const FactsSource *source);

/** Reads .wslconfig.  @windows: (nullable): as of wsl_windows_home(). */
void facts_read_wsl(const FactsSource *source, const char *windows, FactsWsl *wsl);
