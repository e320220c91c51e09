/* base/secret_macos.c - no tracing: ptrace(2)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/types.h>

#include <sys/ptrace.h>

#include "base/secret_private.h"

void secret_deny_tracing(void)
{
	(void)ptrace(PT_DENY_ATTACH, 0, 0, 0);
}
