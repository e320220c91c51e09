/* installer/package_said.h - what a command of a package manager came to, and why it failed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/package_manager.h"

/** Returns: what @result means: from the exit status, else from words on stderr or stdout; some say
 *  why on stdout alone. */
PackageVerdict package_said_verdict(const PackageManager *manager, const ProcessResult *result);

/** Sets @error for a @result that is a failure: the line that decided on the verdict, and the last
 *  lines that say something.  UNTRUSTED, BUSY or UNAVAILABLE. */
void package_said_fault(GError **error, const PackageManager *manager, const char *program,
                        const ProcessResult *result);
