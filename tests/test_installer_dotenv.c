/* tests/test_installer_dotenv.c - values that all programs read alike, faults that are never guessed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/secret.h"
#include "installer/dotenv.h"

static Dotenv *parse(const char *text, gsize size, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);

	return dotenv_parse(bytes, "x.env", error);
}

/* One assignment: its value ("" for an empty one), or a word of its fault. */
static void test_values(void)
{
	static const struct {
		const char *line;
		const char *value; /* NULL: a fault */
		const char *fault;
	} cases[] = {
		{ "K=abc", "abc", NULL },
		{ "K=sk-proj_A1/b+c=.:,@%^*!?[]{}", "sk-proj_A1/b+c=.:,@%^*!?[]{}", NULL },
		{ "  export \t K=abc", "abc", NULL },
		{ "exportK=abc", "abc", NULL },
		{ "export=abc", "abc", NULL },
		{ "_k9=1", "1", NULL },
		{ "K=", "", NULL },
		{ "K=''", "", NULL },
		{ "K=\"\"", "", NULL },
		{ "K=abc   ", "abc", NULL },
		{ "K=abc # why", "abc", NULL },
		{ "K=abc\t#why", "abc", NULL },
		{ "K= # why", "", NULL },
		{ "K=abc\r", "abc", NULL },
		{ "K='a b'", "a b", NULL },
		{ "K='$(id) `x` \\n # \"'", "$(id) `x` \\n # \"", NULL },
		{ "K='a' # why", "a", NULL },
		{ "K=\"a b # 'c'\"", "a b # 'c'", NULL },
		{ "K=\"-----BEGIN\\nX\\n-----END\\n\"", "-----BEGIN\nX\n-----END\n", NULL },
		{ "K=\xc3\xbc", "\xc3\xbc", NULL },
		{ "\xef\xbb\xbfK=abc", "abc", NULL },
		{ "K=a b", NULL, "blanks in it" },
		{ "K= abc", NULL, "blanks around" },
		{ "K =abc", NULL, "blanks around" },
		{ "K = abc", NULL, "blanks around" },
		{ "K=a#b", NULL, "has a # in it" },
		{ "K=#b", NULL, "has a # in it" },
		{ "K=$OTHER", NULL, "replace" },
		{ "K=a`id`", NULL, "replace" },
		{ "K=a\\b", NULL, "replace" },
		{ "K=a'b'", NULL, "replace" },
		{ "K=a\"b", NULL, "replace" },
		{ "K=~/key", NULL, "~" },
		{ "K=a;b", NULL, "end it" },
		{ "K=a&b", NULL, "end it" },
		{ "K=a|b", NULL, "end it" },
		{ "K=(a)", NULL, "end it" },
		{ "K='a", NULL, "not closed" },
		{ "K='", NULL, "not closed" },
		{ "K=\"a", NULL, "not closed" },
		{ "K=\"a\\", NULL, "replace" },
		{ "K='a'b", NULL, "behind its closing quote" },
		{ "K='a'#b", NULL, "behind its closing quote" },
		{ "K='a''b'", NULL, "behind its closing quote" },
		{ "K=\"a\"b", NULL, "behind its closing quote" },
		{ "K='a\\'b'", NULL, "single quotes" },
		{ "K='a\\\\b'", NULL, "single quotes" },
		{ "K=\"$A\"", NULL, "replace" },
		{ "K=\"${A}\"", NULL, "replace" },
		{ "K=\"\\t\"", NULL, "replace" },
		{ "K=\"\\\"\"", NULL, "replace" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Dotenv) file = parse(cases[i].line, strlen(cases[i].line), &error);

		g_assert_no_error(error);
		g_assert_cmpuint(dotenv_entries(file)->len, ==, 1);
		const DotenvEntry *entry = g_ptr_array_index(dotenv_entries(file), 0);
		if (!cases[i].value) {
			g_assert_nonnull(entry->fault);
			g_assert_nonnull(strstr(entry->fault, cases[i].fault));
			g_assert_null(entry->value);
			continue;
		}
		g_assert_cmpstr(entry->fault, ==, NULL);
		g_assert_cmpstr(entry->value ? secret_text(entry->value) : "", ==, cases[i].value);
		g_assert_true((entry->value == NULL) == (cases[i].value[0] == '\0'));
	}
}

