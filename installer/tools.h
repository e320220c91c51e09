/* installer/tools.h - does a tool of the catalogue answer, and is it new enough
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "payload/catalogue.h"

/**
 * Finds the first program of @tool that prints a version of at least @minimum and passes what it
 * needs too; for a tool of files, the first file that exists.  Runs programs, at most 10 s each.
 *
 * @minimum: (nullable): any version.
 * @program, @version: (out) (optional) (transfer full): set on success; @version is NULL for files.
 *
 * Returns: false with UNAVAILABLE set: "git is not there", "python 3.9.2 is older than 3.11",
 * "python3 -c ... fails", or a cancellation.
 */
bool tools_probe(const CatalogueTool *tool, const char *minimum, char **program, char **version,
                 GError **why);

/** One question of tools_probe_all(), and its answer. */
typedef struct {
	const CatalogueTool *tool;
	const char *minimum; /* (nullable) */
	char *program;       /* (transfer full) (nullable): NULL when it does not answer */
	char *version;       /* (transfer full) (nullable) */
	GError *why;         /* (transfer full) (nullable) */
} ToolQuery;

/** Asks all of them at once, a thread for each.  Returns: whether all answer. */
bool tools_probe_all(ToolQuery *queries, gsize count);
void tools_clear(ToolQuery *queries, gsize count);

/** Returns: (transfer full) (nullable): the first dotted number in @text, else the first number:
 *  "2.39.5" of "git version 2.39.5". */
char *tools_find_version(const char *text);

/** Returns: (transfer full) (nullable): what tells that the file at @path, symlinks followed, was
 *  replaced: size, inode and times. */
char *tools_stamp(const char *path);
