/* installer/main.c - find the command, run it, report once
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/http.h"
#include "base/nearest.h"
#include "base/secret.h"
#include "installer/command.h"
#include "installer/host.h"
#include "installer/keys.h"
#include "keystore/helper.h"

static gboolean take_setting(const char *name, const char *value, gpointer data, GError **error)
{
	const char *word = name + strspn(name, "-");

	return settings_set_flag(data, g_str_equal(word, "y") ? "yes" : word, value, error);
}

static GOptionGroup *settings_group(Settings *settings)
{
	GOptionGroup *group = g_option_group_new("settings", "", "", settings, NULL);
	g_autofree GOptionEntry *entries = g_new0(GOptionEntry, setting_count + 1);

	for (gsize i = 0; i < setting_count; i++)
		entries[i] = (GOptionEntry){
			.long_name = setting_table[i].name,
			.short_name = g_str_equal(setting_table[i].name, "yes") ? 'y' : 0,
			.flags = setting_table[i].type == SETTING_FLAG ? G_OPTION_FLAG_NO_ARG : 0,
			.arg = G_OPTION_ARG_CALLBACK,
			.arg_data = __extension__(gpointer) take_setting,
			.description = setting_table[i].meaning,
			.arg_description = setting_table[i].argument,
		};
	g_option_group_add_entries(group, entries);
	return group;
}

/* Returns: (transfer full): "; did you mean \"--all\"?" for the option that @message, GLib's, names, or "". */
static char *option_hint(const Command *command, const char *message)
{
	const char *dashes = strstr(message, "--");
	g_autofree char *word =
		dashes ? g_strndup(dashes + 2, strcspn(dashes + 2, "=")) : g_strdup("");
	Nearest nearest = { .word = word };

	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++)
		nearest_try(&nearest, entry->long_name);
	for (gsize i = 0; i < setting_count; i++)
		nearest_try(&nearest, setting_table[i].name);

	return nearest.best ? g_strdup_printf("; did you mean \"--%s\"?", nearest.best)
	                    : g_strdup("");
}

/* Whether @word, "--yes=no", gives a value to an option that takes none. */
static bool is_flag_with_value(const Command *command, const char *word)
{
	gsize length = strcspn(word, "=");
	g_autofree char *name = g_strndup(word, length);

	if (!g_str_has_prefix(word, "--") || word[length] == '\0')
		return false;
	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++)
		if (g_str_equal(entry->long_name, name + 2))
			return entry->arg == G_OPTION_ARG_NONE;
	for (gsize i = 0; i < setting_count; i++)
		if (g_str_equal(setting_table[i].name, name + 2))
			return setting_table[i].type == SETTING_FLAG;

	return false;
}

/* GLib drops the value: "--dry-run=no" would mean yes.  @args starts with the command; @is_strict: the
 * options of another program may follow the first word that is none. */
static bool check_flags(const Command *command, char **args, bool is_strict, GError **error)
{
	static const char hint[] = "Leave it out where it is not meant. A variable turns off "
				   "what slipway.ini turns on: SLIPWAY_YES=no.";

	for (args++; *args && !g_str_equal(*args, "--"); args++) {
		if (is_strict && **args != '-')
			break;
		if (is_flag_with_value(command, *args)) {
			fault_set(error, STATUS_USAGE, hint, "%.*s takes no value",
			          (int)strcspn(*args, "="), *args);
			return false;
		}
	}

	return true;
}

/* Takes the options out of @args; what is left are the arguments. */
static bool parse_options(const Command *command, Settings *settings, char ***args, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) cause = NULL;
	bool is_strict =
		g_str_equal(command->name, "keys exec"); /* another program's options follow */

	g_option_context_set_help_enabled(context, false);
	g_option_context_set_strict_posix(context, is_strict);
	if (command->options)
		g_option_context_add_main_entries(context, command->options, NULL);
	g_option_context_add_group(context, settings_group(settings));

	if (!check_flags(command, *args, is_strict, error))
		return false;
	if (g_option_context_parse_strv(context, args, &cause))
		return true;
	if (cause->domain == FAULT) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}

	g_autofree char *hint = g_strdup_printf("See \"slipway help %s\".", command->name);
	g_autofree char *nearest =
		g_error_matches(cause, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)
			? option_hint(command, cause->message)
			: g_strdup("");
	fault_set(error, STATUS_USAGE, hint, "%s%s", cause->message, nearest);
	return false;
}

