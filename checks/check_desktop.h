/* checks/check_desktop.h - what the judges of Docker Desktop share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check_remedy.h"

/** Adds a finding where there are no settings to judge.  Returns: (transfer none) (nullable): NULL when
 *  they have been read. */
CheckFinding *desktop_add_unread(CheckRun *run);
