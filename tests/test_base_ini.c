/* tests/test_base_ini.c - base/ini: what is accepted, what is refused, and where
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/ini.h"

static IniFile *parse(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return ini_parse_bytes(bytes, "t.ini", error);
}

static void test_reads_values(void)
{
	static const struct {
		const char *text;
		const char *value; /* of [s] k */
		guint line;
		guint column;
	} rows[] = {
		{ "[s]\nk = v\n", "v", 2, 5 },
		{ "[s]\nk=v", "v", 2, 3 },
		{ "[s]\nk = v \t\n", "v", 2, 5 },
		{ "\xEF\xBB\xBF[s]\r\nk = v\r\n", "v", 2, 5 },
		{ "\r\n# c\n; c\n  # c\n[ s ] \n\nk\t=\tv", "v", 7, 5 },
		{ "[s]\nk = a ; b # c = d : e\n", "a ; b # c = d : e", 2, 5 },
		{ "[s]\nk = \"a\\n\"\n", "\"a\\n\"", 2, 5 },
		{ "[s]\nk =\n", "", 2, 4 },
		{ "[s]\nk = a\n  b\n\tc\nl = d\n", "a\nb\nc", 2, 5 },
		{ "[s]\nk =\n  b = 1\n\n  [c]\n", "b = 1\n[c]", 2, 4 },
		{ "[s]\nk = a\n # comment\n b\n", "a\nb", 2, 5 },
		{ "[s]\nk = \xC3\xBC=\xE6\x97\xA5\n", "\xC3\xBC=\xE6\x97\xA5", 2, 5 },
		{ "[t]\nk = 1\n[s]\nk = 2\n", "2", 4, 5 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(IniFile) ini = parse(rows[i].text, &error);

		g_assert_no_error(error);
		const IniEntry *entry = ini_find(ini, "s", "k");
		g_assert_nonnull(entry);
		g_assert_cmpstr(entry->value, ==, rows[i].value);
		g_assert_cmpuint(entry->line, ==, rows[i].line);
		g_assert_cmpuint(entry->column, ==, rows[i].column);
	}
}

static void test_refuses(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "k = v\n", "t.ini:1:1: key without a section" },
		{ "# c\nk\n", "t.ini:2:1: key without a section" },
		{ " k = v\n", "t.ini:1:2: indented line without a value above it" },
		{ "[s]\n  k = v\n", "t.ini:2:3: indented line without a value above it" },
		{ "[s\n", "t.ini:1:1: \"[\" is not closed" },
		{ "[]\n", "t.ini:1:1: empty section name" },
		{ "[ ]\n", "t.ini:1:1: empty section name" },
		{ "[s] x\n", "t.ini:1:5: text after \"]\"" },
		{ "[s] ; x\n", "t.ini:1:5: text after \"]\"" },
		{ "[s]\nk\n", "t.ini:2:1: no \"=\" in this line" },
		{ "[s]\nk: v\n", "t.ini:2:1: no \"=\" in this line" },
		{ "[s]\nk:l = v\n", "t.ini:2:2: \":\" or \";\" in a name" },
		{ "[s]\nk ;l = v\n", "t.ini:2:3: \":\" or \";\" in a name" },
		{ "[s ;]\n", "t.ini:1:4: \":\" or \";\" in a name" },
		{ "[s]\n= v\n", "t.ini:2:1: empty key" },
		{ "[s]\nk = 1\nl = 2\nk = 3\n", "t.ini:4:1: duplicate key" },
		{ "[s]\n[t]\n[s]\n", "t.ini:3:1: duplicate section" },
		{ "[s]\n[ s ]\n", "t.ini:2:1: duplicate section" },
		{ "[s]\nk = a\x1b[2J\n", "t.ini:2:6: control byte" },
		{ "[s]\nk = a\rb\n", "t.ini:2:6: control byte" },
		{ "[s]\nk = a\x7f\n", "t.ini:2:6: control byte" },
		{ "[s]\nk = a\xff\n", "t.ini:2:6: not UTF-8" },
		{ "# \xC0\x80\n", "t.ini:1:3: not UTF-8" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(rows[i].text, &error));
		g_assert_error(error, FAULT, STATUS_CONFIG);
		g_assert_cmpstr(error->message, ==, rows[i].message);
	}
}

