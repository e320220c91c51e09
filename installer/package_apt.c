/* installer/package_apt.c - what apt and dpkg say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_apt.h"

#include <string.h>

#include "base/fault.h"

/* One row of the list, split at tabs. */
enum { COLUMN_NAME, COLUMN_ARCHITECTURE, COLUMN_VERSION, COLUMN_STATUS, COLUMNS };

static char *native_architecture(char *const *lines)
{
	for (; *lines; lines++)
		if (g_str_has_prefix(*lines, "dpkg\t"))
			return g_strndup(*lines + 5, strcspn(*lines + 5, "\t"));

	return NULL;
}

/* Source: dpkg-query(1), db:Status-Abbrev: desired action, state, error flag. */
static void add_row(PackageSet *set, char *const *row, const char *native)
{
	const char *status = row[COLUMN_STATUS];
	const char *architecture = row[COLUMN_ARCHITECTURE];
	bool is_native = g_str_equal(architecture, native) || g_str_equal(architecture, "all");
	g_autofree char *name = is_native ? g_strdup(row[COLUMN_NAME])
	                                  : g_strconcat(row[COLUMN_NAME], ":", architecture, NULL);

	if (strlen(status) < 2 || status[1] == 'n')
		return;
	if (status[1] == 'c') {
		g_hash_table_add(set->residue, g_steal_pointer(&name));
		return;
	}
	if (strchr("HUF", status[1]) || status[2] == 'R')
		g_hash_table_add(set->broken, g_strdup(name));
	if (status[1] == 'H' || status[2] == 'R')
		g_hash_table_add(set->torn, g_strdup(name));
	g_hash_table_insert(set->installed, g_steal_pointer(&name), g_strdup(row[COLUMN_VERSION]));
}

bool package_apt_parse_list(const char *text, PackageSet *set, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *native = native_architecture(lines);

	if (!native) {
		fault_set(error, STATUS_DATA, NULL, "dpkg-query does not list dpkg itself");
		return false;
	}
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) row = g_strsplit(*line, "\t", -1);

		if (g_strv_length(row) == COLUMNS)
			add_row(set, row, native);
	}

	return true;
}

/* "Inst git [1:2.39.2-1] (1:2.39.5-0+deb12u3 Debian:12.13/oldstable [amd64]) []" */
static void add_installed(PackageChanges *changes, char *const *words)
{
	const char *from = words[2] && words[2][0] == '[' && words[2][1] != ']' ? words[2] : NULL;
	const char *to = NULL;

	for (char *const *word = words + 2; *word && !to; word++)
		if ((*word)[0] == '(')
			to = *word + 1;
	if (!from)
		g_ptr_array_add(changes->added, g_strdup(words[1]));
	else
		g_ptr_array_add(changes->upgraded, g_strdup_printf("%s %.*s -> %s", words[1],
		                                                   (int)strcspn(from + 1, "]"),
		                                                   from + 1, to ? to : "?"));
}

PackageChanges *package_apt_parse_changes(const char *text)
{
	PackageChanges *changes = package_changes_new();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);

		if (!words[0] || !words[1] || !words[2])
			continue;
		if (g_str_equal(words[0], "Inst"))
			add_installed(changes, words);
		else if (g_str_equal(words[0], "Remv") || g_str_equal(words[0], "Purg"))
			g_ptr_array_add(changes->removed, g_strdup(words[1]));
	}

	return changes;
}

/* APT::Status-Fd would give percentages, but the descriptor that it names is closed in maintainer
 * scripts: with 1, the script that writes to its stdout fails.  So the words for people are read. */
bool package_apt_parse_progress(const char *line, double *fraction, char **detail)
{
	static const char *const stages[] = { "Get:", "Unpacking ", "Setting up ", "Removing ",
		                              "Purging configuration files for " };

	for (gsize i = 0; i < G_N_ELEMENTS(stages); i++) {
		if (!g_str_has_prefix(line, stages[i]))
			continue;
		*fraction = -1;
		*detail = g_strdup(line);
		return true;
	}

	return false;
}

/* apt 2.0 to 3.0. */
const PackageWords package_apt_words[] = {
	{ "Could not get lock", PACKAGE_BUSY },
	{ "Unable to acquire", PACKAGE_BUSY },
	{ "Unable to lock", PACKAGE_BUSY },
	{ "Unable to locate package", PACKAGE_UNKNOWN },
	{ "has no installation candidate", PACKAGE_UNKNOWN },
	{ "unauthenticated packages", PACKAGE_UNTRUSTED },
	{ "is not signed", PACKAGE_UNTRUSTED },
	{ "signatures couldn't be verified", PACKAGE_UNTRUSTED },
	{ "signatures were invalid", PACKAGE_UNTRUSTED },
	{ "Hash Sum mismatch", PACKAGE_DAMAGED },
	{ "Failed to fetch", PACKAGE_STALE },
	{ "Unable to fetch", PACKAGE_STALE },
	{ NULL, PACKAGE_FAILED },
};

/* "The following packages have unmet dependencies:", then lines that start with a blank. */
char *package_apt_explain(const char *out)
{
	static const char heading[] = "unmet dependencies:\n";
	const char *line = strstr(out, heading);
	GString *why = g_string_new(NULL);

	line = line ? line + strlen(heading) : "";
	while (*line == ' ') {
		gsize length = strcspn(line, "\n");

		g_string_append_printf(why, "%s%.*s", why->len ? ";" : "", (int)length - 1,
		                       line + 1);
		line += length + (line[length] == '\n');
	}
	return g_string_free(why, why->len == 0);
}

/* " /etc/sudo.conf 8c714b777580faea54a2eb6d5f17ad1d[ obsolete]"; a path may hold blanks. */
static PackageConffile *parse_conffile(const char *line)
{
	g_autofree char *text = g_strstrip(g_strdup(line));
	PackageConffile *conffile;
	char *blank = strrchr(text, ' ');

	while (blank && strlen(blank + 1) != 32) {
		*blank = '\0';
		blank = strrchr(text, ' ');
	}
	if (!blank || *text != '/')
		return NULL;
	*blank = '\0';
	conffile = g_new0(PackageConffile, 1);
	conffile->path = g_strdup(text);
	conffile->md5 = g_strdup(blank + 1);
	return conffile;
}

GPtrArray *package_apt_parse_conffiles(const char *text)
{
	GPtrArray *conffiles =
		g_ptr_array_new_with_free_func((GDestroyNotify)package_conffile_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		PackageConffile *conffile = parse_conffile(*line);

		if (conffile)
			g_ptr_array_add(conffiles, conffile);
	}

	return conffiles;
}
