/* tests/test_base_http_url.c - base/http_url: where a redirect may lead
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/http_private.h"

static void test_redirect_policy(void)
{
	static const struct {
		const char *from, *url;
		bool is_allowed;
	} rows[] = {
		{ "https://a.invalid/", "https://a.invalid:444/x", true },
		{ "https://a.invalid/", "https://A.invalid/x", true },
		{ "https://a.invalid/", "https://files.a.invalid/x", true },
		{ "https://a.invalid/", "https://b.invalid/x", false },
		{ "https://a.invalid/", "https://ba.invalid/x", false },
		{ "https://a.invalid/", "https://invalid/x", false },
		{ "https://a.invalid/", "https://a.invalid@b.invalid/x", false },
		{ "https://a.invalid/", "https://named.invalid/x", true },
		{ "https://a.invalid/", "https://deep.named.invalid/x", true },
		{ "https://a.invalid/", "https://misnamed.invalid/x", false },
		{ "https://github.com/a", "https://objects.githubusercontent.com/a", true },
		{ "https://github.com/a", "https://codeload.github.com/a", true },
		{ "https://github.com.invalid/a", "https://objects.githubusercontent.com/a",
		  false },
		{ "https://objects.githubusercontent.com/a", "https://github.com/a", false },
		{ "http://127.0.0.1:8/", "https://a.invalid/", false },
		{ "http://127.0.0.1:8/", "http://127.0.0.1/", true },
		{ "http://127.0.0.1:8/", "http://localhost/", true },
		{ "https://127.0.0.1/", "http://127.0.0.1/", false },
		{ "https://a.invalid/", "http://a.invalid/", false },
		{ "https://a.invalid/", "file:///etc/passwd", false },
		{ "http://127.0.0.1/", "file:///etc/passwd", false },
		{ "https://a.invalid/", "scp://a.invalid/", false },
	};
	static const char *const named[] = { "named.invalid", NULL };

	http_allow_redirects(named);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		HttpTarget from = { 0 };
		HttpTarget target = { 0 };
		g_autoptr(GError) error = NULL;

		g_assert_true(http_target_of(rows[i].from, false, &from, NULL));
		g_test_message("%s -> %s", rows[i].from, rows[i].url);
		g_assert_cmpint(
			http_target_of_redirect(rows[i].url, rows[i].from, &from, &target, &error),
			==, rows[i].is_allowed);
		g_assert_cmpint(error == NULL, ==, rows[i].is_allowed);
	}
	http_allow_redirects(NULL);
}

static void test_local_paths(void)
{
	static const struct {
		const char *url;
		const char *path;
	} rows[] = {
		{ "/srv/mirror", "/srv/mirror" },
		{ "file:///a%20b", "/a b" },
		{ "FILE:///a", "/a" },
		{ "file://other.invalid/a", "/a" },
		{ "file:///a%2Fb", NULL },
		{ "https://a.invalid/file:", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = http_local_path(rows[i].url);

		g_assert_cmpstr(path, ==, rows[i].path);
	}
}

static void test_loopback(void)
{
	static const struct {
		const char *url;
		bool is_loopback;
	} rows[] = {
		{ "http://127.0.0.1:8080/a", true },
		{ "http://127.9.9.9/", true },
		{ "http://localhost", true },
		{ "http://[::1]:80/", true },
		{ "https://localhost/", false }, /* not plain */
		{ "http://localhost:80@a.invalid/", false },
		{ "http://127.0.0.1:1@a.invalid/", false },
		{ "http://localhost.a.invalid/", false },
		{ "file:///a", false },
		{ "/a", false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_true(http_is_loopback(rows[i].url) == rows[i].is_loopback);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/http-url/redirect-policy", test_redirect_policy);
	g_test_add_func("/http-url/local-paths", test_local_paths);
	g_test_add_func("/http-url/loopback", test_loopback);
	return g_test_run();
}
