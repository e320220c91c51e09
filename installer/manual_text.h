/* installer/manual_text.h - what people are told about a command beyond its summary
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** One row for each command; those of a stack's life (up, stack new, ...) stand in manual_life_table[]. */
typedef struct {
	const char *name;     /* of the command */
	const char *details;  /* whole sentences; a paragraph ends with an empty line */
	const char *example;  /* lines as they are typed; "# " begins one that explains */
	const char *settings; /* names of the settings that matter to it, blanks between */
	const char *statuses; /* names of the exit statuses that it ends with, besides usage */
	const char *files;    /* names of rows of manual_file_table[] */
} ManualText;

extern const ManualText manual_text_table[];
extern const gsize manual_text_count;
extern const ManualText manual_life_table[];
extern const gsize manual_life_count;

/** Returns: (transfer none) (nullable): the row of that command. */
const ManualText *manual_text_find(const char *name);

/** A file or directory of the program. */
typedef struct {
	const char *name;
	const char *path;
	const char *meaning;
} ManualFile;

extern const ManualFile manual_file_table[];
extern const gsize manual_file_count;
