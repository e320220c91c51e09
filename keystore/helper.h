/* keystore/helper.h - the child that talks to the system's keyring
 *
 * The libraries for that cannot be given a deadline, may wait for a dialog for ever, and write
 * warnings; so they are called in a process of its own, which can be killed: this program once more.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

/** The argument with which the program starts itself as the helper. */
#define HELPER_ARGUMENT "keyring-helper"

/** Returns: whether main() is to call keystore_helper_main(): the one argument is HELPER_ARGUMENT, and stdin
 *  is a socket. */
bool keystore_is_helper(int argc, char **argv);

/** Answers the requests (keystore/message.h) that come over stdin until it is closed; then the
 *  process ends, whatever it is waiting for.  secret_init() was called.
 *
 * Returns: the exit status of the process. */
int keystore_helper_main(void);
