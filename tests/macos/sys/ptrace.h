/* tests/macos/sys/ptrace.h - what ptrace(2) of macOS documents, for the type check
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#define PT_DENY_ATTACH 31

int ptrace(int request, pid_t pid, caddr_t addr, int data);
