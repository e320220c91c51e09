/* checks/facts_installed.c - what is there already, and would collide
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "checks/facts_private.h"

/** Where the ways to install Ollama put it, "~/" for the home directory. */
static const char *const ollama_table[] = {
	"/usr/local/bin/ollama", "/usr/bin/ollama",     "/opt/homebrew/bin/ollama",
	"/snap/bin/ollama",      "~/.local/bin/ollama", "/Applications/Ollama.app"
};

static const char *const ollama_units[] = { "/etc/systemd/system/ollama.service",
	                                    "/usr/lib/systemd/system/ollama.service",
	                                    "/lib/systemd/system/ollama.service",
	                                    "/etc/init.d/ollama" };

static char *place(const FactsSource *source, const char *path)
{
	const char *home = source_env(source, "HOME");

	if (*path != '~')
		return g_strdup(path);
	return home != NULL ? g_strconcat(home, path + 1, NULL) : NULL;
}

/* The app of macOS links its program into /usr/local/bin: that is one installation, not two. */
static bool is_link_to_app(const FactsSource *source, const char *path)
{
	return strcmp(path, "/usr/local/bin/ollama") == 0 &&
	       source_exists(source, "/Applications/Ollama.app");
}

static void read_ollama(const FactsSource *source, FactsInstalled *installed)
{
	GString *list = g_string_new(NULL);

	installed->ollama_count = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(ollama_table); i++) {
		g_autofree char *path = place(source, ollama_table[i]);

		if (path == NULL || !source_exists(source, path) || is_link_to_app(source, path))
			continue;
		g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", path);
		installed->ollama_count++;
	}
	installed->ollama = g_string_free(list, list->len == 0);
}

static Fact has_service(const FactsSource *source)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ollama_units); i++)
		if (source_exists(source, ollama_units[i]))
			return FACT_YES;

	return FACT_NO;
}

/* The service has a user of its own, with a home directory of its own. */
static char *models(const FactsSource *source, Fact has_own_service)
{
	const char *set = source_env(source, "OLLAMA_MODELS");

	if (set != NULL)
		return g_strdup(set);
	return has_own_service == FACT_YES && source_exists(source, "/usr/share/ollama")
	               ? g_strdup("/usr/share/ollama/.ollama/models")
	               : place(source, "~/.ollama/models");
}

void facts_read_installed(const FactsSource *source, FactsInstalled *installed)
{
	read_ollama(source, installed);
	installed->has_ollama_service = has_service(source);
	installed->ollama_models = models(source, installed->has_ollama_service);
}
