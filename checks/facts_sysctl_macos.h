/* checks/facts_sysctl_macos.h - values that the kernel of macOS has by name
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Returns: the number; FACTS_UNKNOWN when there is no such name. */
guint64 sysctl_number(const char *name);

/** Returns: (transfer full) (nullable): the text. */
char *sysctl_text(const char *name);
