/* keystore/calibrate.h - how much work a new passphrase slot asks for on this machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/crypto.h"

/** Times scrypt once (about 0.1 s) and looks at the free memory.  Returns: a cost of about half a
 *  second, log2 N within 15 to 18. */
ScryptCost calibrate_cost(void);

/** The rule behind it.  @small_ms: time of log2 N = 15, p = 1.  @available_bytes: 0: unknown. */
ScryptCost calibrate_choose(guint64 small_ms, guint64 available_bytes);
