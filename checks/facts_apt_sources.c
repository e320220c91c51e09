/* checks/facts_apt_sources.c - where apt gets packages from, and whether two files contradict one another
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_packages.h"

#define DIRECTORY "/etc/apt/sources.list.d"

/** Sources that have been seen: "URL SUITE" -> the key that signs it, "" for any. */
typedef struct {
	GHashTable *keys;
	char *conflict;
} Sources;

/* Without its last slash, which does not count. */
static void take_source(Sources *sources, const char *url, const char *suite, const char *key)
{
	gsize length = strlen(url);
	g_autofree char *name = NULL;
	const char *known;

	while (length > 0 && url[length - 1] == '/')
		length--;
	name = g_strdup_printf("%.*s %s", (int)MIN(length, G_MAXINT), url, suite);
	known = g_hash_table_lookup(sources->keys, name);
	if (known == NULL)
		g_hash_table_insert(sources->keys, g_steal_pointer(&name), g_strdup(key));
	else if (strcmp(known, key) != 0 && sources->conflict == NULL)
		sources->conflict = g_steal_pointer(&name);
}

/* "arch=amd64 signed-by=/etc/apt/keyrings/docker.gpg" */
static char *signed_by(const char *options)
{
	const char *found = strstr(options, "signed-by=");

	if (found == NULL)
		return g_strdup("");
	found += strlen("signed-by=");
	return g_strndup(found, strcspn(found, " \t]"));
}

/* "deb [OPTIONS] URL SUITE COMPONENT…" */
static void parse_line(Sources *sources, const char *line)
{
	const char *rest = line + strcspn(line, " \t[");
	const char *close = NULL;
	g_autofree char *options = NULL;
	g_autofree char *key = NULL;
	g_auto(GStrv) words = NULL;

	if (!g_str_has_prefix(line, "deb") || rest[0] == '\0')
		return;
	rest += strspn(rest, " \t");
	if (*rest == '[' && (close = strchr(rest, ']')) != NULL) {
		options = g_strndup(rest + 1, (gsize)(close - rest - 1));
		rest = close + 1;
	}
	rest += strspn(rest, " \t");
	words = g_strsplit_set(rest, " \t", 3);
	if (g_strv_length(words) < 2)
		return;
	key = signed_by(options != NULL ? options : "");
	take_source(sources, words[0], words[1], key);
}

static void parse_list(Sources *sources, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (gsize i = 0; lines[i] != NULL; i++)
		parse_line(sources, g_strstrip(lines[i]));
}

/* The value of a field of a stanza, lines that go on taken in; the last one wins. */
static char *field_value(const char *stanza, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(stanza, "\n", -1);
	GString *value = g_string_new(NULL);
	bool is_inside = false;

	for (gsize i = 0; lines[i] != NULL; i++) {
		const char *colon = strchr(lines[i], ':');
		bool goes_on = lines[i][0] == ' ' || lines[i][0] == '\t';

		if (!goes_on)
			is_inside = colon != NULL && (gsize)(colon - lines[i]) == strlen(name) &&
			            g_ascii_strncasecmp(lines[i], name, strlen(name)) == 0;
		if (is_inside)
			g_string_append_printf(value, " %s", goes_on ? lines[i] : colon + 1);
	}
	return g_strstrip(g_string_free(value, FALSE));
}

/* A stanza names each URL with each suite. */
static void parse_stanza(Sources *sources, const char *stanza)
{
	g_autofree char *enabled = field_value(stanza, "Enabled");
	g_autofree char *urls = field_value(stanza, "URIs");
	g_autofree char *suites = field_value(stanza, "Suites");
	g_autofree char *key = field_value(stanza, "Signed-By");
	g_auto(GStrv) url = g_strsplit_set(urls, " \t\n", -1);
	g_auto(GStrv) suite = g_strsplit_set(suites, " \t\n", -1);

	if (strcmp(enabled, "no") == 0)
		return;
	for (gsize i = 0; url[i] != NULL; i++)
		for (gsize j = 0; suite[j] != NULL; j++)
			if (*url[i] != '\0' && *suite[j] != '\0')
				take_source(sources, url[i], suite[j], key);
}

static void parse_stanzas(Sources *sources, const char *text)
{
	g_auto(GStrv) stanzas = g_strsplit(text, "\n\n", -1);

	for (gsize i = 0; stanzas[i] != NULL; i++)
		parse_stanza(sources, stanzas[i]);
}

char *apt_sources_conflict(const FactsSource *source)
{
	g_autofree char *main_list = source_read(source, "/etc/apt/sources.list");
	g_autoptr(GPtrArray) names = source_list(source, DIRECTORY);
	g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	Sources sources = { keys, NULL };

	if (main_list != NULL)
		parse_list(&sources, main_list);
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(DIRECTORY, name, NULL);
		g_autofree char *text = NULL;

		if (g_str_has_suffix(name, ".list") && (text = source_read(source, path)) != NULL)
			parse_list(&sources, text);
		else if (g_str_has_suffix(name, ".sources") &&
		         (text = source_read(source, path)) != NULL)
			parse_stanzas(&sources, text);
	}
	return sources.conflict != NULL ? sources.conflict : g_strdup("");
}
