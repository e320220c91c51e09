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
	GHashTable *packages;   /* manager name -> char ** package names */
	char *vendor;           /* (nullable): whose own repository has it too: "docker" */
	char **vendor_packages; /* what it is called there */
} CatalogueTool;

/** A machine, as os-release and its programs tell.  All (nullable). */
typedef struct {
	const char *manager; /* "apt", "dnf5", … */
	const char *id;      /* ID */
	const char *id_like; /* ID_LIKE */
	const char *version; /* VERSION_ID */
} CatalogueSystem;

/** What a machine can be given for a tool. */
typedef struct {
	const char *const *packages; /* (nullable) */
	const char
		*version; /* (nullable): at least that is in them, as far as the catalogue knows */
	const char *vendor; /* (nullable): from that repository, which has to be added first */
} CatalogueOffer;

typedef struct Catalogue Catalogue;

/** Returns: (transfer none): the built-in catalogue, parsed once; a fault in it is a bug (abort). */
const Catalogue *catalogue_get(void);

/** Returns: (transfer full): the programs that show that the tool @name is there; none for a stranger.  In a hundredth
 *  of the time of catalogue_get(). */
char **catalogue_programs(const char *name);

/** Returns: (transfer none) (nullable): that tool. */
const CatalogueTool *catalogue_find(const Catalogue *catalogue, const char *name);

/** Returns: (transfer none) (element-type CatalogueTool): all of them. */
const GPtrArray *catalogue_tools(const Catalogue *catalogue);

/**
 * Finds the packages that bring at least @minimum: of what the distribution's release has, in the
 * order of [on ...], the first that is new enough; else the vendor's, where the vendor has a
 * repository for that release.  A release that the catalogue does not know has what its manager's
 * key says, in a version that only installing it tells.
 *
 * @minimum: (nullable): any version.
 * @offer: (out): borrowed from @catalogue.
 *
 * Returns: false when there is nothing new enough; @offer then has the best version that there is
 * (nullable), and no packages.
 */
bool catalogue_offer(const Catalogue *catalogue, const CatalogueTool *tool,
                     const CatalogueSystem *system, const char *minimum, CatalogueOffer *offer);

/** The repository of a vendor, for one release of one distribution. */
typedef struct {
	char *title;
	char *fingerprint; /* of the key that signs it: 40 upper-case hex digits */
	char *key_url;
	char *url;
	char *suite; /* (nullable): of apt */
} CatalogueVendor;

/** Returns: (transfer full) (nullable): NULL when @name has none for @system. */
CatalogueVendor *catalogue_vendor(const Catalogue *catalogue, const char *name,
                                  const CatalogueSystem *system);
void catalogue_vendor_free(CatalogueVendor *vendor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CatalogueVendor, catalogue_vendor_free)

/** Returns: (transfer none) (nullable): what @manager ("apt", "dnf", …) calls it; NULL when it has no
 *  package for it. */
const char *const *catalogue_packages(const CatalogueTool *tool, const char *manager);
