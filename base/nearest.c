/* base/nearest.c - the word that somebody who mistyped one may have meant
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/nearest.h"

#include <string.h>

#define LETTERS_MAX 63

/* Levenshtein's distance, one row at a time. */
static gsize distance(const char *a, const char *b)
{
	gsize row[LETTERS_MAX + 1];
	gsize length = strlen(b);

	for (gsize j = 0; j <= length; j++)
		row[j] = j;
	for (gsize i = 0; a[i] != '\0'; i++) {
		gsize diagonal = row[0];

		row[0] = i + 1;
		for (gsize j = 0; j < length; j++) {
			gsize change = diagonal + (g_ascii_tolower(a[i]) != g_ascii_tolower(b[j]));

			diagonal = row[j + 1];
			row[j + 1] = MIN(change, MIN(row[j], row[j + 1]) + 1);
		}
	}
	return row[length];
}

void nearest_try(Nearest *nearest, const char *candidate)
{
	gsize longer = MAX(strlen(nearest->word), strlen(candidate));
	gsize apart;

	if (longer > LETTERS_MAX)
		return;

	apart = distance(nearest->word, candidate);
	if (apart > (longer + 2) / 3 || (nearest->best != NULL && apart >= nearest->apart))
		return;

	nearest->best = candidate;
	nearest->apart = apart;
}

char *nearest_hint(const Nearest *nearest)
{
	return nearest->best != NULL ? g_strdup_printf("; did you mean \"%s\"?", nearest->best)
	                             : g_strdup("");
}
