/* checks/facts_directory.h - what only the system says of a directory
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_private.h"

/** Fills file_system, is_noexec, is_case_blind, keeps_modes and quota_bytes, as far as they can be known. */
void directory_read_system(FactsDirectory *directory);
