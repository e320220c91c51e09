/* installer/package_apk.c - what apk says, and what it keeps in its database
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_apk.h"

#include <string.h>

/* apk 2.14 and 3.0, in the order of what matters when several are said. */
const PackageWords package_apk_words[] = {
	{ "Unable to lock database: Permission denied", PACKAGE_FAILED },
	{ "Unable to lock database", PACKAGE_BUSY },
	{ "UNTRUSTED signature", PACKAGE_UNTRUSTED },
	{ "BAD signature", PACKAGE_UNTRUSTED },
	{ "file format is invalid or inconsistent", PACKAGE_DAMAGED },
	{ "format error", PACKAGE_DAMAGED },
	{ "BAD archive", PACKAGE_DAMAGED },
	{ ": IO ERROR", PACKAGE_DAMAGED },
	{ "package mentioned in index not found", PACKAGE_STALE },
	{ ": HTTP 404", PACKAGE_STALE },
	{ "(no such package)", PACKAGE_UNKNOWN },
	{ NULL, PACKAGE_FAILED },
};

/* As apk splits it: the version starts behind the last dash that a digit follows. */
bool package_apk_parse_list(const char *text, PackageSet *set, GError **error G_GNUC_UNUSED)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		const char *dash = NULL;

		for (const char *at = *line; *at && !g_ascii_isspace(*at); at++)
			if (at[0] == '-' && g_ascii_isdigit(at[1]))
				dash = at;
		if (dash && dash > *line)
			g_hash_table_insert(set->installed, g_strndup(*line, (gsize)(dash - *line)),
			                    g_strndup(dash + 1, strcspn(dash + 1, " \t")));
	}

	return true;
}

void package_apk_parse_automatic(const char *text, PackageSet *set)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);
	g_autoptr(GHashTable) asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter names;
	gpointer name;

	for (char **word = words; *word; word++) {
		(*word)[strcspn(*word, "<>=~@")] = '\0';
		if (**word && **word != '!')
			g_hash_table_add(asked, g_strdup(*word));
	}
	g_hash_table_iter_init(&names, set->installed);
	while (g_hash_table_iter_next(&names, &name, NULL))
		if (!g_hash_table_contains(asked, name))
			g_hash_table_add(set->automatic, g_strdup(name));
	g_hash_table_iter_init(&names, asked);
	while (g_hash_table_iter_next(&names, &name, NULL))
		if (!g_hash_table_contains(set->installed, name))
			g_hash_table_add(set->residue, g_strdup(name));
}

/* Returns: (nullable): the word behind "(3/12) ". */
static const char *skip_count(const char *line, guint64 *done, guint64 *total)
{
	char *end = NULL;

	if (*line != '(')
		return NULL;
	*done = g_ascii_strtoull(line + 1, &end, 10);
	if (*end != '/')
		return NULL;
	*total = g_ascii_strtoull(end + 1, &end, 10);
	return g_str_has_prefix(end, ") ") ? end + 2 : NULL;
}

/* "Upgrading jq (1.6-r0 -> 1.7-r0)" */
static void add_change(PackageChanges *changes, char *const *words)
{
	static const char *const upgrades[] = { "Upgrading", "Downgrading", "Replacing", NULL };
	const char *from = words[2] + 1;
	const char *to = words[3] && words[4] ? words[4] : from;

	if (g_str_equal(words[0], "Installing"))
		g_ptr_array_add(changes->added, g_strdup(words[1]));
	else if (g_str_equal(words[0], "Purging"))
		g_ptr_array_add(changes->removed, g_strdup(words[1]));
	else if (g_strv_contains(upgrades, words[0]))
		g_ptr_array_add(changes->upgraded, g_strdup_printf("%s %.*s -> %.*s", words[1],
		                                                   (int)strcspn(from, ")"), from,
		                                                   (int)strcspn(to, ")"), to));
}

PackageChanges *package_apk_parse_changes(const char *text)
{
	PackageChanges *changes = package_changes_new();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		guint64 done = 0;
		guint64 total = 0;
		const char *rest = skip_count(*line, &done, &total);
		g_auto(GStrv) words = g_strsplit(rest ? rest : "", " ", -1);

		if (g_strv_length(words) >= 3 && words[2][0] == '(')
			add_change(changes, words);
	}

	return changes;
}

bool package_apk_parse_progress(const char *line, double *fraction, char **detail)
{
	guint64 done = 0;
	guint64 total = 0;

	if (!skip_count(line, &done, &total) || total == 0 || done == 0 || done > total)
		return false;
	*fraction = (double)(done - 1) / (double)total;
	*detail = g_strdup(line);
	return true;
}
