/* installer/commands.c - the command table and what is made from it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/command.h"
#include "installer/manual.h"

static gboolean is_manual;

static const GOptionEntry help_options[] = {
	{ "manual", 0, 0, G_OPTION_ARG_NONE, &is_manual, "print the manual page instead, as mdoc",
	  NULL },
	{ 0 },
};

/* One row, one command, in the order in which help shows them. */
/* clang-format off */
const Command command_table[] = {
	{ "check", "[STACK]", "Judge this machine against what a stack needs",
	  command_check_options, 0, 1, command_check },
	{ "plan", "STACK", "Show what install would do, and why",
	  command_plan_options, 1, 1, command_plan },
	{ "install", "STACK...", "Install: plan, confirm, apply, verify",
	  NULL, 1, -1, command_install },
	{ "resume", "", "Finish an interrupted run, or do what was deferred",
	  NULL, 0, 0, command_resume },
	{ "rollback", "", "Take an interrupted run back",
	  NULL, 0, 0, command_rollback },
	{ "uninstall", "STACK", "Take away exactly what install added",
	  command_uninstall_options, 1, 1, command_uninstall },
	{ "status", "[STACK]", "Show what is installed, deferred or interrupted",
	  NULL, 0, 1, command_status },
	{ "stacks", "[STACK]", "Show the stacks that can be had",
	  NULL, 0, 1, command_stacks },
	{ "unpack", "STACK DIR", "Write a stack's files into a new directory",
	  NULL, 2, 2, command_unpack },
	{ "keys set", "NAME", "Keep a secret; asks for it, or reads it with --stdin",
	  command_keys_set_options, 1, 1, command_keys_set },
	{ "keys get", "NAME", "Print a secret, to a pipe",
	  command_keys_get_options, 1, 1, command_keys_get },
	{ "keys list", "", "List the names of the secrets",
	  NULL, 0, 0, command_keys_list },
	{ "keys remove", "NAME", "Forget a secret",
	  NULL, 1, 1, command_keys_remove },
	{ "keys exec", "-- COMMAND...", "Run a command with secrets in its environment",
	  command_keys_exec_options, 1, -1, command_keys_exec },
	{ "facts", "", "Dump what is known about this machine, as JSON",
	  command_facts_options, 0, 0, command_facts },
	{ "config", "", "Show every setting and where its value comes from",
	  NULL, 0, 0, command_config },
	{ "help", "[COMMAND...]", "Show the commands, or the options of one",
	  help_options, 0, 2, command_help },
	{ "version", "", "Show the version",
	  NULL, 0, 0, command_version },
};
/* clang-format on */
const gsize command_count = G_N_ELEMENTS(command_table);

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

static void print_settings(Term *term)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < setting_count; i++) {
		const SettingRow *row = &setting_table[i];
		g_ptr_array_add(cells,
		                g_strdup_printf("  --%s%s%s", row->name, row->argument ? " " : "",
		                                row->argument ? row->argument : ""));
		g_ptr_array_add(cells, g_strdup(row->meaning));
	}
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

static void print_command(Term *term, const Command *command)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	term_print(term, "usage: slipway %s [OPTION...] %s\n\n%s.\n", command->name,
	           command->arguments, command->summary);
	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++) {
		g_ptr_array_add(
			cells,
			g_strdup_printf("  --%s%s%s", entry->long_name,
		                        entry->arg_description ? " " : "",
		                        entry->arg_description ? entry->arg_description : ""));
		g_ptr_array_add(cells, g_strdup(entry->description));
	}
	if (cells->len > 0) {
		term_print(term, "\nOptions:\n");
		term_table(term, NULL, 2, cells);
	}
	print_settings(term);
}

const Command *command_find(const char *first, const char *second)
{
	g_autofree char *both = second ? g_strdup_printf("%s %s", first, second) : NULL;

	for (gsize i = 0; i < command_count; i++)
		if (g_str_equal(command_table[i].name, first) ||
		    g_strcmp0(command_table[i].name, both) == 0)
			return &command_table[i];

	return NULL;
}

bool command_help(App *app, int argc, char **argv, GError **error)
{
	const Command *command = argc > 0 ? command_find(argv[0], argv[1]) : NULL;

	if (argc > 0 && !command) {
		fault_set(error, STATUS_USAGE, "See \"slipway help\".",
		          "there is no command \"%s\"", argv[0]);
		return false;
	}

	if (command) {
		print_command(app->term, command);
		return true;
	}

	if (is_manual) {
		manual_print(app->term);
		return true;
	}
	print_commands(app->term);
	print_statuses(app->term);
	return true;
}

bool command_version(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                     GError **error G_GNUC_UNUSED)
{
	term_print(app->term, "slipway %s\n", VERSION);
	app->document = json_pack("{s:s}", "version", VERSION);
	return true;
}
