/* tests/test_base_nearest.c - what somebody who mistyped a word may have meant
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/nearest.h"

static const struct {
	const char *name;
	const char *word;
	const char *best; /* NULL: none is near */
} row_table[] = {
	{ "/nearest/the-word-itself", "install", "install" },
	{ "/nearest/a-letter-missing", "instal", "install" },
	{ "/nearest/two-letters-turned", "chekc", "check" },
	{ "/nearest/capitals", "CHECK", "check" },
	{ "/nearest/a-third-of-it", "cheXY", "check" },
	{ "/nearest/more-than-a-third", "chXYZ", NULL },
	{ "/nearest/two-as-near", "up", "up" },
	{ "/nearest/the-nearer-one", "installs", "install" },
	{ "/nearest/first-of-the-same", "uninstall", "reinstall" },
	{ "/nearest/nothing-like-it", "wireguard", NULL },
	{ "/nearest/empty", "", NULL },
	{ "/nearest/longer-than-a-line",
	  "installinstallinstallinstallinstallinstallinstallinstallinstallinstall", NULL },
};

static void test_row(gconstpointer data)
{
	static const char *const candidates[] = { "check", "reinstall", "preinstall", "install",
		                                  "up" };
	const char *best = row_table[GPOINTER_TO_SIZE(data)].best;
	Nearest nearest = { .word = row_table[GPOINTER_TO_SIZE(data)].word };
	g_autofree char *expected =
		best ? g_strdup_printf("; did you mean \"%s\"?", best) : g_strdup("");

	for (gsize i = 0; i < G_N_ELEMENTS(candidates); i++)
		nearest_try(&nearest, candidates[i]);
	g_autofree char *hint = nearest_hint(&nearest);
	g_assert_cmpstr(nearest.best, ==, best);
	g_assert_cmpstr(hint, ==, expected);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(row_table); i++)
		g_test_add_data_func(row_table[i].name, GSIZE_TO_POINTER(i), test_row);

	return g_test_run();
}
