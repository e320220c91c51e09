/* installer/service_launchd.c - services of launchd: of one user, or of the machine for root
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <unistd.h>

#include "base/file.h"
#include "installer/service_private.h"

#define WORDS (const char *const[])
#define COMMANDS (const char *const *const[])
#define LAUNCHCTL "/bin/launchctl"

static bool is_here(void)
{
	return file_exists(LAUNCHCTL);
}

static void place(json_t *service)
{
	bool is_root = geteuid() == 0;
	g_autofree char *plist = g_strconcat(service_text(service, "name"), ".plist", NULL);
	g_autofree char *file =
		is_root ? g_build_filename("/Library/LaunchDaemons", plist, NULL)
			: g_build_filename(g_get_home_dir(), "Library/LaunchAgents", plist, NULL);
	g_autofree char *domain =
		is_root ? g_strdup("system") : g_strdup_printf("gui/%u", (unsigned)getuid());

	json_put(service, "file", file);
	json_put(service, "domain", domain);
}

static void add_strings(GString *text, const json_t *words)
{
	gsize i = 0;
	json_t *word = NULL;

	json_array_foreach(words, i, word)
	{
		g_autofree char *escaped = g_markup_escape_text(json_string_value(word), -1);
		g_string_append_printf(text, "\t\t<string>%s</string>\n", escaped);
	}
}

static void add_environment(GString *text, const json_t *words)
{
	gsize i = 0;
	json_t *word = NULL;

	json_array_foreach(words, i, word)
	{
		g_autofree char *escaped = g_markup_escape_text(json_string_value(word), -1);
		g_auto(GStrv) parts = g_strsplit(escaped, "=", 2);
		g_string_append_printf(text, "\t\t<key>%s</key>\n\t\t<string>%s</string>\n",
		                       parts[0], parts[1] ? parts[1] : "");
	}
}

/* Source of the keys: launchd.plist(5). */
static char *render(const json_t *service)
{
	g_autofree char *name = g_markup_escape_text(service_text(service, "name"), -1);
	g_autofree char *log = g_markup_escape_text(service_text(service, "log"), -1);
	GString *text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	                             "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	                             "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	                             "<!-- Written by slipway. -->\n"
	                             "<plist version=\"1.0\">\n"
	                             "<dict>\n");

	g_string_append_printf(text, "\t<key>Label</key>\n\t<string>%s</string>\n", name);
	g_string_append(text, "\t<key>ProgramArguments</key>\n\t<array>\n");
	add_strings(text, json_object_get(service, "argv"));
	g_string_append(text, "\t</array>\n\t<key>EnvironmentVariables</key>\n\t<dict>\n");
	add_environment(text, json_object_get(service, "env"));
	g_string_append_printf(text,
	                       "\t</dict>\n"
	                       "\t<key>RunAtLoad</key>\n\t<true/>\n"
	                       "\t<key>KeepAlive</key>\n\t<true/>\n"
	                       "\t<key>StandardOutPath</key>\n\t<string>%s</string>\n"
	                       "\t<key>StandardErrorPath</key>\n\t<string>%s</string>\n"
	                       "</dict>\n"
	                       "</plist>\n",
	                       log, log);
	return g_string_free(text, FALSE);
}

const ServiceManager service_launchd = {
	.name = "launchd",
	.is_here = is_here,
	.place = place,
	.render = render,
	.ask = COMMANDS{ WORDS{ "launchctl", "print", "@domain@/", NULL }, NULL },
	.begin = COMMANDS{ WORDS{ "-launchctl", "bootout", "@domain@/", NULL },
	                   WORDS{ "launchctl", "bootstrap", "@domain@", "@file@", NULL }, NULL },
	.end = COMMANDS{ WORDS{ "launchctl", "bootout", "@domain@/", NULL }, NULL },
	.file_mode = 0644,
};
