/* installer/manual_command.c - the manual page of a command
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/manual_private.h"
#include "installer/manual_text.h"

static void add_options(GString *page, const Command *command)
{
	g_string_append(page, ".Sh OPTIONS\n.Bl -tag -width Ds\n");
	for (const GOptionEntry *entry = command->options; entry && entry->long_name; entry++)
		mdoc_option(page, entry->long_name, entry->arg_description, entry->description);
	mdoc_option(page, "help", NULL, "show what \"slipway help\" shows of this command");
	g_string_append(page, ".El\n");
}

static const SettingRow *find_setting(const char *name)
{
	for (gsize i = 0; i < setting_count; i++)
		if (g_str_equal(setting_table[i].name, name))
			return &setting_table[i];

	return NULL;
}

static void add_settings(GString *page, const char *names)
{
	g_auto(GStrv) list = g_strsplit(names, " ", -1);

	g_string_append(page, ".Sh SETTINGS\nEvery setting can be given as an option; "
	                      "these matter here.\nAll are in\n.Xr slipway.ini 5 .\n"
	                      ".Bl -tag -width Ds\n");
	for (char **name = list; *name; name++) {
		const SettingRow *row = find_setting(*name);
		if (row)
			mdoc_option(page, row->name, row->argument, row->meaning);
	}
	g_string_append(page, ".El\n");
}

/* The commands of the same group, and the formats that are spoken of. */
static void add_see_also(GString *page, const Command *command)
{
	g_autoptr(GPtrArray) pages = g_ptr_array_new_with_free_func(g_free);
	const char *blank = strchr(command->name, ' ');
	gsize group = blank ? (gsize)(blank - command->name) + 1 : 0;

	for (gsize i = 0; i < command_count && group > 0; i++) {
		const Command *other = &command_table[i];
		g_autofree char *name = manual_name_of(other);

		if (other != command && strncmp(other->name, command->name, group) == 0)
			g_ptr_array_add(pages, g_strconcat(name, " 1", NULL));
	}
	g_ptr_array_add(pages, g_strdup("slipway 1"));
	g_ptr_array_add(pages, g_strdup("slipway.ini 5"));
	if (strstr(command->arguments, "STACK"))
		g_ptr_array_add(pages, g_strdup("slipway-stack 5"));
	mdoc_see_also(page, pages);
}

/* The first letter of a summary is that of a sentence; a page's is that of a phrase. */
static char *phrase_of(const char *summary)
{
	char *phrase = g_strdup(summary);

	*phrase = g_ascii_tolower(*phrase);
	return phrase;
}

void manual_make_command(GString *page, const Command *command)
{
	const ManualText *text = manual_text_find(command->name);
	g_autofree char *name = manual_name_of(command);
	g_autofree char *phrase = phrase_of(command->summary);
	MdocHead head = { name, "1", phrase };

	mdoc_head(page, &head);
	g_string_append_printf(page, ".Sh SYNOPSIS\n.Nm slipway\n.Cm %s\n.Op Ar option ...\n",
	                       command->name);
	mdoc_usage(page, command->arguments);
	g_string_append(page, ".Sh DESCRIPTION\n");
	mdoc_text(page, text ? text->details : command->summary);
	add_options(page, command);
	if (text && *text->settings)
		add_settings(page, text->settings);
	if (text && *text->files)
		mdoc_files(page, text->files);
	mdoc_statuses(page, text ? text->statuses : NULL);
	if (text) {
		g_string_append(page, ".Sh EXAMPLES\n");
		mdoc_literal(page, text->example);
	}
	add_see_also(page, command);
}
