/* installer/manual_ini.c - slipway.ini(5), from the table of settings
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/manual_private.h"

static const char *const type_words[] = {
	[SETTING_TEXT] = "Text",
	[SETTING_PATH] = "Path; ~ is the home directory, a relative one starts where slipway does",
	[SETTING_FLAG] = "Flag",
	[SETTING_SECONDS] = "Seconds, 0 to 86400",
	[SETTING_COUNT] = "Number, 0 to 1000",
	[SETTING_LIST] = "List",
};

static void add_setting(GString *page, const SettingRow *row)
{
	g_autofree char *variable = g_ascii_strup(row->name, -1);

	g_string_append_printf(page, ".It Cm %s%s%s\n", row->name, row->argument ? " No = Ar " : "",
	                       row->argument ? row->argument : "");
	mdoc_phrase(page, row->meaning);
	g_string_append_printf(page, "%s.\nVariable:\n.Ev SLIPWAY_%s .\n", type_words[row->type],
	                       g_strdelimit(variable, "-", '_'));
	if (row->fallback && *row->fallback)
		g_string_append_printf(page, "Default:\n.Li %s .\n", row->fallback);
}

void manual_make_ini(GString *page)
{
	static const MdocHead head = { "slipway.ini", "5", "settings of slipway" };

	mdoc_head(page, &head);
	g_string_append(page,
	                ".Sh DESCRIPTION\n.Nm\nhas one section,\n.Bq slipway ,\nwith lines of "
	                "the form\n.Dq name = value .\n");
	mdoc_text(
		page,
		"A line that starts with # or ; is a comment. Values are taken as they are: no "
		"quotes, no escapes, no comments behind a value. An unknown name or a value of the "
		"wrong type is an error, which names the file, the line and the column.\n\n"
		"Flags are yes, no, true, false, 1 or 0. Lists have commas or blanks between their "
		"members; an indented line goes on with the value above it.");
	g_string_append(page, ".Ss Which value counts\nThe first of these that has one:\n"
	                      ".Bl -enum -compact\n.It\nan option of the command line,\n"
	                      ".Fl Fl Ns Ar name ;\n.It\na variable,\n.Ev SLIPWAY_NAME ,\n"
	                      "if it is not empty;\n.It\n.Pa slipway.ini\nin the directory where "
	                      "slipway is started;\n.It\nthe user's file;\n.It\nthe system's "
	                      "file;\n.It\nthe default, or what the stack says.\n.El\n.Pp\n"
	                      "A list is put together of an option that is given several\ntimes, "
	                      "and of nothing else.\n.Ql slipway "
	                      "config\nshows each value, and where it comes from.\n"
	                      ".Sh SETTINGS\n.Bl -tag -width Ds\n");
	for (gsize i = 0; i < setting_count; i++)
		add_setting(page, &setting_table[i]);
	g_string_append(page, ".El\n");
	mdoc_files(page, "system-ini user-ini ini");
	g_string_append(page, ".Sh EXAMPLES\n");
	mdoc_literal(page, "[slipway]\n"
	                   "# a runner without a way to the internet\n"
	                   "yes = yes\n"
	                   "python-wheels = /srv/wheels\n"
	                   "mirror = https://github.com/=https://mirror.example/github/\n"
	                   "lock-timeout = 600");
	g_string_append(page, ".Sh SEE ALSO\n.Xr slipway 1 ,\n.Xr slipway-config 1 ,\n"
	                      ".Xr slipway-stack 5\n");
}
