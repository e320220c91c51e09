/* tests/test_installer_block.c - a fenced block in a text: found, put, taken, and nothing else touched
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/block.h"

#define BLOCK "# >>> slipway one >>>\nline\n# <<< slipway one <<<\n"
#define OTHER "# >>> slipway two >>>\nline\n# <<< slipway two <<<\n"
#define FIRST "# >>> slipway one >>>\n"

static void test_find(void)
{
	static const struct {
		const char *text;
		BlockState state;
		gsize start; /* of a whole one */
	} rows[] = {
		{ "", BLOCK_NONE, 0 },
		{ "mine\n", BLOCK_NONE, 0 },
		{ OTHER, BLOCK_NONE, 0 },
		{ "echo " BLOCK, BLOCK_NONE, 0 }, /* a fence is a line */
		{ BLOCK, BLOCK_WHOLE, 0 },
		{ "mine\n" BLOCK "more\n", BLOCK_WHOLE, 5 },
		{ OTHER BLOCK, BLOCK_WHOLE, sizeof(OTHER) - 1 },
		{ FIRST, BLOCK_TORN, 0 },
		{ FIRST "line\n", BLOCK_TORN, 0 },
		{ FIRST "line\n # <<< slipway one <<<\n", BLOCK_TORN, 0 },
		{ "# <<< slipway one <<<\n" FIRST, BLOCK_TORN, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		BlockPlace place = { 0 };

		g_test_message("%s", rows[i].text);
		g_assert_cmpint(block_find(rows[i].text, "one", &place), ==, rows[i].state);
		if (rows[i].state != BLOCK_WHOLE)
			continue;
		g_assert_cmpuint(place.start, ==, rows[i].start);
		g_assert_cmpuint(place.end, ==, rows[i].start + sizeof(BLOCK) - 1);
	}
}

/* Putting and taking is nothing, whatever stood there; and twice is once. */
static void test_put_and_take(void)
{
	static const char *const texts[] = {
		"", "mine\n", "mine", "\n", "\n\n", OTHER, "a\n" OTHER
	};
	g_autofree char *block = block_new("one", "line\n");

	g_assert_cmpstr(block, ==, BLOCK);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		bool is_glued = *texts[i] && !g_str_has_suffix(texts[i], "\n");
		g_autofree char *with = block_put(texts[i], NULL, block);
		BlockPlace place = { 0 };

		g_assert_cmpint(block_find(with, "one", &place), ==, BLOCK_WHOLE);
		g_autofree char *again = block_put(with, &place, block);
		g_assert_cmpstr(again, ==, with);
		g_autofree char *without = block_take(with, &place, is_glued);
		g_assert_cmpstr(without, ==, texts[i]);

		/* What a person wrote behind it stays a line of its own. */
		g_autofree char *longer = g_strconcat(with, "later\n", NULL);
		g_autofree char *rest = block_take(longer, &place, is_glued);
		g_assert_true(g_str_has_prefix(rest, texts[i]));
		g_assert_true(g_str_equal(rest, "later\n") || g_str_has_suffix(rest, "\nlater\n"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/block/find", test_find);
	g_test_add_func("/block/put-and-take", test_put_and_take);
	return g_test_run();
}
