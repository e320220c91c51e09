/* checks/facts_dpkg.c - the database of dpkg, and the sources of apt
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <string.h>

#include "checks/facts_packages.h"

/* Most names that are kept of the packages that are not fully configured. */
#define BROKEN_SHOWN 5

#define STATUS "/var/lib/dpkg/status"

/* An operation that was cut off leaves numbered files in updates/. */
static Fact is_interrupted(const FactsSource *source)
{
	g_autofree char *path = source_path(source, "/var/lib/dpkg/updates");
	DIR *directory = opendir(path);
	Fact found = FACT_NO;

	if (directory == NULL)
		return FACT_UNKNOWN;

	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		if (g_ascii_isdigit(entry->d_name[0]))
			found = FACT_YES;
	(void)closedir(directory);
	return found;
}

/* The rest of a line without changing the text. */
static char *rest_of_line(const char *text)
{
	return g_strndup(text, strcspn(text, "\n"));
}

/* The third word of "install ok installed". */
static bool is_settled(const char *line)
{
	g_autofree char *status = rest_of_line(line);
	const char *state = strrchr(status, ' ');

	if (strstr(status, " reinstreq ") != NULL)
		return false;
	return state != NULL &&
	       (strcmp(state, " installed") == 0 || strcmp(state, " config-files") == 0 ||
	        strcmp(state, " not-installed") == 0);
}

/* Returns: (transfer full) (nullable): "Package:" of the stanza that the line at @at is in. */
static char *package_at(const char *text, const char *at)
{
	static const char key[] = "Package: ";

	for (gsize i = (gsize)(at - text) + 1; i-- > 0;) {
		const char *line = text + i;

		if ((i == 0 || line[-1] == '\n') && strncmp(line, key, strlen(key)) == 0)
			return rest_of_line(line + strlen(key));
		if (line[0] == '\n' && line[1] == '\n')
			return NULL;
	}
	return NULL;
}

static void take_broken(FactsPackages *packages, const char *text, const char *line)
{
	g_autofree char *name = package_at(text, line);
	g_autofree char *before = g_steal_pointer(&packages->broken);

	packages->broken_count++;
	if (packages->broken_count > BROKEN_SHOWN || name == NULL)
		packages->broken = g_steal_pointer(&before);
	else
		packages->broken =
			before != NULL ? g_strconcat(before, " ", name, NULL) : g_strdup(name);
}

/* @line: the end of the line before.  All but a few packages are told by one comparison. */
static bool is_broken(const char *line)
{
	static const char key[] = "\nStatus: ";
	static const char usual[] = "\nStatus: install ok installed\n";

	return line[1] == 'S' && strncmp(line, usual, strlen(usual)) != 0 &&
	       strncmp(line, key, strlen(key)) == 0 && !is_settled(line + strlen(key));
}

/* The file has up to a hundred thousand lines. */
static void read_dpkg_status(const char *text, gpointer data)
{
	FactsPackages *packages = data;

	packages->broken_count = 0;
	for (const char *line = text; (line = strchr(line, '\n')) != NULL; line++) {
		if (is_broken(line))
			take_broken(packages, text, line);
	}
}

/* "1:2.26.1-4" without epoch and revision. */
static char *upstream_version(const char *version)
{
	gsize digits = strspn(version, "0123456789");

	if (version[digits] == ':')
		version += digits + 1;
	return g_strndup(version, strcspn(version, "-+~\n"));
}

/** A question to the list of packages. */
typedef struct {
	const char *const *packages;
	char *version;
} Wanted;

static void find_version(const char *text, gpointer data)
{
	Wanted *wanted = data;

	for (const char *const *name = wanted->packages; *name != NULL; name++) {
		g_autofree char *key = g_strdup_printf("\nPackage: %s\n", *name);
		const char *stanza = strstr(text, key);
		const char *end = stanza != NULL ? strstr(stanza, "\n\n") : NULL;
		const char *version = stanza != NULL ? strstr(stanza, "\nVersion: ") : NULL;

		if (version == NULL || (end != NULL && version > end) ||
		    g_strstr_len(stanza, end != NULL ? end - stanza : -1, " ok installed") == NULL)
			continue;
		wanted->version = upstream_version(version + strlen("\nVersion: "));
		return;
	}
}

char *dpkg_version(const FactsSource *source, const char *const *packages)
{
	Wanted wanted = { packages, NULL };

	source_visit(source, STATUS, find_version, &wanted);
	return wanted.version;
}

void dpkg_read(const FactsSource *source, FactsPackages *packages)
{
	packages->is_interrupted = is_interrupted(source);
	source_visit(source, STATUS, read_dpkg_status, packages);
	packages->sources_conflict = apt_sources_conflict(source);
}
