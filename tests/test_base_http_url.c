/* tests/test_base_http_url.c - base/http_url: where a redirect may lead
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/http_private.h"

static void test_redirect_policy(void)
{
	static const struct {
		const char *url;
		HttpScheme from;
		bool is_allowed;
	} rows[] = {
		{ "https://a.invalid/", HTTP_SCHEME_HTTPS, true },
		{ "https://a.invalid/", HTTP_SCHEME_HTTP, true },
		{ "http://127.0.0.1/", HTTP_SCHEME_HTTP, true },
		{ "http://127.0.0.1/", HTTP_SCHEME_HTTPS, false },
		{ "http://a.invalid/", HTTP_SCHEME_HTTPS, false },
		{ "file:///etc/passwd", HTTP_SCHEME_HTTPS, false },
		{ "file:///etc/passwd", HTTP_SCHEME_HTTP, false },
		{ "scp://a.invalid/", HTTP_SCHEME_HTTPS, false },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const HttpTarget from = { .scheme = rows[i].from };
		HttpTarget target = { 0 };
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(http_target_of_redirect(rows[i].url, &from, &target, &error), ==,
		                rows[i].is_allowed);
		g_assert_cmpint(error == NULL, ==, rows[i].is_allowed);
	}
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
