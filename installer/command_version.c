/* installer/command_version.c - "version": this program and the libraries in it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/http.h"
#include "base/secret.h"
#include "installer/command.h"
#include "installer/host.h"
#include "payload/archive.h"

static const char *glib_library(void)
{
	static char text[32];

	(void)g_snprintf(text, sizeof(text), "%u.%u.%u", glib_major_version, glib_minor_version,
	                 glib_micro_version);
	return text;
}

/* What runs, not what was compiled against: only the library itself knows.  Each answers with its
 * version and perhaps, as NAME/VERSION, with those of the libraries that it has inside. */
static const struct {
	const char *name;
	const char *(*ask)(void);
} library_table[] = {
	{ "glib", glib_library },    { "openssl", secret_library },     { "libcurl", http_library },
	{ "jansson", json_library }, { "libarchive", archive_library },
};

/* The first to name a library is the one that uses it. */
static void add_library(json_t *libraries, const char *name, const char *version)
{
	g_autofree char *key = g_ascii_strdown(name, -1);

	if (!json_object_get(libraries, key))
		json_put(libraries, key, version);
}

static json_t *describe_libraries(void)
{
	json_t *libraries = json_object();

	for (gsize i = 0; i < G_N_ELEMENTS(library_table); i++) {
		g_auto(GStrv) words = g_strsplit_set(library_table[i].ask(), " ()+", -1);

		add_library(libraries, library_table[i].name, words[0]);
		for (char **word = words + 1; *words && *word; word++) {
			g_auto(GStrv) parts = g_strsplit(*word, "/", 2);
			if (g_strv_length(parts) == 2)
				add_library(libraries, parts[0], parts[1]);
		}
	}
	return libraries;
}

bool command_version(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                     GError **error G_GNUC_UNUSED)
{
	term_print(app->term, "slipway %s\n", VERSION);
	if (term_is_json(app->term))
		app->document = json_pack("{s:s, s:b, s:o}", "version", VERSION, "static",
		                          host_is_static(), "libraries", describe_libraries());
	return true;
}
