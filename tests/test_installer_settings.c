/* tests/test_installer_settings.c - which value wins, and what is refused
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/settings.h"

typedef struct {
	char *dir;
	Paths paths;
} Fixture;

static void put(const Fixture *it, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(it->dir, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(file_make_dirs(parent, 0700, NULL, NULL));
	g_assert_true(file_write(path, text, strlen(text), 0600, NULL));
}

static void set_up(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	it->dir = g_dir_make_tmp("slipway-settings-XXXXXX", NULL);
	it->paths.home = g_strdup(it->dir);
	it->paths.config = g_build_filename(it->dir, "config", NULL);
	g_assert_cmpint(g_chdir(it->dir), ==, 0);
	g_unsetenv("SLIPWAY_PROFILE");
}

static void tear_down(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_cmpint(g_chdir("/"), ==, 0);
	g_assert_true(tree_remove(it->dir, NULL));
	g_free(it->paths.home);
	g_free(it->paths.config);
	g_free(it->dir);
}

static void assert_profile(const Fixture *it, const char *value, const char *origin)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Settings) settings = settings_new(&it->paths, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(settings_text(settings, "profile"), ==, value);
	g_assert_true(g_str_has_suffix(settings_origin(settings, "profile"), origin));
}

/* Each level covers the one below it. */
static void test_levels(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	assert_profile(it, NULL, "default");
	put(it, "config/slipway.ini", "[slipway]\n\nprofile = user\n");
	assert_profile(it, "user", "config/slipway.ini:3");
	put(it, "slipway.ini", "[slipway]\nprofile = here\n");
	assert_profile(it, "here", "slipway.ini:2");
	g_setenv("SLIPWAY_PROFILE", "environment", true);
	assert_profile(it, "environment", "SLIPWAY_PROFILE");

	g_autoptr(Settings) settings = settings_new(&it->paths, NULL);
	g_assert_true(settings_set_flag(settings, "profile", "flag", NULL));
	g_assert_cmpstr(settings_text(settings, "profile"), ==, "flag");
	g_assert_cmpstr(settings_origin(settings, "profile"), ==, "flag");

	g_setenv("SLIPWAY_PROFILE", "", true);
	assert_profile(it, "here", "slipway.ini:2");
}

/* The whole name, in capitals, with "_" for "-"; others belong to other programs. */
static void test_variables(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const others[] = { "SLIPWAY_profile", "SLIPWAY_PROFILES",
		                              "SLIPWAY_PROFIL",  "SLIPWAY_",
		                              "SLIPWAY",         "XSLIPWAY_PROFILE",
		                              "SLIPWAY_KEY-FILE" };

	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		g_setenv(others[i], "other", true);
	assert_profile(it, NULL, "default");

	g_setenv("SLIPWAY_KEY_FILE", "/key", true);
	g_autoptr(Settings) settings = settings_new(&it->paths, NULL);
	g_assert_cmpstr(settings_text(settings, "key-file"), ==, "/key");
	g_assert_cmpstr(settings_origin(settings, "key-file"), ==, "SLIPWAY_KEY_FILE");

	g_unsetenv("SLIPWAY_KEY_FILE");
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		g_unsetenv(others[i]);
}

static void assert_refused(const Fixture *it, const char *text, const char *place)
{
	g_autoptr(GError) error = NULL;

	put(it, "slipway.ini", text);
	g_autoptr(Settings) settings = settings_new(&it->paths, &error);
	g_assert_null(settings);
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_assert_nonnull(strstr(error->message, place));
}

static void test_bad_files_name_the_place(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	assert_refused(it, "[slipway]\nprofil = x\n", "slipway.ini:2:");
	assert_refused(it, "[slipways]\nprofile = x\n", "slipway.ini:2:");
	assert_refused(it, "profile = x\n", "slipway.ini:1:");
	assert_refused(it, "[slipway]\nlock-timeout = soon\n", "slipway.ini:2:");
	assert_refused(it, "[slipway]\nlock-timeout = -1\n", "slipway.ini:2:");
	assert_refused(it, "[slipway]\nyes = maybe\n", "slipway.ini:2:");
	assert_refused(it, "[slipway]\nprefix = ~root\n", "slipway.ini:2:");
	assert_refused(it, "[slipway\nprofile = x\n", "slipway.ini:1:");
}

static void test_values_are_never_run(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	put(it, "slipway.ini", "[slipway]\nprofile = $(id) `id` ; rm -rf /\n");
	assert_profile(it, "$(id) `id` ; rm -rf /", "slipway.ini:2");
}

static void test_paths_are_absolute(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Settings) settings = settings_new(&it->paths, NULL);
	g_autofree char *here = g_get_current_dir();
	g_autofree char *want = g_build_filename(here, "some/where", NULL);
	g_autofree char *home = g_build_filename(it->dir, "x", NULL);

	g_assert_true(settings_set_flag(settings, "prefix", "some/./where", NULL));
	g_assert_cmpstr(settings_text(settings, "prefix"), ==, want);
	g_assert_true(settings_set_flag(settings, "prefix", "~/x", NULL));
	g_assert_cmpstr(settings_text(settings, "prefix"), ==, home);
}

static void test_longest_mirror_wins(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Settings) settings = settings_new(&it->paths, NULL);

	g_assert_true(settings_set_flag(settings, "mirror",
	                                "https://a.example/=/srv/a/,https://a.example/b/=/srv/b/",
	                                NULL));
	g_autofree char *first = settings_mirror(settings, "https://a.example/x");
	g_autofree char *second = settings_mirror(settings, "https://a.example/b/x");
	g_autofree char *third = settings_mirror(settings, "https://c.example/x");
	g_assert_cmpstr(first, ==, "/srv/a/x");
	g_assert_cmpstr(second, ==, "/srv/b/x");
	g_assert_cmpstr(third, ==, "https://c.example/x");
}

/* Options add up, in their order; of what is written in several places, the first one counts. */
static void test_several_mirrors(Fixture *it, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(Settings) settings = settings_new(&it->paths, NULL);
	static const char *const rules[] = { "https://a/=/one/,https://a/b/=/longer/",
		                             "https://a/=/two/", "https://a/=https://a/" };

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		g_assert_true(settings_set_flag(settings, "mirror", rules[i], NULL));
	g_auto(GStrv) several = settings_mirrors(settings, "https://a/x");
	g_auto(GStrv) longest = settings_mirrors(settings, "https://a/b/x");
	g_auto(GStrv) none = settings_mirrors(settings, "https://c/x");
	g_autofree char *all = g_strjoinv(" ", several);
	g_assert_cmpstr(all, ==, "/one/x /two/x https://a/x");
	g_assert_cmpuint(g_strv_length(longest), ==, 1);
	g_assert_cmpstr(longest[0], ==, "/longer/x");
	g_assert_cmpstr(none[0], ==, "https://c/x");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/settings/levels", test_levels },
		{ "/settings/variables", test_variables },
		{ "/settings/bad-files-name-the-place", test_bad_files_name_the_place },
		{ "/settings/values-are-never-run", test_values_are_never_run },
		{ "/settings/paths-are-absolute", test_paths_are_absolute },
		{ "/settings/longest-mirror-wins", test_longest_mirror_wins },
		{ "/settings/several-mirrors", test_several_mirrors },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
	return g_test_run();
}
