/* installer/manual.c - which manual pages there are, and slipway(1)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/manual.h"

#include <string.h>

#include "base/file.h"
#include "installer/manual_private.h"

/* The pages that are not of a command. */
static const struct {
	const char *name;
	const char *section;
	void (*make)(GString *page);
} page_table[] = {
	{ "slipway", "1", manual_make_program },
	{ "slipway-stack", "5", manual_make_stack },
	{ "slipway.ini", "5", manual_make_ini },
};

char *manual_name_of(const Command *command)
{
	char *name = g_strconcat("slipway-", command->name, NULL);

	return g_strdelimit(name, " ", '-');
}

char **manual_names(void)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (gsize i = 0; i < G_N_ELEMENTS(page_table); i++)
		g_ptr_array_add(names,
		                g_strconcat(page_table[i].name, ".", page_table[i].section, NULL));
	for (gsize i = 0; i < command_count; i++) {
		g_autofree char *name = manual_name_of(&command_table[i]);
		g_ptr_array_add(names, g_strconcat(name, ".1", NULL));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), false);
}

/* "slipway-stack", "slipway-stack.5" */
static bool is_page(const char *word, const char *name, const char *section)
{
	gsize length = strlen(name);

	return strncmp(word, name, length) == 0 &&
	       (word[length] == '\0' ||
	        (word[length] == '.' && g_str_equal(word + length + 1, section)));
}

static bool make_page(GString *page, const char *word)
{
	for (gsize i = 0; i < G_N_ELEMENTS(page_table); i++)
		if (is_page(word, page_table[i].name, page_table[i].section)) {
			page_table[i].make(page);
			return true;
		}

	for (gsize i = 0; i < command_count; i++) {
		g_autofree char *name = manual_name_of(&command_table[i]);

		if (g_str_equal(word, command_table[i].name) || is_page(word, name, "1")) {
			manual_make_command(page, &command_table[i]);
			return true;
		}
	}
	return false;
}

char *manual_page(const char *word)
{
	g_autoptr(GString) page = g_string_new(NULL);

	return make_page(page, word) ? g_string_free(g_steal_pointer(&page), false) : NULL;
}

static bool write_page(const char *directory, const char *name, GError **error)
{
	g_autofree char *folder = g_strdup_printf("%s/man%s", directory, strrchr(name, '.') + 1);
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = manual_page(name);

	g_return_val_if_fail(text, false);
	return file_make_dirs(folder, 0755, NULL, error) &&
	       file_write(path, text, strlen(text), 0644, error);
}

bool manual_write(const char *directory, GError **error)
{
	g_autofree char *place = g_canonicalize_filename(directory, NULL);
	g_auto(GStrv) names = manual_names();

	for (char **name = names; *name; name++)
		if (!write_page(place, *name, error))
			return false;

	return true;
}

/* On the line of its command, where "--" is an option without a name. */
static char *show_arguments(const char *arguments)
{
	if (g_str_has_prefix(arguments, "-- "))
		return g_strconcat(" Fl Fl Ar ", arguments + 3, NULL);
	return *arguments ? g_strconcat(" Ar ", arguments, NULL) : g_strdup("");
}

static void add_commands(GString *page)
{
	g_string_append(page, ".Sh COMMANDS\nEach has a manual page of its own, such as\n"
	                      ".Xr slipway-install 1 .\n.Bl -tag -width Ds\n");
	for (gsize i = 0; i < command_count; i++) {
		const Command *command = &command_table[i];

		g_autofree char *shown = show_arguments(command->arguments);

		g_string_append_printf(page, ".It Cm %s%s\n", command->name, shown);
		mdoc_phrase(page, command->summary);
	}
	g_string_append(page, ".El\n");
}

static void add_settings(GString *page)
{
	g_string_append(page, ".Sh SETTINGS\nEach is an option of every command; a variable\n"
	                      ".Ev SLIPWAY_NAME\n(in capitals, with _) and a line in\n"
	                      ".Xr slipway.ini 5\ndo the same, for good.\n"
	                      ".Bl -tag -width Ds\n");
	for (gsize i = 0; i < setting_count; i++)
		mdoc_option(page, setting_table[i].name, setting_table[i].argument,
		            setting_table[i].meaning);
	g_string_append(page, ".El\n");
}

static void add_see_also(GString *page)
{
	g_autoptr(GPtrArray) pages = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < command_count; i++) {
		g_autofree char *name = manual_name_of(&command_table[i]);
		g_ptr_array_add(pages, g_strconcat(name, " 1", NULL));
	}
	g_ptr_array_add(pages, g_strdup("slipway-stack 5"));
	g_ptr_array_add(pages, g_strdup("slipway.ini 5"));
	mdoc_see_also(page, pages);
}

void manual_make_program(GString *page)
{
	static const MdocHead head = { "slipway", "1",
		                       "take a machine to a running local-AI stack, and back" };

	mdoc_head(page, &head);
	g_string_append(page, ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar option ...\n"
	                      ".Op Ar argument ...\n.Sh DESCRIPTION\n.Nm\n");
	mdoc_text(
		page,
		"checks a machine, installs what a stack needs through the machine's own package "
		"manager, unpacks the stack, keeps its keys in an encrypted file, and proves that "
		"it works. Every change is written down before it is made, so that an interrupted "
		"run can be finished or taken back.\n\n"
		"A STACK is the name of one that the program carries, a directory with a "
		"stack.ini, "
		"or an archive (.tar.zst, .tar.gz, .tar.xz) of one.\n\n"
		"The result goes to the standard output, everything for people to the standard "
		"error. Nothing is asked where nobody can answer: without a terminal, with --yes, "
		"or with CI in the environment. With --json the result is one document with "
		"\"schema\", \"command\", \"exit\", \"status\" and, after a failure, \"error\".");
	add_commands(page);
	add_settings(page);
	g_string_append(page, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
	                      ".It Ev CI\nNothing is asked.\n"
	                      ".It Ev NO_COLOR\nNo colours.\n"
	                      ".It Ev SLIPWAY_NAME\nThe setting of that name.\n"
	                      ".It Ev https_proxy , SSL_CERT_FILE\n"
	                      "Reach every program that slipway runs.\n.El\n");
	mdoc_files(page, NULL);
	mdoc_statuses(page, NULL);
	g_string_append(page, ".Sh EXAMPLES\n");
	mdoc_literal(page, "slipway check localagent\nslipway install localagent\n"
	                   "slipway status\nslipway uninstall localagent");
	add_see_also(page);
}
