/* tests/test_installer_packages_others.c - what pacman, apk and brew say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/package_apk.h"
#include "installer/package_brew.h"
#include "installer/package_manager.h"
#include "installer/package_pacman.h"

static char *join(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s%s", i ? "|" : "", (char *)names->pdata[i]);
	return g_string_free(text, FALSE);
}

/* (transfer full): the keys, sorted. */
static char *join_keys(GHashTable *table)
{
	g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(table), (GCompareFunc)strcmp);
	GString *text = g_string_new(NULL);

	for (GList *key = keys; key; key = key->next)
		g_string_append_printf(text, "%s%s", text->len ? "|" : "", (char *)key->data);
	return g_string_free(text, FALSE);
}

/* Lists as pacman 7.0.0, apk 2.14.10 and 3.0.6 and brew 4.4.32 have them. */
static const struct {
	const char *manager;
	const char *list;
	const char *marks;
	const char *installed;
	const char *automatic;
	const char *torn;
	const char *residue;
} lists[] = {
	{ "pacman",
	  "git-2.45.0-1\ngit-2.45.0-1/desc\ngit-2.45.0-1/files\n"
	  "python-pip-24.0-1.1\npython-pip-24.0-1.1/files\npython-pip-24.0-1.1/desc\n"
	  "lib32-x-1:2.0-3\nlib32-x-1:2.0-3/desc\nlib32-x-1:2.0-3/files\n",
	  "/var/lib/pacman/local/lib32-x-1:2.0-3/desc\n", "git|lib32-x|python-pip", "lib32-x", "",
	  "" },
	{ "pacman", "git-2.45.0-1\nhalf-1-1\nhalf-1-1/desc\n", "", "git|half", "", "git|half", "" },
	{ "pacman", "no_dash\none-dash\n-1-1\n\n", "", "", "", "", "" },
	{ "apk",
	  "busybox-1.36.1-r29\nfont-adobe-100dpi-1.0.3-r4\n.build-deps-20240101.123456\n"
	  "py3-pip-24.0-r2\nca-certificates-bundle-20240226-r0\n",
	  "busybox\npy3-pip>=24\n.build-deps=20240101.123456\njq\n!bad\nedge-thing@edge\n",
	  ".build-deps|busybox|ca-certificates-bundle|font-adobe-100dpi|py3-pip",
	  "ca-certificates-bundle|font-adobe-100dpi", "", "edge-thing|jq" },
	{ "apk", "nothing\n-1\nWARNING: opening /x: No such file or directory\n", "", "", "", "",
	  "" },
	{ "brew", "jq 1.7.1\npython@3.13 3.13.0 3.13.1\n\nalone\n",
	  "{\"formulae\": [{\"full_name\": \"jq\", \"installed\": [{\"installed_on_request\": "
	  "true}]},"
	  "{\"full_name\": \"python@3.13\", \"installed\": [{\"installed_on_request\": false},"
	  "{\"installed_on_request\": false}]}], \"casks\": []}",
	  "jq|python@3.13", "python@3.13", "", "" },
	{ "brew", "jq 1.7.1\n", "garbage", "jq", "", "", "" },
};

static void test_lists(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		const PackageManager *manager = package_manager_row(lists[i].manager);
		g_autoptr(PackageSet) set = package_set_new();
		g_autoptr(GError) error = NULL;
		g_autofree char *installed = NULL;
		g_autofree char *automatic = NULL;
		g_autofree char *torn = NULL;
		g_autofree char *residue = NULL;

		g_assert_true(manager->dialect->parse_list(lists[i].list, set, &error));
		g_assert_no_error(error);
		manager->dialect->parse_automatic(lists[i].marks, set);
		installed = join_keys(set->installed);
		automatic = join_keys(set->automatic);
		torn = join_keys(set->torn);
		residue = join_keys(set->residue);
		g_test_message("%s", lists[i].manager);
		g_assert_cmpstr(installed, ==, lists[i].installed);
		g_assert_cmpstr(automatic, ==, lists[i].automatic);
		g_assert_cmpstr(torn, ==, lists[i].torn);
		g_assert_cmpstr(residue, ==, lists[i].residue);
	}
}

