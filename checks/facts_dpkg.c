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

/* The third word of "Status: install ok installed". */
static bool is_settled(const char *status)
{
	const char *state = strrchr(status, ' ');

	if (strstr(status, " reinstreq ") != NULL)
		return false;
	return state != NULL &&
	       (strcmp(state, " installed") == 0 || strcmp(state, " config-files") == 0 ||
	        strcmp(state, " not-installed") == 0);
}

/* The end of a line without changing the text. */
static char *rest_of_line(const char *text)
{
	return g_strndup(text, strcspn(text, "\n"));
}

static void take_broken(FactsPackages *packages, const char *name)
{
	g_autofree char *before = g_steal_pointer(&packages->broken);

	packages->broken_count++;
	if (packages->broken_count > BROKEN_SHOWN || name == NULL)
		packages->broken = g_steal_pointer(&before);
	else
		packages->broken =
			before != NULL ? g_strconcat(before, " ", name, NULL) : g_strdup(name);
}

/* g_str_has_prefix() measures the whole text first: with each line, that took seconds. */
static bool starts(const char *text, const char *prefix)
{
	return *text == *prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Looks at "Package:" and "Status:" only: the file has up to a hundred thousand lines. */
static void read_dpkg_status(const char *text, gpointer data)
{
	FactsPackages *packages = data;
	g_autofree char *name = NULL;

	packages->broken_count = 0;
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (starts(line, "Package: ")) {
			g_free(name);
			name = rest_of_line(line + strlen("Package: "));
		} else if (starts(line, "Status: ")) {
			g_autofree char *status = rest_of_line(line + strlen("Status: "));

			if (!is_settled(status))
				take_broken(packages, name);
		}
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
