/* payload/embedded.c - what travels inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/embedded.h"

#include <string.h>

#include "base/embed.h"

/* STACKS_ARCHIVE is a path from the Makefile. */
EMBED_FILE(slipway_stacks, STACKS_ARCHIVE);
EMBED_FILE(slipway_buttercup, "payload/stacks/buttercup/stack.ini");
EMBED_FILE(slipway_localagent, "payload/stacks/localagent/stack.ini");
EMBED_FILE(slipway_octollm, "payload/stacks/octollm/stack.ini");
EMBED_FILE(slipway_catalogue, "payload/catalogue.ini");

GBytes *embedded_stacks(void)
{
	return EMBED_BYTES(slipway_stacks);
}

const char *const embedded_stack_names[] = { "buttercup", "localagent", "octollm", NULL };

GBytes *embedded_stack_ini(const char *name)
{
	if (strcmp(name, "buttercup") == 0)
		return EMBED_BYTES(slipway_buttercup);
	if (strcmp(name, "localagent") == 0)
		return EMBED_BYTES(slipway_localagent);
	if (strcmp(name, "octollm") == 0)
		return EMBED_BYTES(slipway_octollm);
	return NULL;
}

GBytes *embedded_catalogue(void)
{
	return EMBED_BYTES(slipway_catalogue);
}