static const struct {
	const char *manager;
	const char *text;
	const char *added;
	const char *upgraded;
	const char *removed;
} simulations[] = {
	{ "pacman", "+ oniguruma 6.9-1\n+ jq 1.6-1\n", "oniguruma|jq", "", "" },
	{ "pacman", "- jq 1.6-1\nwarning: x\n- \n", "", "", "jq" },
	{ "apk",
	  "(1/2) Installing oniguruma (6.9-r0)\n(2/2) Installing jq (1.6-r0)\nOK: 57 B in 2 "
	  "packages\n",
	  "oniguruma|jq", "", "" },
	{ "apk", "(1/2) Upgrading old (1-r0 -> 2-r0)\n(2/2) Purging jq (1.6-r0)\n", "",
	  "old 1-r0 -> 2-r0", "jq" },
	{ "apk",
	  "(1/1) Reinstalling jq (1.6-r0)\n(x/1) Installing a (1)\n(1/1)\n(1/1) Installing\n", "",
	  "", "" },
	{ "apk", "World updated, but the following packages are not removed due to:\n  jq: gh\n",
	  "", "", "" },
	{ "brew", "gh: jq oniguruma\njq: oniguruma\nalone:\n", "gh|jq|oniguruma|alone", "", "" },
	{ "brew", "Warning: some words: here\n", "", "", "" },
};

static void test_simulations(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(simulations); i++) {
		const PackageManager *manager = package_manager_row(simulations[i].manager);
		g_autoptr(PackageChanges) changes =
			manager->dialect->parse_changes(simulations[i].text);
		g_autofree char *added = join(changes->added);
		g_autofree char *upgraded = join(changes->upgraded);
		g_autofree char *removed = join(changes->removed);

		g_assert_cmpstr(added, ==, simulations[i].added);
		g_assert_cmpstr(upgraded, ==, simulations[i].upgraded);
		g_assert_cmpstr(removed, ==, simulations[i].removed);
	}
}

static void test_users(void)
{
	static const char text[] = "gh: jq oniguruma\njq: oniguruma\noniguruma:\nother: zlib\n";
	static const struct {
		const char *names[3];
		guint gone;
	} cases[] = {
		{ { "gh" }, 1 },       { { "jq" }, 2 },          { { "oniguruma" }, 3 },
		{ { "jq", "gh" }, 2 }, { { "other", "gh" }, 2 }, { { "not-there" }, 1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(PackageChanges) changes = package_brew_parse_users(text, cases[i].names);

		g_assert_cmpuint(changes->removed->len, ==, cases[i].gone);
		g_assert_cmpuint(changes->added->len, ==, 0);
	}
}

/* What each manager says when it fails, and what that means. */
static const struct {
	const char *manager;
	const char *says;
	PackageVerdict verdict;
} failures[] = {
	{ "pacman", "error: failed to init transaction (unable to lock database)", PACKAGE_BUSY },
	{ "pacman", "error: target not found: jq", PACKAGE_UNKNOWN },
	{ "pacman",
	  "warning: database file for 'core' does not exist (use '-Sy' to download)\n"
	  "error: target not found: jq",
	  PACKAGE_STALE },
	{ "pacman",
	  "error: failed retrieving file 'jq-1.6-1-any.pkg.tar.zst' from mirror.example : "
	  "The requested URL returned error: 404\nerror: failed to commit transaction "
	  "(download library error)",
	  PACKAGE_STALE },
	{ "pacman",
	  "error: failed retrieving file 'jq-1.6-1-any.pkg.tar.zst.sig' from mirror.example : 404",
	  PACKAGE_UNTRUSTED },
	{ "pacman",
	  "error: jq: signature from \"Test\" is unknown trust\nerror: failed to commit "
	  "transaction "
	  "(invalid or corrupted package (PGP signature))",
	  PACKAGE_UNTRUSTED },
	{ "pacman", "error: failed to commit transaction (invalid or corrupted package (checksum))",
	  PACKAGE_DAMAGED },
	{ "pacman",
	  "error: could not open file /var/lib/pacman/sync/t.db: Unrecognized archive format",
	  PACKAGE_STALE },
	{ "pacman", "error: failed to commit transaction (conflicting files)", PACKAGE_FAILED },
	{ "apk", "ERROR: Unable to lock database: Resource temporarily unavailable", PACKAGE_BUSY },
	{ "apk", "ERROR: Unable to lock database: temporary error (try again later)",
	  PACKAGE_BUSY },
	{ "apk", "ERROR: Unable to lock database: Permission denied", PACKAGE_FAILED },
	{ "apk",
	  "WARNING: opening /repo/bad: UNTRUSTED signature\nERROR: unable to select packages:\n"
	  "  jq (no such package):",
	  PACKAGE_UNTRUSTED },
	{ "apk", "ERROR: unable to select packages:\n  jq (no such package):", PACKAGE_UNKNOWN },
	{ "apk", "ERROR: jq-1.6-r0: v2 package format error", PACKAGE_DAMAGED },
	{ "apk", "ERROR: jq-1.6-r0: IO ERROR", PACKAGE_DAMAGED },
	{ "apk", "ERROR: jq-1.6-r0: package mentioned in index not found (try 'apk update')",
	  PACKAGE_STALE },
	{ "brew", "Error: A `brew install` process has already locked /x/Cellar/jq.",
	  PACKAGE_BUSY },
	{ "brew", "Error: No available formula with the name \"nope\".", PACKAGE_UNKNOWN },
	{ "brew", "Error: SHA256 mismatch", PACKAGE_DAMAGED },
	{ "brew", "Error: jq: Failed to download resource \"jq\"", PACKAGE_STALE },
	{ "brew", "Error: something else", PACKAGE_FAILED },
};

static void test_failures(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
		const PackageManager *manager = package_manager_row(failures[i].manager);

		g_test_message("%s", failures[i].says);
		g_assert_cmpint(package_manager_judge(manager, 1, failures[i].says), ==,
		                failures[i].verdict);
		g_assert_cmpint(package_manager_judge(manager, 0, failures[i].says), ==,
		                PACKAGE_DONE);
	}
}

