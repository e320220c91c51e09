/* keystore/memory.h - how much memory may be asked for
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Returns: bytes that are free now, within the limit of our control group; 0 when unknown. */
guint64 memory_available(void);
