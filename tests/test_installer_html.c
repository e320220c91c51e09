/* tests/test_installer_html.c - installer/html: whose names a page tells, and what it makes of a text
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/html.h"

#include <string.h>

#include "base/secret.h"

typedef struct {
	const char *path;
	const char *text;
	const char *shown;
} Text;

static const Text texts[] = {
	{ "plain", "8.0 GiB", "8.0 GiB" },
	{ "home", "in /home/ana/.x and /home/ana", "in ~/.x and ~" },
	{ "home-of-another", "/home/anastasia", "/home/USER" },
	{ "home-within", "x/home/ana/y", "x~/y" },
	{ "user-on-windows", "/mnt/c/Users/Ana Maria/x", "/mnt/c/Users/USER Maria/x" },
	{ "nobody", "/home/ is empty, /home/", "/home/ is empty, /home/" },
	{ "user-in-url", "file:///home/bob:x", "file:///home/USER:x" },
	{ "host", "build7 is up, build7.", "HOST is up, HOST." },
	{ "host-within", "build77 and mybuild7 and build7-b", "build77 and mybuild7 and build7-b" },
	{ "host-in-url", "tcp://build7:2376", "tcp://HOST:2376" },
	{ "host-in-url-alone", "tcp://docker:2376, says docker", "tcp://HOST:2376, says docker" },
	{ "markup", "<b>&'\"", "&lt;b&gt;&amp;&apos;&quot;" },
	{ "control", "a\nb\x1b[2J\x7f", "a b [2J " },
	{ "no-utf-8", "a\xff z", "a\xef\xbf\xbd z" },
	{ "secret", "key sk-0123456789abcdef!", "key [masked]!" },
	{ "empty", "", "" },
};

static void test_text(gconstpointer data)
{
	const Text *text = data;
	g_autoptr(HtmlPage) page = html_page_new("/home/ana");

	html_hide(page, "build7", "HOST");
	html_hide(page, "://docker", "://HOST");
	html_hide_name(page, "/home/", "USER");
	html_hide_name(page, "/Users/", "USER");
	html_text(page, text->text);
	g_autofree char *all = html_end(page);
	g_autofree char *wanted = g_strconcat(text->shown, "</html>\n", NULL);
	g_assert_cmpstr(all, ==, wanted);
}

static void test_frame(void)
{
	g_autoptr(HtmlPage) page = html_page_new(NULL);

	html_begin(page, "a <title>", "p{margin:0}");
	html_element(page, "p class=\"bad\"", "100 % <bad>");
	html_markup(page, "<i>%d%%</i>", 7);
	g_autofree char *all = html_end(page);
	g_assert_true(g_str_has_prefix(all, "<!DOCTYPE html>"));
	g_assert_nonnull(strstr(all, "default-src 'none'"));
	g_assert_nonnull(strstr(all, "p{margin:0}</style>"));
	g_assert_nonnull(strstr(all, "<title>a &lt;title&gt;</title>\n<h1>a &lt;title&gt;</h1>"));
	g_assert_nonnull(strstr(all, "<p class=\"bad\">100 % &lt;bad&gt;</p><i>7%</i></html>"));
}

int main(int argc, char **argv)
{
	static const char secret[] = "sk-0123456789abcdef";

	g_test_init(&argc, &argv, NULL);
	secret_mask_value(secret, strlen(secret));
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *path = g_strconcat("/html/text/", texts[i].path, NULL);
		g_test_add_data_func(path, &texts[i], test_text);
	}
	g_test_add_func("/html/frame", test_frame);
	return g_test_run();
}
