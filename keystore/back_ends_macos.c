/* keystore/back_ends_macos.c - where secrets can be kept on macOS
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/back_end_private.h"

const BackEnd *const back_end_table[] = { &back_end_keychain, &back_end_file, NULL };