/* The arguments behind the program's and the command's name; "--" is gone. */
static char **arguments_of(char **args, int *argc)
{
	char **argv = args + 1;

	if (*argv && g_str_equal(*argv, "--"))
		argv++;
	*argc = (int)g_strv_length(argv);
	return argv;
}

static bool check_count(const Command *command, int argc, GError **error)
{
	if (argc >= command->min_arguments &&
	    (command->max_arguments < 0 || argc <= command->max_arguments))
		return true;

	fault_set(error, STATUS_USAGE, NULL, "usage: slipway %s [OPTION...] %s", command->name,
	          command->arguments);
	return false;
}

/* A program that runs with more rights than its caller must not trust the caller's settings. */
static bool check_privileges(GError **error)
{
	if (!host_is_elevated())
		return true;

	fault_set(error, STATUS_DENIED, "Run \"chmod u-s,g-s\" on the program.",
	          "slipway does not run setuid or with file capabilities");
	return false;
}

/* "keys" alone is half a command: its other halves are named. */
static void set_unknown(const char *first, const char *second, GError **error)
{
	g_autofree char *prefix = g_strconcat(first, " ", NULL);
	g_autofree char *nearest = command_hint(first, second);
	g_autoptr(GString) halves = g_string_new(NULL);

	for (gsize i = 0; i < command_count; i++)
		if (g_str_has_prefix(command_table[i].name, prefix))
			g_string_append_printf(halves, "%s%s", halves->len ? ", " : "",
			                       command_table[i].name);

	if (*first == '-')
		fault_set(error, STATUS_USAGE,
		          "Options come behind the command. See \"slipway help\".",
		          "\"%s\" is no command", first);
	else if (halves->len > 0)
		fault_set(error, STATUS_USAGE, "See \"slipway help\".",
		          "\"%s%s%s\" is no command; there are: %s", first, second ? " " : "",
		          second ? second : "", halves->str);
	else
		fault_set(error, STATUS_USAGE, "See \"slipway help\".",
		          "there is no command \"%s\"%s", first, nearest);
}

static const Command *choose_command(int argc, char **argv, int *used, GError **error)
{
	const char *first = argc > 1 ? argv[1] : "help";
	const char *second = argc > 2 ? argv[2] : NULL;

	if (g_str_equal(first, "--help") || g_str_equal(first, "-h"))
		first = "help";
	if (g_str_equal(first, "--version"))
		first = "version";

	const Command *command = command_find(first, second);
	if (!command)
		set_unknown(first, second, error);
	else
		*used = MIN(argc, strchr(command->name, ' ') ? 3 : 2);
	return command;
}

static bool is_help_asked(char **args)
{
	for (; *args && !g_str_equal(*args, "--"); args++)
		if (g_str_equal(*args, "--help") || g_str_equal(*args, "-h"))
			return true;

	return false;
}

static Term *make_term(const Settings *settings)
{
	TermOptions options = {
		.is_json = settings_flag(settings, "json"),
		.is_events = settings_flag(settings, "events"),
		.is_plain = settings_flag(settings, "plain"),
		.is_quiet = settings_flag(settings, "quiet"),
		.is_yes = settings_flag(settings, "yes"),
	};

	return term_new(&options);
}

/* For failures before the settings are known: they are in a document too. */
static bool is_json_asked(char **argv)
{
	while (*argv && !g_str_equal(*argv, "--") && !g_str_equal(*argv, "--json"))
		argv++;

	return *argv && g_str_equal(*argv, "--json");
}

/* The bundle is for the programs that we run too; by their own names for it.  No thread is there
 * yet that could read the environment. */
