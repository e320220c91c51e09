/* tests/test_installer_key_verify.c - the table of providers, and what is never sent to one
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/secret.h"
#include "installer/key_verify.h"
#include "installer/keys.h"

/* A mistake in a row would send a key somewhere else, or in the clear. */
static void test_table(void)
{
	for (gsize i = 0; i < key_provider_count; i++) {
		const KeyProvider *row = &key_provider_table[i];

		g_test_message("%s", row->name);
		g_assert_true(keys_is_variable(row->name));
		g_assert_false(keys_is_steering(row->name));
		g_assert_true(key_provider_find(row->name) == row); /* once */
		g_assert_true((row->url == NULL) == (row->why_not != NULL));
		if (!row->url)
			continue;
		g_assert_true(g_str_has_prefix(row->url, "https://"));
		g_assert_null(strpbrk(row->url, "?#@%"));
		g_assert_true(g_str_has_suffix(row->header, " "));
		g_assert_nonnull(strchr(row->header, ':'));
		g_assert_true(!row->refused ||
		              (row->refused[0] == ' ' && g_str_has_suffix(row->refused, " ")));
	}
}

static void test_words(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (int verdict = KEY_VALID; verdict <= KEY_MISSING; verdict++)
		g_assert_true(g_hash_table_add(
			seen, (char *)(guintptr)key_verdict_name((KeyVerdict)verdict)));
}

static void test_nobody_to_ask(void)
{
	static const char *const names[] = { "MY_OWN_KEY", "AZURE_API_KEY", "openai_api_key" };
	g_autoptr(GBytes) secret = secret_new("some-secret", strlen("some-secret"));
	App app = { 0 }; /* nothing of it is looked at */

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *why = NULL;

		g_assert_cmpint(key_verify(&app, names[i], secret, &why), ==, KEY_UNVERIFIABLE);
		g_assert_nonnull(why);
	}
}

static void test_no_second_header(void)
{
	static const char *const values[] = { "sk-1\nX: 1", "sk-1\r\nX: 1", "sk-\x01",
		                              "sk-\xc3\xa4" };
	App app = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		g_autoptr(GBytes) secret = secret_new(values[i], strlen(values[i]));
		g_autofree char *why = NULL;

		g_assert_cmpint(key_verify(&app, "OPENAI_API_KEY", secret, &why), ==, KEY_REFUSED);
		g_assert_null(strstr(why, values[i]));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/installer/key-verify/table", test_table);
	g_test_add_func("/installer/key-verify/words", test_words);
	g_test_add_func("/installer/key-verify/nobody-to-ask", test_nobody_to_ask);
	g_test_add_func("/installer/key-verify/no-second-header", test_no_second_header);
	return g_test_run();
}
