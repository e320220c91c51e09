/* base/nearest.h - the word that somebody who mistyped one may have meant
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** The search for one word.  It starts as { .word = WORD }, and owns nothing. */
typedef struct {
	const char *word;
	const char *best; /* (nullable): the nearest candidate so far */
	gsize apart;      /* Levenshtein's distance to it, in letters; meaningless without one */
} Nearest;

/** Weighs @candidate, which must outlive @nearest.  It counts when at most a third of the letters of the
 *  longer word, rounded up, have to be changed; upper and lower case are the same letter. */
void nearest_try(Nearest *nearest, const char *candidate);

/** Returns: (transfer full): "; did you mean \"WORD\"?" for the end of a message, or "". */
char *nearest_hint(const Nearest *nearest);