static void set_ca_bundle(const Settings *settings)
{
	static const char *const names[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO" };
	const char *bundle = settings_text(settings, "ca-bundle");

	for (gsize i = 0; bundle && i < G_N_ELEMENTS(names); i++)
		(void)g_setenv(names[i], bundle, true);
	/* TLS libraries append the keys of each connection to the file that this names. */
	if (geteuid() == 0)
		g_unsetenv("SSLKEYLOGFILE");
}

/* A broken file keeps nobody from help, version and completion. */
static bool read_settings(App *app, bool is_bare, GError **error)
{
	g_autoptr(GError) cause = NULL;

	app->paths = paths_new(&cause);
	app->settings = app->paths ? settings_new(app->paths, &cause) : NULL;
	if (!app->settings && is_bare)
		app->settings = settings_new_default();
	else if (!app->settings)
		g_propagate_error(error, g_steal_pointer(&cause));
	return app->settings != NULL;
}

static bool run(App *app, int argc, char **argv, const Command **command, GError **error)
{
	int used = 1;

	*command = choose_command(argc, argv, &used, error);
	if (!*command || !check_privileges(error))
		return false;

	g_auto(GStrv) args = g_strdupv(argv + used - 1);
	bool is_help = is_help_asked(args + 1);
	if (!read_settings(app, is_help || (*command)->is_bare, error))
		return false;
	if (is_help) {
		g_auto(GStrv) words = g_strsplit((*command)->name, " ", 2);
		app->term = make_term(app->settings);
		return command_help(app, (int)g_strv_length(words), words, error);
	}
	if (!parse_options(*command, app->settings, &args, error))
		return false;

	int count = 0;
	char **rest = arguments_of(args, &count);
	app->term = make_term(app->settings);
	set_ca_bundle(app->settings);
	http_allow_redirects((const char *const *)settings_list(app->settings, "redirect-hosts"));
	return check_count(*command, count, error) && (*command)->run(app, count, rest, error);
}

/* The one document of --json: what the command put together, how it ended, and why. */
static void print_document(App *app, const Command *command, const GError *error)
{
	if (!term_is_json(app->term))
		return;

	g_autoptr(json_t) document = json_pack(
		"{s:i, s:s, s:i, s:s}", "schema", 1, "command", command ? command->name : "",
		"exit", error ? (int)fault_status(error) : 0, "status",
		exit_status_name(error ? (int)fault_status(error) : 0));

	if (app->document)
		json_object_update_missing(document, app->document);
	if (error) {
		g_autofree char *message = fault_message(error);
		json_object_set_new(
			document, "error",
			json_pack("{s:s, s:s?}", "message", message, "hint", fault_hint(error)));
	}
	term_document(app->term, document);
}

static void print_error(App *app, const GError *error)
{
	g_autofree char *message = fault_message(error);

	term_warn(app->term, "slipway: %s", message);
	if (fault_hint(error))
		term_warn(app->term, "%s", fault_hint(error));
}

static int finish(App *app, const Command *command, GError *failure)
{
	g_autoptr(GError) error = failure;
	g_autoptr(GError) cause = NULL;

	if (!app->has_spoken)
		print_document(app, command, error);
	if (error && !app->has_spoken)
		print_error(app, error);
	if (!term_close(app->term, &cause) && !error) {
		print_error(app, cause);
		return (int)fault_status(cause);
	}

	return error ? (int)fault_status(error) : STATUS_OK;
}

static int open_nothing(void)
{
	int fd = open("/dev/null", O_RDWR);

	/* Without /dev: something that can be neither read nor written. */
	return fd >= 0 ? fd : open("/", O_RDONLY | O_DIRECTORY);
}

/* A closed 0, 1 or 2 would be taken by the next file that is opened, and then written to. */
static void open_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open_nothing(); /* takes the lowest that is free: this one */
}

/* What GLib takes from the environment when it is first used. */
static void prepare_glib(void)
{
	/* Modules are shared objects, made for another GLib; a static program can load none. */
	(void)unsetenv("GIO_EXTRA_MODULES");
	/* Names in archives and messages are UTF-8 where the user's are; numbers stay "C". */
	(void)setlocale(LC_CTYPE, "");
}

/* Docker runs "docker-credential-NAME": a link to this program stands for its command.
 * Returns: (transfer full): the arguments. */
static char **read_arguments(int *argc, char **argv)
{
	static const char name[] = "docker-credential";
	g_autofree char *called = g_path_get_basename(*argc > 0 ? argv[0] : "");
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (int i = 0; i < *argc; i++) {
		g_ptr_array_add(words, g_strdup(argv[i]));
		if (i == 0 && g_str_has_prefix(called, name))
			g_ptr_array_add(words, g_strdup(name));
	}
	*argc = (int)words->len;
	g_ptr_array_add(words, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&words), false);
}

int main(int argc, char **argv)
{
	/* To free them piece by piece takes time, and the process is gone a moment later; secrets
	 * were wiped by their owners. */
	static App app;
	static char **words;
	GError *error = NULL;
	const Command *command = NULL;

	open_descriptors();
	prepare_glib();
	secret_init();
	secret_hide_environment();
	if (keystore_is_helper(argc, argv))
		return keystore_helper_main();
	cancel_init();
	words = read_arguments(&argc, argv);
	if (!run(&app, argc, words, &command, &error))
		keys_translate(&error);
	if (!app.term)
		app.term = term_new(&(TermOptions){ .is_json = is_json_asked(words) });

	return finish(&app, command, error);
}
