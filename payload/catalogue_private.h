/* payload/catalogue_private.h - the catalogue as it was read
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/ini.h"
#include "payload/catalogue.h"

/** One line of a tool in [on ...]. */
typedef struct {
	char *version;   /* (nullable): NULL, and no packages, for "-" */
	char **packages; /* never NULL */
} CatalogueChoice;

/** One [on DISTRIBUTION VERSION]. */
typedef struct {
	char *id;
	char *version;       /* (nullable): any */
	char *suite;         /* (nullable) */
	char **vendors;      /* who have a repository for it */
	GHashTable *choices; /* tool name -> GPtrArray of CatalogueChoice */
} CatalogueRelease;

struct Catalogue {
	GPtrArray *tools;
	IniFile *ini;
};

#define CATALOGUE_RELEASE_PREFIX "on "