static void test_refuses_nul(void)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("[s]\nk = a\0b\n", 12);
	g_autoptr(GError) error = NULL;

	g_assert_null(ini_parse_bytes(bytes, "t.ini", &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_cmpstr(error->message, ==, "t.ini:2:6: NUL byte");
}

/* Sizes just inside and just outside; @prefix and @suffix around @count times 'x'. */
static void test_bounds(void)
{
	static const struct {
		const char *prefix;
		gsize count;
		const char *suffix;
		const char *message; /* NULL: accepted */
	} rows[] = {
		{ "[s]\nk = ", INI_MAX_LINE - 4, "\n", NULL },
		{ "[s]\nk = ", INI_MAX_LINE - 4, "\r\n", NULL },
		{ "[s]\nk = ", INI_MAX_LINE - 3, "\n", "t.ini:2:4097: line too long" },
		{ "[s]\n# ", INI_MAX_LINE, "", "t.ini:2:4097: line too long" },
		{ "[", 49, "]\n", NULL },
		{ "[", 50, "]\n", "t.ini:1:2: name over 49 bytes" },
		{ "[s]\n", 49, " = v\n", NULL },
		{ "[s]\n", 50, " = v\n", "t.ini:2:1: name over 49 bytes" },
		{ "", INI_MAX_BYTES + 1, "", "t.ini:1:1: larger than 256 KiB" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *run = g_strnfill(rows[i].count, 'x');
		g_autofree char *text = g_strconcat(rows[i].prefix, run, rows[i].suffix, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(IniFile) ini = parse(text, &error);

		g_assert_cmpstr(error ? error->message : NULL, ==, rows[i].message);
		g_assert_true(!ini == !!error);
		if (ini && ini_entries(ini)->len == 1) {
			const IniEntry *entry = g_ptr_array_index(ini_entries(ini), 0);
			g_assert_cmpuint(strlen(entry->key) + strlen(entry->value), ==,
			                 rows[i].count + 1);
		}
	}
}

static void test_keeps_order_and_empty_sections(void)
{
	g_autoptr(IniFile) ini = parse("[b]\nz = 1\na = 2\n[empty]\n[a]\nz = 3\n[last]", NULL);
	static const char *const sections[] = { "b", "empty", "a", "last" };
	static const char *const keys[] = { "z", "a", "z" };

	g_assert_cmpuint(ini_sections(ini)->len, ==, G_N_ELEMENTS(sections));
	for (guint i = 0; i < G_N_ELEMENTS(sections); i++)
		g_assert_cmpstr(g_ptr_array_index(ini_sections(ini), i), ==, sections[i]);
	g_assert_cmpuint(ini_entries(ini)->len, ==, G_N_ELEMENTS(keys));
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		const IniEntry *entry = g_ptr_array_index(ini_entries(ini), i);
		g_assert_cmpstr(entry->key, ==, keys[i]);
	}
	g_assert_cmpstr(ini_value(ini, "a", "z"), ==, "3");
	g_assert_null(ini_value(ini, "empty", "z"));
	g_assert_null(ini_value(ini, "b", "nothing"));
}

static void test_sizes(void)
{
	static const struct {
		const char *value;
		bool is_valid;
		guint64 size_bytes;
	} rows[] = {
		{ "4096", true, 4096 },
		{ "0", true, 0 },
		{ "7 B", true, 7 },
		{ "512 MiB", true, G_GUINT64_CONSTANT(512) << 20 },
		{ "12GiB", true, G_GUINT64_CONSTANT(12) << 30 },
		{ "1 TiB", true, G_GUINT64_CONSTANT(1) << 40 },
		{ "18446744073709551615", true, G_MAXUINT64 },
		{ "18446744073709551616", false, 0 },
		{ "16777216 TiB", false, 0 },
		{ "", false, 0 },
		{ "GiB", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ "1.5 GiB", false, 0 },
		{ "1e999", false, 0 },
		{ "NaN", false, 0 },
		{ "1 GB", false, 0 },
		{ "1 GiB x", false, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat("[s]\nk = ", rows[i].value, NULL);
		g_autoptr(IniFile) ini = parse(text, NULL);
		g_autoptr(GError) error = NULL;
		guint64 size_bytes = 0;

		g_assert_cmpint(ini_size(ini, ini_find(ini, "s", "k"), &size_bytes, &error), ==,
		                rows[i].is_valid);
		g_assert_cmpuint(size_bytes, ==, rows[i].size_bytes);
		if (!rows[i].is_valid) {
			g_assert_error(error, FAULT, STATUS_CONFIG);
			g_assert_true(g_str_has_prefix(error->message, "t.ini:2:"));
		}
	}
}

static void test_numbers(void)
{
	static const struct {
		const char *value;
		bool is_valid;
	} rows[] = { { "1024", true }, { "65535", true }, { "1023", false },  { "65536", false },
		     { "", false },    { "-1", false },   { "8 000", false }, { "0x1F90", false } };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat("[s]\nk = ", rows[i].value, NULL);
		g_autoptr(IniFile) ini = parse(text, NULL);
		g_autoptr(GError) error = NULL;
		guint64 number = 0;

		g_assert_cmpint(ini_number(ini, ini_find(ini, "s", "k"), (IniRange){ 1024, 65535 },
		                           &number, &error),
		                ==, rows[i].is_valid);
		g_assert_cmpint(error == NULL, ==, rows[i].is_valid);
	}
}

static void test_lists(void)
{
	g_auto(GStrv) parts = ini_list(" a, b\tc\n,,d ");
	g_autofree char *joined = g_strjoinv("|", parts);
	g_auto(GStrv) none = ini_list(" , ");

	g_assert_cmpstr(joined, ==, "a|b|c|d");
	g_assert_null(none[0]);
}

static void test_reads_files(void)
{
	g_autofree char *directory = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "a.ini", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(ini_read(path, &error));
	g_assert_error(error, FAULT, STATUS_CANNOT_CREATE);
	g_clear_error(&error);

	g_assert_true(g_file_set_contents(path, "[s]\nk = v\n[t", -1, NULL));
	g_assert_null(ini_read(path, &error));
	g_autofree char *place = g_strconcat(path, ":3:1: ", NULL);
	g_assert_true(g_str_has_prefix(error->message, place));

	g_assert_true(g_file_set_contents(path, "[s]\nk = v\n", -1, NULL));
	g_autoptr(IniFile) ini = ini_read(path, NULL);
	g_assert_cmpstr(ini_value(ini, "s", "k"), ==, "v");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(directory), ==, 0);
}

static void test_peek(void)
{
	static const char text[] = "# [needs]\n[first]\nname = 1\n\n[needs]\nengine-disk = "
				   "50\nengine =  20.10 \n[needs x]\n"
				   "cpus = 2\nname = last";
	static const struct {
		const char *section, *key, *value;
	} cases[] = {
		{ "needs", "engine", "20.10" }, { "needs", "engine-disk", "50" },
		{ "needs", "cpus", NULL },      { "needs x", "name", "last" },
		{ "first", "engine", NULL },    { "none", "name", NULL },
	};
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *value = ini_peek(bytes, cases[i].section, cases[i].key);

		g_assert_cmpstr(value, ==, cases[i].value);
	}
	g_assert_null(ini_peek(empty, "needs", "engine"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ini/reads-values", test_reads_values);
	g_test_add_func("/ini/refuses", test_refuses);
	g_test_add_func("/ini/refuses-nul", test_refuses_nul);
	g_test_add_func("/ini/bounds", test_bounds);
	g_test_add_func("/ini/keeps-order-and-empty-sections", test_keeps_order_and_empty_sections);
	g_test_add_func("/ini/sizes", test_sizes);
	g_test_add_func("/ini/numbers", test_numbers);
	g_test_add_func("/ini/lists", test_lists);
	g_test_add_func("/ini/reads-files", test_reads_files);
	g_test_add_func("/ini/peek", test_peek);
	return g_test_run();
}
