/* payload/embedded.c - what travels inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/embedded.h"

#include "base/embed.h"

/* STACKS_ARCHIVE and DEFINITIONS_ARCHIVE are paths from the Makefile. */
EMBED_FILE(slipway_stacks, STACKS_ARCHIVE);
EMBED_FILE(slipway_definitions, DEFINITIONS_ARCHIVE);
EMBED_FILE(slipway_catalogue, "payload/catalogue.ini");

GBytes *embedded_stacks(void)
{
	return EMBED_BYTES(slipway_stacks);
}

GBytes *embedded_stack_definitions(void)
{
	return EMBED_BYTES(slipway_definitions);
}

GBytes *embedded_catalogue(void)
{
	return EMBED_BYTES(slipway_catalogue);
}