static void test_files_that_are_refused(void)
{
	static const struct {
		const char *text;
		gsize size; /* 0: up to the NUL */
		const char *message;
	} cases[] = {
		{ "A=1\nhello\n", 0, "x.env:2: the line is not NAME=VALUE" },
		{ "A=1\n\n9A=2\n", 0, "x.env:3: the line is not NAME=VALUE" },
		{ "my-key=1", 0, "x.env:1: the line is not NAME=VALUE" },
		{ "export A\n", 0, "x.env:1: the line is not NAME=VALUE" },
		{ "=1\n", 0, "x.env:1: the line is not NAME=VALUE" },
		{ "{\"A\": 1}\n", 0, "x.env:1: the line is not NAME=VALUE" },
		{ "[section]\n", 0, "x.env:1: the line is not NAME=VALUE" },
		{ "A=1\nB=\0\n", 8, "x.env:2: the line has a NUL byte in it" },
		{ "\xff\xfe"
		  "A\0=\0",
		  6, "x.env:1: the line is not UTF-8 text" },
		{ "A=1\nB=\xff\n", 0, "x.env:2: the line is not UTF-8 text" },
		{ "A=1\nB=\xc3", 0, "x.env:2: the line is not UTF-8 text" },
		{ "A=1\rB=2\n", 0, "x.env:1: the line has a control byte in it" },
		{ "A=\x1b[31m\n", 0, "x.env:1: the line has a control byte in it" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gsize size = cases[i].size ? cases[i].size : strlen(cases[i].text);
		g_autoptr(Dotenv) file = parse(cases[i].text, size, &error);

		g_assert_null(file);
		g_assert_error(error, FAULT, STATUS_DATA);
		g_assert_cmpstr(error->message, ==, cases[i].message);
	}
}

static void test_the_same_name_twice(void)
{
	static const char text[] = "A=1\nB=2\nA=3\n";
	g_autoptr(Dotenv) file = parse(text, strlen(text), NULL);
	const GPtrArray *entries = dotenv_entries(file);

	g_assert_cmpuint(entries->len, ==, 3);
	g_assert_null(((const DotenvEntry *)entries->pdata[0])->fault);
	const DotenvEntry *second = entries->pdata[2];
	g_assert_nonnull(strstr(second->fault, "earlier line"));
	g_assert_cmpuint(second->line, ==, 3);
}

static void test_too_many(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 1025; i++)
		g_string_append_printf(text, "A%u=x\n", i);
	g_assert_null(parse(text->str, text->len, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
	g_assert_nonnull(strstr(error->message, "x.env:1025:"));
}

/* All that is not the value of a key stays to the last byte. */
static void test_comment_out(void)
{
#define KEPT(name) "# " name ": slipway keeps it now, see \"slipway keys get\""
	static const char *const names[] = { "A", "C", NULL };
	static const struct {
		const char *before;
		const char *after;
	} cases[] = {
		{ "A=1\n# note\nB=2\nexport C='3' # why\n\nD=4",
		  KEPT("A") "\n# note\nB=2\n" KEPT("C") "\n\nD=4" },
		{ "\xef\xbb\xbf"
		  "A=1\r\nB=2\r\nC=3",
		  "\xef\xbb\xbf" KEPT("A") "\r\nB=2\r\n" KEPT("C") },
		{ "A=1\nA=2\n", KEPT("A") "\n" KEPT("A") "\n" },
		{ "B=1\n", "B=1\n" },
		{ "", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Dotenv) file = parse(cases[i].before, strlen(cases[i].before), NULL);
		g_autoptr(GBytes) text = dotenv_comment_out(file, names);
		g_autofree char *after =
			g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));

		g_assert_cmpstr(after, ==, cases[i].after);
	}
#undef KEPT
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/installer/dotenv/values", test_values);
	g_test_add_func("/installer/dotenv/refused", test_files_that_are_refused);
	g_test_add_func("/installer/dotenv/twice", test_the_same_name_twice);
	g_test_add_func("/installer/dotenv/too-many", test_too_many);
	g_test_add_func("/installer/dotenv/comment-out", test_comment_out);
	return g_test_run();
}
