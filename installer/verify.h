/* installer/verify.h - does what was installed work
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/txn.h"

/**
 * Runs the tests of the stack ([test NAME] of its definition) whose steps are all done: each is a
 * command that has to end with status 0.
 *
 * Returns: false with UNVERIFIED (the message names the test and has the end of its output) or a
 * cancellation set.
 */
bool verify_stack(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Where containers that the run started are why it failed, with @cause, tells the user which service is
 *  not well: trouble_tell().  Before they are taken back. */
void verify_tell_trouble(const Txn *txn, const GError *cause);
