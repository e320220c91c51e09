/* payload/catalogue.c - reads the embedded tool catalogue
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/catalogue.h"

#include <string.h>

#include "payload/catalogue_private.h"
#include "payload/embedded.h"

#define SECTION_PREFIX "tool "
#define VENDOR_PREFIX "vendor "

/* The managers that a [tool] can name a package for, and what they are filed under. */
typedef struct {
	const char *name;
	const char *fallback; /* (nullable): the key to take when its own is not there */
} Manager;

static const Manager managers[] = {
	{ "apt", NULL },    { "dnf", NULL }, { "yum", "dnf" }, { "zypper", NULL },
	{ "pacman", NULL }, { "apk", NULL }, { "brew", NULL },
};

static const char *const other_keys[] = { "title",     "programs", "file", "ask",
	                                  "needs-too", "vendor",   NULL };

static bool is_known_key(const char *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(managers); i++)
		if (strcmp(managers[i].name, key) == 0)
			return true;

	return g_strv_contains(other_keys, key);
}

static char **words(const IniFile *ini, const char *section, const char *key)
{
	const char *value = ini_value(ini, section, key);

	return ini_list(value ? value : "");
}

/* One argument on each line, as it is: arguments have blanks and commas in them. */
static char **lines(const IniFile *ini, const char *section, const char *key)
{
	const char *value = ini_value(ini, section, key);
	g_auto(GStrv) all = g_strsplit(value ? value : "", "\n", -1);
	GPtrArray *kept = g_ptr_array_new();

	for (gsize i = 0; all[i]; i++)
		if (*all[i])
			g_ptr_array_add(kept, g_strdup(all[i]));
	g_ptr_array_add(kept, NULL);
	return (char **)g_ptr_array_free(kept, FALSE);
}

static GHashTable *read_packages(const IniFile *ini, const char *section)
{
	GHashTable *packages =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);

	for (gsize i = 0; i < G_N_ELEMENTS(managers); i++) {
		const Manager *manager = &managers[i];
		const char *key = manager->name;

		if (!ini_find(ini, section, key) && manager->fallback)
			key = manager->fallback;
		if (ini_find(ini, section, key))
			g_hash_table_insert(packages, g_strdup(manager->name),
			                    words(ini, section, key));
	}

	return packages;
}

static CatalogueTool *read_tool(const IniFile *ini, const char *section)
{
	CatalogueTool *tool = g_new0(CatalogueTool, 1);

	tool->name = g_strdup(section + strlen(SECTION_PREFIX));
	tool->title = g_strdup(ini_value(ini, section, "title"));
	tool->programs = words(ini, section, "programs");
	tool->files = words(ini, section, "file");
	tool->ask = words(ini, section, "ask");
	tool->needs_too = lines(ini, section, "needs-too");
	tool->packages = read_packages(ini, section);

	g_auto(GStrv) vendor = words(ini, section, "vendor");
	tool->vendor = g_strdup(*vendor);
	tool->vendor_packages = g_strdupv(*vendor ? vendor + 1 : vendor);
	return tool;
}

/* The catalogue is ours: whatever is wrong in it is a bug, found by the first test that runs. */
static void check_tool(const CatalogueTool *tool)
{
	bool is_program = *tool->programs != NULL;

	if (!tool->title || (!is_program && !*tool->files) || (is_program && !*tool->ask))
		g_error("catalogue.ini: [tool %s] is not complete", tool->name);
}

static void check_keys(const IniFile *ini)
{
	for (guint i = 0; i < ini_entries(ini)->len; i++) {
		const IniEntry *entry = g_ptr_array_index(ini_entries(ini), i);

		if (g_str_has_prefix(entry->section, SECTION_PREFIX) && !is_known_key(entry->key))
			g_error("catalogue.ini:%u: unknown key %s", entry->line, entry->key);
	}
}

static void read_tools(Catalogue *catalogue)
{
	const GPtrArray *sections = ini_sections(catalogue->ini);

	for (guint i = 0; i < sections->len; i++) {
		const char *section = g_ptr_array_index(sections, i);
		bool is_tool = g_str_has_prefix(section, SECTION_PREFIX);

		if (!is_tool && !g_str_has_prefix(section, CATALOGUE_RELEASE_PREFIX) &&
		    !g_str_has_prefix(section, VENDOR_PREFIX))
			g_error("catalogue.ini: unknown section [%s]", section);
		if (is_tool) {
			CatalogueTool *tool = read_tool(catalogue->ini, section);

			check_tool(tool);
			g_ptr_array_add(catalogue->tools, tool);
		}
	}
}

static Catalogue *read_catalogue(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) text = embedded_catalogue();
	Catalogue *catalogue = g_new0(Catalogue, 1);

	catalogue->ini = ini_parse_bytes(text, "catalogue.ini", &error);
	if (!catalogue->ini)
		g_error("%s", error->message);
	catalogue->tools = g_ptr_array_new();
	check_keys(catalogue->ini);
	read_tools(catalogue);
	return catalogue;
}

const Catalogue *catalogue_get(void)
{
	static gsize once = 0;
	static const Catalogue *catalogue = NULL;

	if (g_once_init_enter(&once)) {
		catalogue = read_catalogue();
		g_once_init_leave(&once, 1);
	}

	return catalogue;
}

char **catalogue_programs(const char *name)
{
	g_autoptr(GBytes) text = embedded_catalogue();
	g_autofree char *section = g_strconcat(SECTION_PREFIX, name, NULL);
	g_autofree char *programs = ini_peek(text, section, "programs");

	return ini_list(programs ? programs : "");
}

const CatalogueTool *catalogue_find(const Catalogue *catalogue, const char *name)
{
	for (guint i = 0; i < catalogue->tools->len; i++) {
		const CatalogueTool *tool = g_ptr_array_index(catalogue->tools, i);

		if (strcmp(tool->name, name) == 0)
			return tool;
	}

	return NULL;
}

const GPtrArray *catalogue_tools(const Catalogue *catalogue)
{
	return catalogue->tools;
}

const char *const *catalogue_packages(const CatalogueTool *tool, const char *manager)
{
	/* dnf4, dnf5 and microdnf differ in options, not in package names. */
	const char *key = strstr(manager, "dnf") ? "dnf" : manager;

	return g_hash_table_lookup(tool->packages, key);
}
