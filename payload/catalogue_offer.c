/* payload/catalogue_offer.c - which of the packages of a release are new enough
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "payload/catalogue_private.h"
#include "payload/stack.h"

static GPtrArray *read_choices(const char *value)
{
	GPtrArray *choices = g_ptr_array_new();
	g_auto(GStrv) lines = g_strsplit(value, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = ini_list(*line);
		CatalogueChoice *choice;

		if (!*words)
			continue;
		choice = g_new0(CatalogueChoice, 1);
		choice->version = g_str_equal(*words, "-") ? NULL : g_strdup(*words);
		choice->packages = g_strdupv(words + 1);
		g_ptr_array_add(choices, choice);
	}

	return choices;
}

/* Aborts where it is wrong. */
static CatalogueRelease *read_release(const Catalogue *catalogue, const char *section)
{
	CatalogueRelease *release = g_new0(CatalogueRelease, 1);
	g_auto(GStrv) words = g_strsplit(section, " ", -1);
	const char *vendors = ini_value(catalogue->ini, section, "vendors");

	release->id = g_strdup(words[1]);
	release->version = g_strdup(words[1] ? words[2] : NULL);
	release->suite = g_strdup(ini_value(catalogue->ini, section, "suite"));
	release->vendors = ini_list(vendors ? vendors : "");
	release->choices = g_hash_table_new(g_str_hash, g_str_equal);
	for (const IniEntry *entry = ini_section(catalogue->ini, section); entry->key; entry++) {
		if (g_str_equal(entry->key, "suite") || g_str_equal(entry->key, "vendors"))
			continue;
		if (!catalogue_find(catalogue, entry->key))
			g_error("catalogue.ini:%u: no tool %s", entry->line, entry->key);
		g_hash_table_insert(release->choices, g_strdup(entry->key),
		                    read_choices(entry->value));
	}
	return release;
}

static GPtrArray *read_releases(const Catalogue *catalogue)
{
	const GPtrArray *sections = ini_sections(catalogue->ini);
	GPtrArray *releases = g_ptr_array_new();

	for (guint i = 0; i < sections->len; i++) {
		const char *section = g_ptr_array_index(sections, i);

		if (g_str_has_prefix(section, CATALOGUE_RELEASE_PREFIX))
			g_ptr_array_add(releases, read_release(catalogue, section));
	}
	return releases;
}

/* Of the one catalogue that there is; most commands never ask. */
static const GPtrArray *releases_of(const Catalogue *catalogue)
{
	static gsize once = 0;
	static const GPtrArray *releases = NULL;

	if (g_once_init_enter(&once)) {
		releases = read_releases(catalogue);
		g_once_init_leave(&once, 1);
	}
	return releases;
}

/* "9" is the release of "9.4"; a release without a number is any. */
static bool has_version(const CatalogueRelease *release, const char *version)
{
	gsize length = release->version ? strlen(release->version) : 0;

	if (!release->version)
		return true;
	return version && strncmp(version, release->version, length) == 0 &&
	       (version[length] == '\0' || version[length] == '.');
}

/* The system's own name first, then those of its family; the first section that fits. */
static const CatalogueRelease *find_release(const Catalogue *catalogue,
                                            const CatalogueSystem *system)
{
	g_autofree char *all = g_strdup_printf("%s %s", system->id ? system->id : "",
	                                       system->id_like ? system->id_like : "");
	g_auto(GStrv) ids = g_strsplit(all, " ", -1);
	const GPtrArray *releases = releases_of(catalogue);

	for (char **id = ids; *id; id++)
		for (guint i = 0; i < releases->len; i++) {
			const CatalogueRelease *release = releases->pdata[i];

			if (g_str_equal(release->id, *id) && has_version(release, system->version))
				return release;
		}

	return NULL;
}

static bool is_enough(const char *version, const char *minimum)
{
	return !minimum || stack_version_compare(version, minimum) >= 0;
}

/* Returns: false when the release is known not to have it in that version. */
static bool choose(const GPtrArray *choices, const char *minimum, CatalogueOffer *offer)
{
	for (guint i = 0; i < choices->len; i++) {
		const CatalogueChoice *choice = choices->pdata[i];

		offer->version = choice->version;
		if (!choice->version || !is_enough(choice->version, minimum))
			continue;
		offer->packages = (const char *const *)choice->packages;
		return true;
	}

	return false;
}

static bool has_vendor(const CatalogueTool *tool, const CatalogueRelease *release)
{
	return tool->vendor && release &&
	       g_strv_contains((const char *const *)release->vendors, tool->vendor);
}

bool catalogue_offer(const Catalogue *catalogue, const CatalogueTool *tool,
                     const CatalogueSystem *system, const char *minimum, CatalogueOffer *offer)
{
	const CatalogueRelease *release = find_release(catalogue, system);
	const GPtrArray *choices =
		release ? g_hash_table_lookup(release->choices, tool->name) : NULL;

	*offer = (CatalogueOffer){ 0 };
	if (choices && choose(choices, minimum, offer))
		return true;
	if (!choices && system->manager) {
		offer->packages = catalogue_packages(tool, system->manager);
		if (offer->packages)
			return true;
	}
	if (!has_vendor(tool, release))
		return false;
	offer->vendor = tool->vendor;
	offer->packages = (const char *const *)tool->vendor_packages;
	offer->version = NULL;
	return true;
}

static char *fill_in(const char *text, const CatalogueRelease *release)
{
	g_auto(GStrv) at_id = g_strsplit(text ? text : "", "@id@", -1);
	g_autofree char *with_id = g_strjoinv(release->id, at_id);
	g_auto(GStrv) at_version = g_strsplit(with_id, "@version@", -1);

	return text ? g_strjoinv(release->version ? release->version : "", at_version) : NULL;
}

static char *vendor_value(const Catalogue *catalogue, const char *section, const char *family,
                          const char *what)
{
	g_autofree char *key = g_strconcat(family, "-", what, NULL);

	return g_strdup(ini_value(catalogue->ini, section, key));
}

CatalogueVendor *catalogue_vendor(const Catalogue *catalogue, const char *name,
                                  const CatalogueSystem *system)
{
	const CatalogueRelease *release = find_release(catalogue, system);
	const char *family = system->manager && strstr(system->manager, "dnf") ? "dnf" : "apt";
	g_autofree char *section = g_strconcat("vendor ", name, NULL);
	g_autofree char *key_url = vendor_value(catalogue, section, family, "key");
	g_autofree char *url = vendor_value(catalogue, section, family, "url");
	CatalogueVendor *vendor;

	if (!release || !g_strv_contains((const char *const *)release->vendors, name) || !url)
		return NULL;
	vendor = g_new0(CatalogueVendor, 1);
	vendor->title = g_strdup(ini_value(catalogue->ini, section, "title"));
	vendor->fingerprint = vendor_value(catalogue, section, family, "fingerprint");
	vendor->key_url = fill_in(key_url, release);
	vendor->url = fill_in(url, release);
	vendor->suite = g_strdup(release->suite);
	return vendor;
}

void catalogue_vendor_free(CatalogueVendor *vendor)
{
	if (!vendor)
		return;
	g_free(vendor->title);
	g_free(vendor->fingerprint);
	g_free(vendor->key_url);
	g_free(vendor->url);
	g_free(vendor->suite);
	g_free(vendor);
}
