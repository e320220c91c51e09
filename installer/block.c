/* installer/block.c - a fenced block of lines in a file that is a person's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/block.h"

#include <string.h>

#define FENCE_FIRST "# >>> slipway %s >>>\n"
#define FENCE_LAST "# <<< slipway %s <<<\n"

char *block_new(const char *name, const char *lines)
{
	return g_strdup_printf(FENCE_FIRST "%s" FENCE_LAST, name, lines, name);
}

/* Returns: (nullable): where @line, with its line break, is a line of @text. */
static const char *find_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	while (found && found > text && found[-1] != '\n')
		found = strstr(found + 1, line);
	return found;
}

BlockState block_find(const char *text, const char *name, BlockPlace *place)
{
	g_autofree char *first = g_strdup_printf(FENCE_FIRST, name);
	g_autofree char *last = g_strdup_printf(FENCE_LAST, name);
	const char *start = find_line(text, first);
	const char *end = start ? find_line(start, last) : NULL;

	if (!start)
		return BLOCK_NONE;
	if (!end)
		return BLOCK_TORN;
	place->start = (gsize)(start - text);
	place->end = (gsize)(end - text) + strlen(last);
	return BLOCK_WHOLE;
}

char *block_put(const char *text, const BlockPlace *place, const char *block)
{
	if (!place)
		return g_strconcat(text, *text && !g_str_has_suffix(text, "\n") ? "\n" : "", block,
		                   NULL);

	g_autofree char *before = g_strndup(text, place->start);
	return g_strconcat(before, block, text + place->end, NULL);
}

char *block_take(const char *text, const BlockPlace *place, bool is_glued)
{
	bool is_last = text[place->end] == '\0';
	gsize glue = is_glued && is_last && place->start > 0 ? 1 : 0;
	g_autofree char *before = g_strndup(text, place->start - glue);

	return g_strconcat(before, text + place->end, NULL);
}
