/* installer/package_pacman.c - what pacman says, and what it keeps in its database
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_pacman.h"

#include <string.h>

/* pacman 6.0 and 7.0, in the order of what matters when several are said. */
const PackageWords package_pacman_words[] = {
	{ "unable to lock database", PACKAGE_BUSY },
	{ "(PGP signature)", PACKAGE_UNTRUSTED },
	{ "missing required signature", PACKAGE_UNTRUSTED },
	{ "required key missing from keyring", PACKAGE_UNTRUSTED },
	{ ".sig' from ", PACKAGE_UNTRUSTED },
	{ "(checksum)", PACKAGE_DAMAGED },
	{ "invalid or corrupted package", PACKAGE_DAMAGED },
	{ "Unrecognized archive format", PACKAGE_STALE },
	{ "invalid or corrupted database", PACKAGE_STALE },
	{ "failed retrieving file", PACKAGE_STALE },
	{ "failed to retrieve some files", PACKAGE_STALE },
	{ "(use '-Sy' to download)", PACKAGE_STALE },
	{ "target not found", PACKAGE_UNKNOWN },
	{ "unable to satisfy dependency", PACKAGE_FAILED },
	{ " are in conflict", PACKAGE_FAILED },
	{ " exists in filesystem", PACKAGE_FAILED },
	{ NULL, PACKAGE_FAILED },
};

/* The last two dashes of "python-pip-24.0-1" stand before version and release. */
static char *split_entry(const char *entry, char **version)
{
	const char *dash = entry + strlen(entry);

	for (int dashes = 0; dashes < 2 && dash > entry;)
		dashes += *--dash == '-';
	if (dash == entry)
		return NULL;
	*version = g_strdup(dash + 1);
	return g_strndup(entry, (gsize)(dash - entry));
}

static void add_entry(PackageSet *set, GHashTable *members, const char *entry)
{
	g_autofree char *description = g_strconcat(entry, "/desc", NULL);
	g_autofree char *files = g_strconcat(entry, "/files", NULL);
	g_autofree char *version = NULL;
	g_autofree char *name = split_entry(entry, &version);

	if (!name)
		return;
	if (!g_hash_table_contains(members, description) ||
	    !g_hash_table_contains(members, files)) {
		g_hash_table_add(set->broken, g_strdup(name));
		g_hash_table_add(set->torn, g_strdup(name));
	}
	g_hash_table_insert(set->installed, g_steal_pointer(&name), g_steal_pointer(&version));
}

bool package_pacman_parse_list(const char *text, PackageSet *set, GError **error G_GNUC_UNUSED)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GHashTable) members = g_hash_table_new(g_str_hash, g_str_equal);

	for (char **line = lines; *line; line++)
		g_hash_table_add(members, *line);
	for (char **line = lines; *line; line++)
		if (!strchr(*line, '/'))
			add_entry(set, members, *line);

	return true;
}

void package_pacman_parse_automatic(const char *text, PackageSet *set)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_autofree char *directory = g_path_get_dirname(*line);
		g_autofree char *entry = g_path_get_basename(directory);
		g_autofree char *version = NULL;
		char *name = split_entry(entry, &version);

		if (name)
			g_hash_table_add(set->automatic, name);
	}
}

PackageChanges *package_pacman_parse_changes(const char *text)
{
	PackageChanges *changes = package_changes_new();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);

		if (g_strv_length(words) != 3)
			continue;
		if (g_str_equal(words[0], "+"))
			g_ptr_array_add(changes->added, g_strdup(words[1]));
		else if (g_str_equal(words[0], "-"))
			g_ptr_array_add(changes->removed, g_strdup(words[1]));
	}

	return changes;
}

bool package_pacman_parse_progress(const char *line, double *fraction, char **detail)
{
	static const char *const stages[] = { "installing ", "reinstalling ", "removing ",
		                              "checking " };
	bool is_stage = g_str_has_suffix(line, " downloading...");

	for (gsize i = 0; i < G_N_ELEMENTS(stages) && !is_stage; i++)
		is_stage = g_str_has_prefix(line, stages[i]);
	if (!is_stage)
		return false;
	*fraction = -1;
	*detail = g_strstrip(g_strdup(line));
	return true;
}
