/* base/embed.h - files of the tree inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Puts the bytes of @path, a string literal that is relative to the top of the tree, into the
 *  program, followed by a NUL: NAME_start, NAME_end.  In .data, because it is the one section for
 *  data that every assembler names the same; a label that is given here is the symbol on every
 *  system.  The Makefile has to say that the object depends on @path. */
#define EMBED_FILE(name, path)                                                      \
	__asm__(".data\n"                                                           \
	        ".balign 16\n" #name "_start:\n"                                    \
	        ".incbin \"" path "\"\n" #name "_end:\n"                            \
	        ".byte 0\n"                                                         \
	        ".text\n");                                                         \
	extern const guint8 G_GNUC_INTERNAL name##_start[] __asm__(#name "_start"); \
	extern const guint8 G_GNUC_INTERNAL name##_end[] __asm__(#name "_end")

/** Returns: (transfer full): GBytes of an EMBED_FILE(). */
#define EMBED_BYTES(name) g_bytes_new_static(name##_start, (gsize)(name##_end - name##_start))
