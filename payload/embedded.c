/* payload/embedded.c - what travels inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/embedded.h"

/* .data, because it is the one section for data that every assembler names the same; a label that
 * is given here is the symbol on every system.  STACKS_ARCHIVE is a path from the Makefile. */
#define EMBED(name, path)                                           \
	__asm__(".data\n"                                           \
	        ".balign 16\n" #name "_start:\n"                    \
	        ".incbin \"" path "\"\n" #name "_end:\n"            \
	        ".byte 0\n"                                         \
	        ".text\n");                                         \
	extern const guint8 name##_start[] __asm__(#name "_start"); \
	extern const guint8 name##_end[] __asm__(#name "_end")

EMBED(slipway_stacks, STACKS_ARCHIVE);
EMBED(slipway_catalogue, "payload/catalogue.ini");

GBytes *embedded_stacks(void)
{
	return g_bytes_new_static(slipway_stacks_start,
	                          (gsize)(slipway_stacks_end - slipway_stacks_start));
}

GBytes *embedded_catalogue(void)
{
	return g_bytes_new_static(slipway_catalogue_start,
	                          (gsize)(slipway_catalogue_end - slipway_catalogue_start));
}
