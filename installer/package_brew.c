/* installer/package_brew.c - what brew says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_brew.h"

#include <string.h>

/* brew 4.4 to 6.0. */
const PackageWords package_brew_words[] = {
	{ "already locked", PACKAGE_BUSY },
	{ "as root is extremely dangerous", PACKAGE_FAILED },
	{ "SHA256 mismatch", PACKAGE_DAMAGED },
	{ "reports different checksum", PACKAGE_DAMAGED },
	{ "No available formula", PACKAGE_UNKNOWN },
	{ "Failed to download", PACKAGE_STALE },
	{ NULL, PACKAGE_FAILED },
};

bool package_brew_parse_list(const char *text, PackageSet *set, GError **error G_GNUC_UNUSED)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(g_strstrip(*line), " ", -1);
		guint count = g_strv_length(words);

		if (count >= 2)
			g_hash_table_insert(set->installed, g_strdup(words[0]),
			                    g_strdup(words[count - 1]));
	}

	return true;
}

/* Asked for, if any version of it was. */
static bool is_automatic(const json_t *formula)
{
	const json_t *versions = json_object_get(formula, "installed");

	for (gsize i = 0; i < json_array_size(versions); i++)
		if (json_flag(json_array_get(versions, i), "installed_on_request"))
			return false;

	return json_array_size(versions) > 0;
}

void package_brew_parse_automatic(const char *text, PackageSet *set)
{
	g_autoptr(json_t) document = json_loads(text, 0, NULL);
	const json_t *formulae = json_object_get(document, "formulae");

	for (gsize i = 0; i < json_array_size(formulae); i++) {
		const json_t *formula = json_array_get(formulae, i);
		const char *name = json_text(formula, "full_name");

		if (name && is_automatic(formula))
			g_hash_table_add(set->automatic, g_strdup(name));
	}
}

/* "jq: oniguruma openssl@3".  Returns: (transfer full): the names, the first without its colon; or
 * NULL when it is another line. */
static char **split_line(const char *line)
{
	const char *colon = strstr(line, ": ");
	gsize length = colon ? (gsize)(colon - line) : strlen(line);
	g_autofree char *name = NULL;
	g_autofree char *joined = NULL;

	if (g_ascii_isupper(*line) || (!colon && (length == 0 || line[length - 1] != ':')))
		return NULL; /* "Warning: ..." */
	name = g_strndup(line, colon ? length : length - 1);
	joined = g_strconcat(name, " ", colon ? colon + 2 : "", NULL);
	return strchr(name, ' ') ? NULL : g_strsplit(g_strchomp(joined), " ", -1);
}

PackageChanges *package_brew_parse_changes(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	PackageChanges *changes = package_changes_new();

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) names = split_line(*line);

		for (char **name = names; name && *name; name++)
			if (!g_ptr_array_find_with_equal_func(changes->added, *name, g_str_equal,
			                                      NULL))
				g_ptr_array_add(changes->added, g_strdup(*name));
	}

	return changes;
}

static bool needs_any(char *const *names, GHashTable *gone)
{
	for (char *const *need = names + 1; *need; need++)
		if (g_hash_table_contains(gone, *need))
			return true;

	return false;
}

/* Returns: whether somebody was found who cannot do without what is gone. */
static bool add_users(char *const *lines, GHashTable *gone)
{
	bool is_found = false;

	for (; *lines; lines++) {
		g_auto(GStrv) names = split_line(*lines);

		if (!names || g_hash_table_contains(gone, *names) || !needs_any(names, gone))
			continue;
		g_hash_table_add(gone, g_strdup(*names));
		is_found = true;
	}

	return is_found;
}

PackageChanges *package_brew_parse_users(const char *text, const char *const *names)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GHashTable) gone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	PackageChanges *changes = package_changes_new();
	GHashTableIter all;
	gpointer name;

	for (; *names; names++)
		g_hash_table_add(gone, g_strdup(*names));
	while (add_users(lines, gone))
		continue;
	g_hash_table_iter_init(&all, gone);
	while (g_hash_table_iter_next(&all, &name, NULL))
		g_ptr_array_add(changes->removed, g_strdup(name));

	return changes;
}

bool package_brew_parse_progress(const char *line, double *fraction, char **detail)
{
	if (!g_str_has_prefix(line, "==> "))
		return false;
	*fraction = -1;
	*detail = g_strdup(line + strlen("==> "));
	return true;
}
