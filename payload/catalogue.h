/* payload/catalogue.h - what each package manager calls each tool
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** One [tool] of payload/catalogue.ini. */
typedef struct {
	char *name; /* "git", "python" */
	char *title;
	char **programs; /* names to look for, best first: "python3.13", "python3" */
	char **ask;      /* arguments that make it print its version: "--version" */
	char **needs_too; /* further arguments that must succeed: python "-c" "import venv, ensurepip" */
	char **files; /* of a tool that is no program (CA certificates): any one of them will do */
	GHashTable *packages; /* manager name -> char ** package names */
} CatalogueTool;

typedef struct Catalogue Catalogue;

/** Returns: (transfer none): the built-in catalogue, parsed once; a fault in it is a bug (abort). */
const Catalogue *catalogue_get(void);

/** Returns: (transfer none) (nullable): that tool. */
const CatalogueTool *catalogue_find(const Catalogue *catalogue, const char *name);

/** Returns: (transfer none) (element-type CatalogueTool): all of them. */
const GPtrArray *catalogue_tools(const Catalogue *catalogue);

/** Returns: (transfer none) (nullable): what @manager ("apt", "dnf", …) calls it; NULL when it has no
 *  package for it. */
const char *const *catalogue_packages(const CatalogueTool *tool, const char *manager);