static void test_progress(void)
{
	static const struct {
		const char *manager;
		const char *line;
		double fraction;
		const char *detail;
	} cases[] = {
		{ "pacman", " jq-1.6-1-any downloading...", -1, "jq-1.6-1-any downloading..." },
		{ "pacman", "installing jq...", -1, "installing jq..." },
		{ "pacman", ":: Proceed with installation? [Y/n] ", 0, NULL },
		{ "apk", "(2/4) Installing jq (1.6-r0)", 0.25, "(2/4) Installing jq (1.6-r0)" },
		{ "apk", "(5/4) Installing jq (1.6-r0)", 0, NULL },
		{ "apk", "OK: 57 B in 2 packages", 0, NULL },
		{ "brew", "==> Pouring jq.tar.gz", -1, "Pouring jq.tar.gz" },
		{ "brew", "jq 1.6", 0, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const PackageManager *manager = package_manager_row(cases[i].manager);
		g_autofree char *detail = NULL;
		double fraction = 0;

		g_assert_cmpint(manager->dialect->parse_progress(cases[i].line, &fraction, &detail),
		                ==, cases[i].detail != NULL);
		g_assert_cmpstr(detail, ==, cases[i].detail);
		g_assert_cmpfloat(fraction, ==, cases[i].fraction);
	}
}

/* No command of theirs may ask anybody, upgrade a whole system, or refresh an index half-way. */
static void test_commands(void)
{
	static const char *const names[] = { "pacman", "apk", "brew" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const PackageManager *manager = package_manager_row(names[i]);
		g_autofree char *install = g_strjoinv(" ", (char **)(guintptr)manager->install);

		g_assert_nonnull(manager->dialect);
		g_assert_null(strstr(install, " -Sy"));
		g_assert_cmpint(manager->is_run_as_root, ==, !g_str_equal(names[i], "brew"));
	}
	g_assert_null(package_manager_row("pacman")->refresh);
	g_assert_true(package_manager_row("pacman")->never_upgrades);
	g_assert_nonnull(strstr(package_manager_row("pacman")->advice, "pacman -Syu"));
	g_assert_true(
		g_strv_contains(package_manager_row("brew")->env, "HOMEBREW_NO_AUTO_UPDATE=1"));
	g_assert_true(
		g_strv_contains(package_manager_row("brew")->env, "HOMEBREW_NO_AUTOREMOVE=1"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/installer/packages-others/lists", test_lists);
	g_test_add_func("/installer/packages-others/simulations", test_simulations);
	g_test_add_func("/installer/packages-others/users", test_users);
	g_test_add_func("/installer/packages-others/failures", test_failures);
	g_test_add_func("/installer/packages-others/progress", test_progress);
	g_test_add_func("/installer/packages-others/commands", test_commands);
	return g_test_run();
}
