/* tests/test_installer_manual.c - no page is missing, none says what the tables do not say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/command.h"
#include "installer/manual.h"
#include "installer/manual_stack.h"
#include "installer/manual_text.h"
#include "installer/step.h"
#include "payload/stack_format.h"

static bool has_setting(const char *name)
{
	for (gsize i = 0; i < setting_count; i++)
		if (strcmp(setting_table[i].name, name) == 0)
			return true;

	return false;
}

static bool has_status(const char *name)
{
	for (gsize i = 0; i < exit_status_count; i++)
		if (strcmp(exit_status_table[i].name, name) == 0)
			return true;

	return false;
}

static bool has_file(const char *name)
{
	for (gsize i = 0; i < manual_file_count; i++)
		if (strcmp(manual_file_table[i].name, name) == 0)
			return true;

	return false;
}

static void assert_each(const char *names, bool (*is_known)(const char *name), const char *of)
{
	g_auto(GStrv) list = g_strsplit(names, " ", -1);

	for (char **name = list; *name; name++)
		if (**name && !is_known(*name))
			g_error("%s: \"%s\" is in no table", of, *name);
}

/* A new command fails here until people are told about it. */
static void test_each_command_has_a_text(void)
{
	for (gsize i = 0; i < command_count; i++) {
		const ManualText *text = manual_text_find(command_table[i].name);

		if (!text)
			g_error("\"%s\" has no row in manual_text_table[]", command_table[i].name);
		g_assert_true(g_str_has_suffix(text->details, "."));
		g_assert_nonnull(strstr(text->example, "slipway "));
		assert_each(text->settings, has_setting, text->name);
		assert_each(text->statuses, has_status, text->name);
		assert_each(text->files, has_file, text->name);
	}
	g_assert_cmpuint(manual_text_count + manual_life_count, ==, command_count);
}

static void assert_line(const char *page, const char *format, const char *word)
{
	g_autofree char *line = g_strdup_printf("\n%s%s", format, word);
	const char *found = strstr(page, line);

	while (found && !strchr(" \n", found[strlen(line)]))
		found = strstr(found + 1, line);
	if (!found)
		g_error("there is no line \"%s\"", line + 1);
}

static void test_each_option_is_on_its_page(void)
{
	for (gsize i = 0; i < command_count; i++) {
		g_autofree char *page = manual_page(command_table[i].name);
		const GOptionEntry *entry = command_table[i].options;

		g_assert_nonnull(page);
		for (; entry && entry->long_name; entry++)
			assert_line(page, ".It Fl Fl ", entry->long_name);
	}
}

static void test_each_setting_is_on_two_pages(void)
{
	g_autofree char *program = manual_page("slipway");
	g_autofree char *ini = manual_page("slipway.ini.5");

	for (gsize i = 0; i < setting_count; i++) {
		assert_line(program, ".It Fl Fl ", setting_table[i].name);
		assert_line(ini, ".It Cm ", setting_table[i].name);
	}
}

static const char *about_kind(const char *kind, const char *key)
{
	for (gsize i = 0; i < manual_kind_count; i++)
		if (strcmp(manual_kind_table[i].kind, kind) == 0 &&
		    g_strcmp0(manual_kind_table[i].key, key) == 0)
			return manual_kind_table[i].about;

	return NULL;
}

static bool kind_has_key(const StepKind *kind, const char *key)
{
	for (const char *const *rule = kind->keys; *rule; rule++)
		if (strcmp(*rule + strspn(*rule, "!@*"), key) == 0)
			return true;

	return false;
}

static void test_each_key_of_a_step_is_told(void)
{
	g_autofree char *page = manual_page("slipway-stack");

	for (gsize i = 0; i < step_kind_count; i++) {
		const StepKind *kind = step_kind_table[i];

		assert_line(page, ".Ss kind = ", kind->name);
		g_assert_nonnull(about_kind(kind->name, NULL));
		for (const char *const *rule = kind->keys; *rule; rule++)
			if (!about_kind(kind->name, *rule + strspn(*rule, "!@*")))
				g_error("%s of kind %s is not told", *rule, kind->name);
	}
	for (gsize i = 0; i < manual_kind_count; i++) {
		const StepKind *kind = step_kind_find(manual_kind_table[i].kind);

		g_assert_nonnull(kind);
		g_assert_true(!manual_kind_table[i].key ||
		              kind_has_key(kind, manual_kind_table[i].key));
	}
}

