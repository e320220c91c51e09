/* keystore/back_ends_linux.c - where secrets can be kept on Linux
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/back_end_private.h"

const BackEnd *const back_end_table[] = { &back_end_secret_service, &back_end_file, NULL };
