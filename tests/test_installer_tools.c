/* tests/test_installer_tools.c - what tools say of their version, and sudo of its refusals
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/tree.h"
#include "installer/privilege.h"
#include "installer/tools.h"

static const struct {
	const char *text;
	const char *version;
} versions[] = {
	{ "git version 2.39.5", "2.39.5" },
	{ "Python 3.11.2\n", "3.11.2" },
	{ "Docker Compose version v2.26.1-4", "2.26.1" },
	{ "Docker version 28.2.2, build e6534b4", "28.2.2" },
	{ "jq-1.6", "1.6" },
	{ "go version go1.19.8 linux/amd64", "1.19.8" },
	{ "v18.19.0\n", "18.19.0" },
	{ "gcc (Debian 12.2.0-14) 12.2.0", "12.2.0" },
	{ "*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***", "1.5.4" },
	{ "less 590 (GNU regular expressions)", "590" },
	{ "Warning: could not connect to a running instance\nclient version is 0.5.7", "0.5.7" },
	{ "tmux 3.3a", "3.3" },
	{ "trailing dot 7.", "7" },
	{ "no number at all", NULL },
	{ "", NULL },
};

static void test_versions(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
		g_autofree char *version = tools_find_version(versions[i].text);

		g_assert_cmpstr(version, ==, versions[i].version);
	}
}

static char *fake_program(const char *dir, const char *name, const char *script)
{
	char *path = g_build_filename(dir, name, NULL);

	g_assert_true(g_file_set_contents(path, script, -1, NULL));
	g_assert_cmpint(g_chmod(path, 0755), ==, 0);
	return path;
}

static void test_tools(void)
{
	g_autofree char *dir = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *old = fake_program(dir, "old", "#!/bin/sh\necho tool 1.9.9\n");
	g_autofree char *bad = fake_program(dir, "bad", "#!/bin/sh\necho tool 9.0; exit 3\n");
	g_autofree char *mute = fake_program(dir, "mute", "#!/bin/sh\nexit 0\n");
	g_autofree char *poor =
		fake_program(dir, "poor", "#!/bin/sh\n[ $1 = -v ] && echo tool 3.0\n");
	g_autofree char *good = fake_program(dir, "good", "#!/bin/sh\necho tool 2.10.0 >&2\n");
	g_autofree char *absent = g_build_filename(dir, "absent", NULL);
	char *programs[] = { absent, bad, mute, old, poor, good, NULL };
	char *too_old[] = { old, NULL };
	char *none[] = { absent, NULL };
	char ask_word[] = "-v";
	char need_word[] = "-n";
	char *ask[] = { ask_word, NULL };
	char *needs[] = { need_word, NULL };
	char name[] = "tool";
	CatalogueTool tool = {
		.name = name, .title = name, .programs = programs, .ask = ask, .needs_too = needs
	};
	ToolQuery queries[3] = { { .tool = &tool, .minimum = "2.9" },
		                 { .tool = &tool },
		                 { .tool = &tool, .minimum = "99" } };
	g_autofree char *program = NULL;
	g_autofree char *version = NULL;
	g_autoptr(GError) why = NULL;

	g_assert_true(tools_probe(&tool, "2.9", &program, &version, &why));
	g_assert_no_error(why);
	g_assert_cmpstr(program, ==, good);
	g_assert_cmpstr(version, ==, "2.10.0");
	g_assert_true(tools_probe(&tool, NULL, NULL, NULL, NULL));
	g_assert_false(tools_probe_all(queries, 3));
	g_assert_cmpstr(queries[0].program, ==, good);
	g_assert_cmpstr(queries[1].program, ==, old);
	g_assert_null(queries[2].program);
	g_assert_error(queries[2].why, FAULT, STATUS_UNAVAILABLE);
	tools_clear(queries, 3);
	tool.programs = too_old;
	g_assert_false(tools_probe(&tool, "2", NULL, NULL, &why));
	g_assert_nonnull(strstr(why->message, "1.9.9, older than 2"));
	g_clear_error(&why);
	tool.programs = none;
	g_assert_false(tools_probe(&tool, NULL, NULL, NULL, &why));
	g_assert_error(why, FAULT, STATUS_UNAVAILABLE);
	g_assert_true(tree_remove(dir, NULL));
}

static void test_tool_of_files(void)
{
	char absent[] = "/nonexistent/a";
	char there[] = "/";
	char name[] = "ca-certificates";
	char *files[] = { absent, there, NULL };
	char *none[] = { absent, NULL };
	CatalogueTool tool = { .name = name, .title = name, .files = files };
	g_autofree char *program = NULL;
	g_autoptr(GError) why = NULL;

	g_assert_true(tools_probe(&tool, NULL, &program, NULL, NULL));
	g_assert_cmpstr(program, ==, "/");
	tool.files = none;
	g_assert_false(tools_probe(&tool, NULL, NULL, NULL, &why));
	g_assert_error(why, FAULT, STATUS_UNAVAILABLE);
}

static const struct {
	const char *text;
	const char *means; /* part of it; NULL: no refusal */
} refusals[] = {
	{ "sudo: a password is required\n", "wants a password" },
	{ "sudo: unable to resolve host x: Name or service not known\nsudo: a password is "
	  "required\n",
	  "wants a password" },
	{ "sudo: The \"no new privileges\" flag is set, which prevents sudo from running as "
	  "root.\n",
	  "no_new_privs" },
	{ "dev is not in the sudoers file.\nThis incident has been reported to sudo's log.\n",
	  "not in the sudoers" },
	{ "Sorry, user dev may not run sudo on host.\n", "may not run sudo" },
	{ "Sorry, user dev is not allowed to execute '/usr/bin/id' as root on host (sudo).\n",
	  "does not allow" },
	{ "E: Unable to locate package a\n", NULL },
	{ "a password is required\n", NULL },
	{ "", NULL },
};

static void test_refusals(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const char *means = privilege_refusal(refusals[i].text);

		g_test_message("%s", refusals[i].text);
		g_assert_true((means != NULL) == (refusals[i].means != NULL));
		if (means)
			g_assert_nonnull(strstr(means, refusals[i].means));
	}
	g_assert_null(privilege_refusal(NULL));
}

static void test_command_text(void)
{
	const char *const env[] = { "A=b", NULL };
	const char *const argv[] = { "/usr/bin/apt-get", "install", "it's; rm", "g++", NULL };
	g_autofree char *text = privilege_text(env, argv);
	g_auto(GStrv) back = NULL;

	g_assert_true(g_shell_parse_argv(text, NULL, &back, NULL));
	g_assert_cmpstr(back[0], ==, "A=b");
	g_assert_true(g_strv_equal((const char *const *)back + 1, argv));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tools/versions", test_versions);
	g_test_add_func("/tools/probe", test_tools);
	g_test_add_func("/tools/files", test_tool_of_files);
	g_test_add_func("/privilege/refusals", test_refusals);
	g_test_add_func("/privilege/command-text", test_command_text);
	return g_test_run();
}