static void test_each_key_of_a_section_is_told(void)
{
	g_autofree char *page = manual_page("slipway-stack");
	g_autoptr(json_t) sections = stack_format();
	gsize i = 0;
	gsize j = 0;
	json_t *section = NULL;
	json_t *key = NULL;

	g_assert_cmpuint(json_array_size(sections), >, 8);
	json_array_foreach(sections, i, section)
	{
		g_assert_true(g_str_has_suffix(json_text_or(section, "about", ""), "."));
		g_assert_cmpuint(json_array_size(json_object_get(section, "forms")), >=, 1);
		json_array_foreach(json_object_get(section, "keys"), j, key)
		{
			assert_line(page, ".It Cm ", json_text(key, "name"));
			g_assert_true(g_str_has_suffix(json_text_or(key, "about", ""), "."));
		}
	}
}

static const struct {
	const char *word;
	const char *title; /* (nullable): there is no such page */
} page_cases[] = {
	{ "slipway", ".Dt SLIPWAY 1\n" },
	{ "slipway.1", ".Dt SLIPWAY 1\n" },
	{ "slipway.ini", ".Dt SLIPWAY.INI 5\n" },
	{ "slipway.ini.5", ".Dt SLIPWAY.INI 5\n" },
	{ "slipway-stack", ".Dt SLIPWAY-STACK 5\n" },
	{ "install", ".Dt SLIPWAY-INSTALL 1\n" },
	{ "keys set", ".Dt SLIPWAY-KEYS-SET 1\n" },
	{ "slipway-keys-set", ".Dt SLIPWAY-KEYS-SET 1\n" },
	{ "slipway-keys-set.1", ".Dt SLIPWAY-KEYS-SET 1\n" },
	{ "slipway-stack.1", NULL },
	{ "slipway-keys", NULL },
	{ "nope", NULL },
	{ "", NULL },
	{ "../slipway", NULL },
};

static void test_names_of_pages(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(page_cases); i++) {
		g_autofree char *page = manual_page(page_cases[i].word);

		if (page_cases[i].title)
			g_assert_nonnull(strstr(page, page_cases[i].title));
		else
			g_assert_null(page);
	}
}

/* A reference leads to a page that is there. */
static void assert_references(const char *page)
{
	for (const char *at = strstr(page, "\n.Xr slipway"); at;
	     at = strstr(at + 1, "\n.Xr slipway")) {
		const char *name = at + strlen("\n.Xr ");
		gsize length = strcspn(name, " ");
		g_autofree char *file =
			g_strdup_printf("%.*s.%c", (int)length, name, name[length + 1]);
		g_autofree char *other = manual_page(file);

		if (!other)
			g_error("there is no page %s", file);
	}
}

static void test_all_are_written(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *place = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_auto(GStrv) names = manual_names();

	g_assert_true(manual_write(place, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(names), ==, command_count + 3);
	for (char **name = names; *name; name++) {
		g_autofree char *path =
			g_strdup_printf("%s/man%s/%s", place, strrchr(*name, '.') + 1, *name);
		g_autoptr(GBytes) bytes = file_read(path, 1 << 20, &error);
		g_autofree char *page = manual_page(*name);

		g_assert_no_error(error);
		g_autofree char *written =
			g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
		g_assert_cmpstr(written, ==, page);
		assert_references(page);
	}
	g_assert_true(tree_remove(place, NULL));
}

static void test_a_file_in_the_way(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *place = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(place, "man1", NULL);

	g_assert_true(file_write(file, "", 0, 0644, NULL));
	g_assert_false(manual_write(place, &error));
	g_assert_nonnull(error);
	g_assert_true(tree_remove(place, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/texts", test_each_command_has_a_text);
	g_test_add_func("/options", test_each_option_is_on_its_page);
	g_test_add_func("/settings", test_each_setting_is_on_two_pages);
	g_test_add_func("/step-keys", test_each_key_of_a_step_is_told);
	g_test_add_func("/section-keys", test_each_key_of_a_section_is_told);
	g_test_add_func("/names", test_names_of_pages);
	g_test_add_func("/written", test_all_are_written);
	g_test_add_func("/in-the-way", test_a_file_in_the_way);
	return g_test_run();
}
