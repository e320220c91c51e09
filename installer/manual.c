/* installer/manual.c - the manual page, made from the tables
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/manual.h"

#include <string.h>

#include "base/fault.h"

/* mdoc reads a line that starts with "." or "'" as a request, and "\" as an escape. */
static char *escape(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text ? text : "", "\\", -1);
	g_autofree char *joined = g_strjoinv("\\e", parts);

	return *joined == '.' || *joined == '\'' ? g_strconcat("\\&", joined, NULL)
	                                         : g_steal_pointer(&joined);
}

static void print_item(Term *term, const char *flag, const char *argument, const char *meaning)
{
	g_autofree char *text = escape(meaning);

	term_print(term, ".It Fl Fl %s%s%s\n%s.\n", flag, argument ? " Ar " : "",
	           argument ? argument : "", text);
}

static void print_commands(Term *term)
{
	term_print(term, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
	for (gsize i = 0; i < command_count; i++) {
		const Command *command = &command_table[i];
		g_autofree char *summary = escape(command->summary);
		g_autofree char *arguments = escape(command->arguments);

		term_print(term, ".It Cm %s%s%s\n%s.\n", command->name, *arguments ? " Ar " : "",
		           arguments, summary);
		if (!command->options || !command->options->long_name)
			continue;
		term_print(term, ".Bl -tag -width Ds\n");
		for (const GOptionEntry *entry = command->options; entry->long_name; entry++)
			print_item(term, entry->long_name, entry->arg_description,
			           entry->description);
		term_print(term, ".El\n");
	}
	term_print(term, ".El\n");
}

static void print_settings(Term *term)
{
	term_print(term,
	           ".Sh SETTINGS\nEach is an option of every command, an environment variable\n"
	           ".Ev SLIPWAY_NAME\n(in capitals, with _), and a key of section [slipway] in\n"
	           ".Pa slipway.ini .\nA flag wins over the environment, the environment over\n"
	           ".Pa ./slipway.ini ,\nthat over the user's and the system's file.\n"
	           ".Bl -tag -width Ds\n");
	for (gsize i = 0; i < setting_count; i++)
		print_item(term, setting_table[i].name, setting_table[i].argument,
		           setting_table[i].meaning);
	term_print(term, ".El\n");
}

static void print_statuses(Term *term)
{
	term_print(term, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (gsize i = 0; i < exit_status_count; i++)
		term_print(term, ".It %d (%s)\n%s.\n", (int)exit_status_table[i].status,
		           exit_status_table[i].name, exit_status_table[i].meaning);
	term_print(term, ".El\n");
}

void manual_print(Term *term)
{
	term_print(
		term,
		".Dd November 21, 2026\n.Dt SLIPWAY 1\n.Os\n.Sh NAME\n.Nm slipway\n"
		".Nd take a machine to a running local-AI stack, and back\n.Sh SYNOPSIS\n"
		".Nm\n.Ar command\n.Op Ar option ...\n.Op Ar argument ...\n"
		".Sh DESCRIPTION\n.Nm\nchecks a machine, installs what a stack needs through\n"
		"the machine's own package manager, unpacks the stack, keeps its keys in an\n"
		"encrypted file, and proves that it works.\nEvery change is written down\n"
		"before it is made, so that an interrupted run can be finished or taken back.\n");
	print_commands(term);
	print_settings(term);
	term_print(term,
	           ".Sh FILES\n.Bl -tag -width Ds\n.It Pa ~/.config/slipway/slipway.ini\n"
	           "the user's settings; the system's are in\n.Pa /etc/slipway/slipway.ini .\n"
	           ".It Pa ~/.local/state/slipway\nreceipts, journals, logs.\n"
	           ".It Pa ~/.local/share/slipway/keystore\nthe encrypted keys.\n.El\n");
	print_statuses(term);
	term_print(term, ".Sh SEE ALSO\n.Xr slipway-stack 5\n");
}
