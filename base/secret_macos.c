/* base/secret_macos.c - no tracing: ptrace(2)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <crt_externs.h>
#include <sys/types.h>

#include <sys/ptrace.h>

#include "base/secret_private.h"

static bool is_denied;

void secret_deny_tracing(void)
{
	is_denied = ptrace(PT_DENY_ATTACH, 0, 0, 0) == 0;
}

/* The system does not say. */
bool secret_is_traceable(void)
{
	return !is_denied;
}

char **secret_environment(void)
{
	return *_NSGetEnviron();
}
