/* tests/test_base_term_text.c - base/term_text: columns, cutting, wrapping
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/term_private.h"

static void test_text_width_and_fit(void)
{
	static const struct {
		const char *text;
		guint width;
		const char *fit; /* in 5 columns */
	} rows[] = {
		{ "", 0, "" },
		{ "abcde", 5, "abcde" },
		{ "abcdef", 6, "ab..." },
		{ "\xC3\xA4\xC3\xB6\xC3\xBC", 3, "\xC3\xA4\xC3\xB6\xC3\xBC" },
		{ "e\xCC\x81", 1, "e\xCC\x81" },
		{ "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 6, "\xE6\x97\xA5..." },
		{ "\x1b[1mab\x1b[0m", 2, "ab" },
		{ "a\xE6\x97\xA5\xE6\x97\xA5z", 6, "a..." },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *fit = term_text_fit(rows[i].text, 5, "...");

		g_assert_cmpuint(term_text_width(rows[i].text), ==, rows[i].width);
		g_assert_cmpstr(fit, ==, rows[i].fit);
	}
}

static void test_text_wrap(void)
{
	static const struct {
		const char *text;
		const char *lines; /* in 8 columns, joined by '|' */
	} rows[] = {
		{ "", "" },
		{ "one", "one" },
		{ "one two three", "one two|three" },
		{ "abcdefghijkl mn", "abcdefgh|ijkl mn" },
		{ "a\n\nb", "a||b" },
		{ "12345678 9", "12345678|9" },
		{ "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5",
		  "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5|\xE6\x97\xA5" },
		{ "  ab cd ef", "  ab cd|ef" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) lines = term_text_wrap(rows[i].text, 8);

		g_ptr_array_add(lines, NULL);
		g_autofree char *joined = g_strjoinv("|", (char **)lines->pdata);
		g_assert_cmpstr(joined, ==, rows[i].lines);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/term-text/width-and-fit", test_text_width_and_fit);
	g_test_add_func("/term-text/wrap", test_text_wrap);
	return g_test_run();
}
