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
static bool is_settled(const char *line, const char *end)
{
	static const char usual[] = "install ok installed\n";

	if ((gsize)(end - line) >= strlen(usual) && memcmp(line, usual, strlen(usual)) == 0)
		return true;

	g_autofree char *status = rest_of_line(line);
	const char *state = strrchr(status, ' ');

	if (strstr(status, " reinstreq ") != NULL)
		return false;
	return state != NULL &&
	       (strcmp(state, " installed") == 0 || strcmp(state, " config-files") == 0 ||
	        strcmp(state, " not-installed") == 0);
}

/* Returns: (nullable): what is behind @key in a line of the stanza, which ends at an empty line. */
static const char *find_field(const char *stanza, const char *key)
{
	gsize length = strlen(key);

	for (const char *line = stanza; *line != '\0' && *line != '\n'; line++) {
		if (*line == *key && strncmp(line, key, length) == 0)
			return line + length;
		line = strchr(line, '\n');
		if (line == NULL)
			return NULL;
	}
	return NULL;
}

static void take_broken(FactsPackages *packages, const char *stanza)
{
	const char *field = find_field(stanza, "Package: ");
	g_autofree char *name = field != NULL ? rest_of_line(field) : NULL;
	g_autofree char *before = g_steal_pointer(&packages->broken);

	packages->broken_count++;
	if (packages->broken_count > BROKEN_SHOWN || name == NULL)
		packages->broken = g_steal_pointer(&before);
	else
		packages->broken =
			before != NULL ? g_strconcat(before, " ", name, NULL) : g_strdup(name);
}

/** Text that is searched for, by Horspool's algorithm: the file has up to megabytes, and most steps through
 *  it are as long as the text.  (memmem() of musl would begin anew at each of a thousand packages.) */
typedef struct {
	const char *text;
	gsize length;
	guint8 steps[256]; /* how far to go on from a byte; 0 from the last one of the text */
	gsize last_step;   /* from that */
} Search;

static void search_init(Search *search, const char *text)
{
	search->text = text;
	search->length = strlen(text);
	memset(search->steps, (int)search->length, sizeof(search->steps));
	for (gsize i = 0; i + 1 < search->length; i++)
		search->steps[(guint8)text[i]] = (guint8)(search->length - 1 - i);
	search->last_step = search->steps[(guint8)text[search->length - 1]];
	search->steps[(guint8)text[search->length - 1]] = 0;
}

/* Returns: (nullable): where the text begins. */
static const char *search_next(const Search *search, const char *at, const char *end)
{
	const guint8 *steps = search->steps;
	gsize before = search->length - 1;
	gsize size_bytes = (gsize)(end - at);

	for (gsize i = before; i < size_bytes; i += search->last_step) {
		for (guint8 step; i < size_bytes && (step = steps[(guint8)at[i]]) != 0;)
			i += step;
		if (i < size_bytes && memcmp(at + i - before, search->text, before) == 0)
			return at + i - before;
	}
	return NULL;
}

static void read_dpkg_status(const char *text, gsize size_bytes, gpointer data)
{
	FactsPackages *packages = data;
	const char *end = text + size_bytes;
	const char *stanza = text + strspn(text, "\n");
	Search next;

	search_init(&next, "\n\nPackage:"); /* a last byte that is rare */
	packages->broken_count = 0;
	while (stanza != NULL) {
		const char *status = find_field(stanza, "Status: ");

		if (status != NULL && !is_settled(status, end))
			take_broken(packages, stanza);
		stanza = search_next(&next, stanza, end);
		if (stanza != NULL)
			stanza += strlen("\n\n");
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

static void find_version(const char *text, gsize size_bytes, gpointer data)
{
	static const char installed[] = " ok installed\n";
	Wanted *wanted = data;

	for (const char *const *name = wanted->packages; *name != NULL; name++) {
		g_autofree char *key = g_strdup_printf("\nPackage: %s\n", *name);
		Search search;

		search_init(&search, key);
		const char *found = search_next(&search, text, text + size_bytes);
		const char *status = found != NULL ? find_field(found + 1, "Status: ") : NULL;
		const char *version = found != NULL ? find_field(found + 1, "Version: ") : NULL;

		/* g_str_has_prefix() would measure the rest of the file. */
		if (status == NULL || version == NULL ||
		    strncmp(status + strcspn(status, " \n"), installed, strlen(installed)) != 0)
			continue;
		wanted->version = upstream_version(version);
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
