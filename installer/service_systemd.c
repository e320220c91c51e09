/* installer/service_systemd.c - services of systemd: the machine's, and those of one user
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "installer/service_private.h"

/* sd_booted(3) looks for this directory. */
#define BOOTED "/run/systemd/system"
#define SYSTEM_UNITS "/etc/systemd/system"
#define WORDS (const char *const[])
#define COMMANDS (const char *const *const[])

char *service_systemd_quote(const char *text, const char *dollar)
{
	g_autofree char *escaped = g_strescape(text, NULL);
	g_auto(GStrv) percents = g_strsplit(escaped, "%", -1);
	g_autofree char *plain = g_strjoinv("%%", percents);
	g_auto(GStrv) dollars = g_strsplit(plain, "$", -1);
	g_autofree char *word = g_strjoinv(dollar, dollars);

	return g_strdup_printf("\"%s\"", word);
}

static bool is_system_here(void)
{
	return geteuid() == 0 && g_file_test(BOOTED, G_FILE_TEST_IS_DIR);
}

/* The socket that systemctl talks to. */
static bool is_user_here(void)
{
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	g_autofree char *fallback = g_strdup_printf("/run/user/%u", (unsigned)getuid());
	g_autofree char *socket = g_build_filename(runtime && *runtime ? runtime : fallback,
	                                           "systemd", "private", NULL);

	return geteuid() != 0 && file_exists(socket);
}

static void place_unit(json_t *service, const char *directory)
{
	g_autofree char *unit = g_strconcat(service_text(service, "name"), ".service", NULL);
	g_autofree char *file = g_build_filename(directory, unit, NULL);
	g_autofree char *link = g_build_filename(directory, "default.target.wants", unit, NULL);
	g_autofree char *target = g_build_filename("..", unit, NULL);

	json_put(service, "file", file);
	json_put(service, "link", link);
	json_put(service, "target", target);
}

/* Whether an account without rights gets to @path; what does not exist yet is made open. */
static bool is_reachable(const char *path)
{
	struct stat st = { 0 };

	if (stat(path, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
		return false;
	if (g_str_equal(path, "/"))
		return true;

	g_autofree char *parent = g_path_get_dirname(path);
	return is_reachable(parent);
}

/* Those who may use graphics cards, where there are such groups. */
static json_t *card_groups(void)
{
	static const char *const names[] = { "render", "video" };
	json_t *groups = json_array();

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (getgrnam(names[i]))
			json_array_append_new(groups, json_string(names[i]));
	return groups;
}

static void place_system(json_t *service)
{
	const json_t *argv = json_object_get(service, "argv");
	const char *program = json_string_value(json_array_get(argv, 0));

	place_unit(service, SYSTEM_UNITS);
	if (!program || !is_reachable(program))
		return;
	json_put(service, "account", "dynamic");
	json_object_set_new(service, "groups", card_groups());
}

static void place_user(json_t *service)
{
	g_autofree char *directory =
		g_build_filename(g_get_user_config_dir(), "systemd", "user", NULL);

	place_unit(service, directory);
}

static void add_words(GString *text, const char *before, const json_t *words, const char *after)
{
	const char *dollar = g_str_equal(after, "\n") ? "$" : "$$";
	gsize i = 0;
	json_t *word = NULL;

	json_array_foreach(words, i, word)
	{
		g_autofree char *quoted = service_systemd_quote(json_string_value(word), dollar);
		g_string_append_printf(text, "%s%s%s", before, quoted, after);
	}
}

/* An account of its own sees nothing but what it needs; as ourselves it at least gains nothing. */
static void add_account(GString *text, const json_t *service)
{
	const char *name = service_text(service, "name");
	g_auto(GStrv) groups = json_to_strv(json_object_get(service, "groups"));
	g_autofree char *joined = g_strjoinv(" ", groups);

	g_string_append(text, "NoNewPrivileges=yes\nPrivateTmp=yes\n");
	if (g_str_equal(service_text(service, "account"), "dynamic"))
		g_string_append_printf(text,
		                       "DynamicUser=yes\nStateDirectory=%s\n"
		                       "Environment=\"HOME=/var/lib/%s\"\n"
		                       "SupplementaryGroups=%s\n",
		                       name, name, joined);
	else
		g_string_append(text, "CapabilityBoundingSet=\nProtectSystem=full\n"
		                      "ProtectControlGroups=yes\nProtectKernelModules=yes\n");
}

static char *render(const json_t *service)
{
	GString *text = g_string_new("# Written by slipway.  Settings of your own: "
	                             "\"systemctl edit\" makes a drop-in, which stays.\n");

	g_string_append_printf(text,
	                       "[Unit]\nDescription=%s, installed by slipway\n"
	                       "After=network-online.target\n\n[Service]\n",
	                       service_text(service, "title"));
	add_words(text, "Environment=", json_object_get(service, "env"), "\n");
	g_string_append(text, "ExecStart=");
	add_words(text, " ", json_object_get(service, "argv"), "");
	g_string_append(text, "\nRestart=always\nRestartSec=3\n");
	if (g_str_equal(service_text(service, "manager"), "systemd"))
		add_account(text, service);
	else
		g_string_append(text, "NoNewPrivileges=yes\n");
	g_string_append(text, "\n[Install]\nWantedBy=default.target\n");
	return g_string_free(text, FALSE);
}

/* A user's own services live as long as that user is logged in, unless the user "lingers". */
static char *note_of_user(const json_t *service)
{
	g_autofree char *path =
		g_build_filename("/var/lib/systemd/linger", g_get_user_name(), NULL);

	if (file_exists(path))
		return NULL;
	return g_strdup_printf("%s starts when you log in and ends when you log out; \"loginctl "
	                       "enable-linger\" has it run from the start of the machine",
	                       service_text(service, "title"));
}

const ServiceManager service_systemd = {
	.name = "systemd",
	.is_here = is_system_here,
	.place = place_system,
	.render = render,
	.ask = COMMANDS{ WORDS{ "systemctl", "is-active", "--quiet", "@name@", NULL }, NULL },
	.begin = COMMANDS{ WORDS{ "systemctl", "daemon-reload", NULL },
	                   WORDS{ "systemctl", "restart", "@name@", NULL }, NULL },
	.end = COMMANDS{ WORDS{ "systemctl", "stop", "@name@", NULL }, NULL },
	.reload = COMMANDS{ WORDS{ "-systemctl", "daemon-reload", NULL },
	                    WORDS{ "-systemctl", "reset-failed", "@name@", NULL }, NULL },
	.file_mode = 0644,
};

const ServiceManager service_systemd_user = {
	.name = "systemd-user",
	.is_here = is_user_here,
	.place = place_user,
	.render = render,
	.note = note_of_user,
	.ask = COMMANDS{ WORDS{ "systemctl", "--user", "is-active", "--quiet", "@name@", NULL },
	                 NULL },
	.begin = COMMANDS{ WORDS{ "systemctl", "--user", "daemon-reload", NULL },
	                   WORDS{ "systemctl", "--user", "restart", "@name@", NULL }, NULL },
	.end = COMMANDS{ WORDS{ "systemctl", "--user", "stop", "@name@", NULL }, NULL },
	.reload = COMMANDS{ WORDS{ "-systemctl", "--user", "daemon-reload", NULL },
	                    WORDS{ "-systemctl", "--user", "reset-failed", "@name@", NULL }, NULL },
	.file_mode = 0644,
};
