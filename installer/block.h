/* installer/block.h - a fenced block of lines in a file that is a person's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
	BLOCK_NONE,
	BLOCK_WHOLE,
	BLOCK_TORN, /* it begins and does not end: nobody can say what is ours */
} BlockState;

/** Where the block stands in a text: its fences and their line breaks are part of it. */
typedef struct {
	gsize start;
	gsize end;
} BlockPlace;

/** Returns: (transfer full): the block @name with @lines, each ended by a line break, in it. */
char *block_new(const char *name, const char *lines);

/** Looks for the block @name.  @place: (out): set for BLOCK_WHOLE. */
BlockState block_find(const char *text, const char *name, BlockPlace *place);

/** Returns: (transfer full): @text with @block at @place, or, with NULL, behind all else, on a line of
 *  its own. */
char *block_put(const char *text, const BlockPlace *place, const char *block);

/** Returns: (transfer full): @text without what is at @place; @is_glued: its writer had to end the line
 *  before it, which is undone too where nothing follows. */
char *block_take(const char *text, const BlockPlace *place, bool is_glued);
