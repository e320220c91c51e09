/* installer/command_help.c - "slipway help": for people, as manual pages, as a document
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/command.h"
#include "installer/manual.h"
#include "installer/manual_text.h"

static gboolean is_manual;
static char *manual_directory;

const GOptionEntry command_help_options[] = {
	{ "manual", 0, 0, G_OPTION_ARG_NONE, &is_manual,
	  "print the manual page instead: slipway, a command, slipway.ini or slipway-stack", NULL },
	{ "all", 0, 0, G_OPTION_ARG_FILENAME, &manual_directory,
	  "with --manual: write every page into man1 and man5 of DIR", "DIR" },
	{ 0 },
};

static void print_commands(Term *term)
{
	static const char intro[] = "slipway takes a machine to a running local-AI stack, and can "
				    "take it back again.\n\n"
				    "usage: slipway COMMAND [OPTION...]\n\n";
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	term_print(term, "%s", intro);
	for (gsize i = 0; i < command_count; i++) {
		g_ptr_array_add(cells, g_strdup_printf("  %s %s", command_table[i].name,
		                                       command_table[i].arguments));
		g_ptr_array_add(cells, g_strdup(command_table[i].summary));
	}
	term_table(term, NULL, 2, cells);
	term_print(term, "\nStart with:  slipway check localagent\n"
	                 "Then:        slipway install localagent\n"
	                 "Options of a command: slipway help COMMAND\n");
}

static void add_option(GPtrArray *cells, const char *name, const char *argument, const char *about)
{
	g_ptr_array_add(cells, g_strdup_printf("  --%s%s%s", name, argument ? " " : "",
	                                       argument ? argument : ""));
	g_ptr_array_add(cells, g_strdup(about));
}

static void print_settings(Term *term)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < setting_count; i++)
		add_option(cells, setting_table[i].name, setting_table[i].argument,
		           setting_table[i].meaning);
	term_print(term, "\nSettings (also as SLIPWAY_NAME, or in slipway.ini):\n");
	term_table(term, NULL, 2, cells);
}

static void print_statuses(Term *term)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < exit_status_count; i++) {
		g_ptr_array_add(cells, g_strdup_printf("  %d", (int)exit_status_table[i].status));
		g_ptr_array_add(cells, g_strdup(exit_status_table[i].meaning));
	}
	term_print(term, "\nExit statuses:\n");
	term_table(term, NULL, 2, cells);
}

/* In one column of its own the text is wrapped to the terminal. */
static void print_wrapped(Term *term, const char *text)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(cells, g_strdup(text));
	term_table(term, NULL, 1, cells);
}

static void print_example(Term *term, const char *example)
{
	g_auto(GStrv) lines = g_strsplit(example, "\n", -1);

	term_print(term, "\nFor example:\n");
	for (char **line = lines; *line; line++)
		term_print(term, "  %s\n", *line);
}

static void print_command(Term *term, const Command *command)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	const ManualText *text = manual_text_find(command->name);

	term_print(term, "usage: slipway %s [OPTION...] %s\n\n%s.\n", command->name,
	           command->arguments, command->summary);
	if (text) {
		term_print(term, "\n");
		print_wrapped(term, text->details);
		print_example(term, text->example);
	}
	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++)
		add_option(cells, entry->long_name, entry->arg_description, entry->description);
	if (cells->len > 0) {
		term_print(term, "\nOptions:\n");
		term_table(term, NULL, 2, cells);
	}
	print_settings(term);
}

static json_t *describe_option(const char *name, const char *argument, const char *about)
{
	return json_pack("{s:s, s:s?, s:s}", "name", name, "argument", argument, "summary", about);
}

static json_t *describe_command(const Command *command)
{
	const ManualText *text = manual_text_find(command->name);
	json_t *options = json_array();

	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++)
		json_array_append_new(options,
		                      describe_option(entry->long_name, entry->arg_description,
		                                      entry->description));
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:i, s:i, s:o}", "name", command->name,
	                 "arguments", command->arguments, "summary", command->summary, "details",
	                 text ? text->details : NULL, "example", text ? text->example : NULL,
	                 "min_arguments", command->min_arguments, "max_arguments",
	                 command->max_arguments, "options", options);
}

static json_t *describe_setting(const SettingRow *row)
{
	static const char *const types[] = {
		[SETTING_TEXT] = "text",       [SETTING_PATH] = "path",    [SETTING_FLAG] = "flag",
		[SETTING_SECONDS] = "seconds", [SETTING_COUNT] = "number", [SETTING_LIST] = "list",
	};
	json_t *object = describe_option(row->name, row->argument, row->meaning);

	json_put(object, "type", types[row->type]);
	json_put(object, "default", row->fallback);
	return object;
}

static json_t *describe_statuses(void)
{
	json_t *list = json_array();

	for (gsize i = 0; i < exit_status_count; i++)
		json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "status",
		                                      (int)exit_status_table[i].status, "name",
		                                      exit_status_table[i].name, "meaning",
		                                      exit_status_table[i].meaning));
	return list;
}

/* @only: (nullable): this command and no other. */
static json_t *describe(const Command *only)
{
	json_t *commands = json_array();
	json_t *settings = json_array();

	for (gsize i = 0; i < command_count; i++)
		if (!only || only == &command_table[i])
			json_array_append_new(commands, describe_command(&command_table[i]));
	for (gsize i = 0; i < setting_count; i++)
		json_array_append_new(settings, describe_setting(&setting_table[i]));
	return json_pack("{s:o, s:o, s:o}", "commands", commands, "settings", settings, "statuses",
	                 describe_statuses());
}

/* A page has one name, of one word or two: "slipway.ini", "keys set". */
static bool print_manual(Term *term, char **words, GError **error)
{
	g_autofree char *name = *words ? g_strjoinv(" ", words) : g_strdup("slipway");

	if (manual_directory && !*words)
		return manual_write(manual_directory, error);

	g_autofree char *page = manual_directory ? NULL : manual_page(name);
	if (page) {
		term_print(term, "%s", page);
		return true;
	}
	if (manual_directory)
		fault_set(error, STATUS_USAGE, NULL, "--all writes every page; it takes no name");
	else
		fault_set(error, STATUS_USAGE, "See \"slipway help\".",
		          "there is no manual page \"%s\"", name);
	return false;
}

bool command_help(App *app, int argc, char **argv, GError **error)
{
	const Command *command = NULL;

	if (is_manual)
		return print_manual(app->term, argv, error);
	if (manual_directory) {
		fault_set(error, STATUS_USAGE, NULL, "--all needs --manual");
		return false;
	}

	command = argc > 0 ? command_find(argv[0], argv[1]) : NULL;
	if (argc > 0 && !command) {
		g_autofree char *nearest = command_hint(argv[0], argv[1]);

		fault_set(error, STATUS_USAGE, "See \"slipway help\".",
		          "there is no command \"%s\"%s", argv[0], nearest);
		return false;
	}

	app->document = describe(command);
	if (command) {
		print_command(app->term, command);
		return true;
	}
	print_commands(app->term);
	print_statuses(app->term);
	return true;
}
