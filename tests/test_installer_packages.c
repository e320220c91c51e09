/* tests/test_installer_packages.c - what package managers, tools, sudo and compose say
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/compose.h"
#include "installer/package_apt.h"
#include "installer/package_lock.h"
#include "installer/package_manager.h"
#include "installer/privilege.h"
#include "installer/tools.h"

static char *join(const GPtrArray *names)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s%s", i ? "|" : "", (char *)names->pdata[i]);
	return g_string_free(text, FALSE);
}

/* Lines as apt 2.6.1 (Debian 12) and 3.0.3 (Debian 13) wrote them. */
static const struct {
	const char *name;
	const char *text;
	const char *added;
	const char *upgraded;
	const char *removed;
} simulations[] = {
	{ "bookworm-install",
	  "NOTE: This is only a simulation!\n"
	  "Reading package lists...\nThe following NEW packages will be installed:\n  git git-man\n"
	  "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.\n"
	  "Inst git-man (1:2.39.5-0+deb12u3 Debian:12.15/oldstable [all])\n"
	  "Inst git (1:2.39.5-0+deb12u3 Debian:12.15/oldstable [amd64])\n"
	  "Conf git-man (1:2.39.5-0+deb12u3 Debian:12.15/oldstable [all])\n"
	  "Conf git (1:2.39.5-0+deb12u3 Debian:12.15/oldstable [amd64])\n",
	  "git-man|git", "", "" },
	{ "trixie-install",
	  "Inst libcurl3t64-gnutls (8.14.1-2+deb13u5 Debian:13.7/stable [amd64])\n"
	  "Conf libcurl3t64-gnutls (8.14.1-2+deb13u5 Debian:13.7/stable [amd64])\n",
	  "libcurl3t64-gnutls", "", "" },
	{ "upgrade",
	  "Inst libc6 [2.36-9+deb12u9] (2.36-9+deb12u10 Debian:12.15/oldstable [amd64]) []\n"
	  "Inst libc6:i386 (2.36-9+deb12u10 Debian:12.15/oldstable [i386])\n",
	  "libc6:i386", "libc6 2.36-9+deb12u9 -> 2.36-9+deb12u10", "" },
	{ "several-sources",
	  "Inst tzdata [1] (2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security "
	  "[all])\n",
	  "", "tzdata 1 -> 2", "" },
	{ "broken-in-between", "Inst a (1 localhost [all]) [b:amd64 ]\n", "a", "", "" },
	{ "empty-brackets-are-no-version", "Inst a [] (1 localhost [all])\n", "a", "", "" },
	{ "removal",
	  "The following packages will be REMOVED:\n  ca-certificates\n"
	  "Remv ca-certificates [20250419]\nPurg nano [7.2-1]\n",
	  "", "", "ca-certificates|nano" },
	{ "nothing", "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n", "", "",
	  "" },
	{ "garbage", "Inst\nRemv\nInst \n\n Inst a b c\n", "", "", "" },
};

static void test_simulations(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(simulations); i++) {
		g_autoptr(PackageChanges) changes = package_apt_parse_changes(simulations[i].text);
		g_autofree char *added = join(changes->added);
		g_autofree char *upgraded = join(changes->upgraded);
		g_autofree char *removed = join(changes->removed);

		g_test_message("%s", simulations[i].name);
		g_assert_cmpstr(added, ==, simulations[i].added);
		g_assert_cmpstr(upgraded, ==, simulations[i].upgraded);
		g_assert_cmpstr(removed, ==, simulations[i].removed);
	}
}

static const char list_text[] = "adduser\tall\t3.134\tii \n"
				"dpkg\tamd64\t1.21.22\tii \n"
				"git\tamd64\t1:2.39.5-0+deb12u3\tii \n"
				"libc6\tamd64\t2.36-9\tii \n"
				"libc6\ti386\t2.36-9\tii \n"
				"held\tall\t1\thi \n"
				"gone\tamd64\t1\tun \n"
				"nano\tamd64\t7.2-1\trc \n"
				"halfway\tamd64\t2\tiF \n"
				"unpacked\tall\t2\tiU \n"
				"torn\tamd64\t2\tiHR\n"
				"triggers\tamd64\t2\tiW \n";

static void test_list(void)
{
	g_autoptr(PackageSet) set = package_set_new();
	g_autoptr(GError) error = NULL;

	g_assert_true(package_apt_parse_list(list_text, set, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "git"), ==, "1:2.39.5-0+deb12u3");
	g_assert_cmpstr(g_hash_table_lookup(set->installed, "adduser"), ==, "3.134");
	g_assert_true(g_hash_table_contains(set->installed, "libc6:i386"));
	g_assert_true(g_hash_table_contains(set->installed, "held"));
	g_assert_false(g_hash_table_contains(set->installed, "gone"));
	g_assert_false(g_hash_table_contains(set->installed, "nano"));
	g_assert_true(g_hash_table_contains(set->residue, "nano"));
	g_assert_cmpuint(g_hash_table_size(set->broken), ==, 3);
	g_assert_true(g_hash_table_contains(set->torn, "torn"));
	g_assert_cmpuint(g_hash_table_size(set->torn), ==, 1);
	g_assert_false(g_hash_table_contains(set->broken, "triggers"));
	g_assert_false(package_apt_parse_list("git\tamd64\t1\tii \n", set, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_snapshot_round_trip(void)
{
	g_autoptr(PackageSet) set = package_set_new();
	g_autoptr(PackageSet) back = NULL;
	g_autoptr(PackageChanges) none = NULL;
	g_autoptr(json_t) object = NULL;
	g_autoptr(json_t) again = NULL;
	g_autoptr(json_t) bad = json_pack("{s:s}", "installed", "x");
	g_autoptr(GError) error = NULL;

	g_assert_true(package_apt_parse_list(list_text, set, NULL));
	g_hash_table_add(set->automatic, g_strdup("libc6"));
	object = package_set_to_json(set);
	back = package_set_from_json(object, &error);
	g_assert_no_error(error);
	again = package_set_to_json(back);
	g_assert_true(json_equal(object, again));
	none = package_changes_between(set, back);
	g_assert_cmpuint(none->added->len + none->upgraded->len + none->removed->len, ==, 0);
	g_assert_null(package_set_from_json(bad, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_changes_between(void)
{
	g_autoptr(PackageSet) before = package_set_new();
	g_autoptr(PackageSet) after = package_set_new();
	g_autoptr(PackageChanges) changes = NULL;
	g_autofree char *upgraded = NULL;

	g_hash_table_insert(before->installed, g_strdup("a"), g_strdup("1"));
	g_hash_table_insert(before->installed, g_strdup("b"), g_strdup("1"));
	g_hash_table_insert(after->installed, g_strdup("b"), g_strdup("2"));
	g_hash_table_insert(after->installed, g_strdup("c"), g_strdup("1"));
	changes = package_changes_between(before, after);
	upgraded = join(changes->upgraded);
	g_assert_cmpstr(changes->added->pdata[0], ==, "c");
	g_assert_cmpstr(changes->removed->pdata[0], ==, "a");
	g_assert_cmpstr(upgraded, ==, "b 1 -> 2");
}

static const struct {
	const char *line;
	double fraction;
	const char *detail; /* NULL: another line */
} progress_lines[] = {
	{ "Get:3 mirror bookworm/main git", -1, "Get:3 mirror bookworm/main git" },
	{ "Unpacking git (1:2.39.5) ...", -1, "Unpacking git (1:2.39.5) ..." },
	{ "Setting up git (1:2.39.5) ...", -1, "Setting up git (1:2.39.5) ..." },
	{ "Selecting previously unselected package git.", 0, NULL },
	{ "", 0, NULL },
};

static void test_progress(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(progress_lines); i++) {
		g_autofree char *detail = NULL;
		double fraction = 0;
		bool is_ours =
			package_apt_parse_progress(progress_lines[i].line, &fraction, &detail);

		g_test_message("%s", progress_lines[i].line);
		g_assert_true(is_ours == (progress_lines[i].detail != NULL));
		g_assert_cmpstr(detail, ==, progress_lines[i].detail);
		g_assert_cmpfloat_with_epsilon(fraction, progress_lines[i].fraction, 0.001);
	}
}

static void test_conffiles(void)
{
	g_autoptr(GPtrArray) conffiles = package_apt_parse_conffiles(
		" /etc/sudo.conf 8c714b777580faea54a2eb6d5f17ad1d\n"
		" /etc/with blank 44c75ff004a18eeefdde4c998914d6d3 obsolete\n"
		" /etc/new newconffile\n\n");
	const PackageConffile *conffile;

	g_assert_cmpuint(conffiles->len, ==, 2);
	conffile = conffiles->pdata[0];
	g_assert_cmpstr(conffile->path, ==, "/etc/sudo.conf");
	g_assert_cmpstr(conffile->md5, ==, "8c714b777580faea54a2eb6d5f17ad1d");
	conffile = conffiles->pdata[1];
	g_assert_cmpstr(conffile->path, ==, "/etc/with blank");
	g_assert_cmpstr(conffile->md5, ==, "44c75ff004a18eeefdde4c998914d6d3");
}

static void test_record_round_trip(void)
{
	g_autofree char *dir = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "record", NULL);
	g_autoptr(PackageRecord) record = package_record_new();
	g_autoptr(PackageRecord) back = NULL;
	g_autoptr(GError) error = NULL;

	g_hash_table_add(record->asked, g_strdup("git"));
	g_hash_table_add(record->added, g_strdup("git"));
	g_hash_table_add(record->added, g_strdup("git-man"));
	record->is_finished = true;
	g_assert_true(package_record_write(record, path, &error));
	back = package_record_read(path, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_hash_table_size(back->added), ==, 2);
	g_assert_true(g_hash_table_contains(back->asked, "git"));
	g_assert_cmpuint(g_hash_table_size(back->services), ==, 0);
	g_assert_true(back->is_finished);
	g_assert_true(tree_remove(dir, NULL));
}

/* A transaction that never got as far as installing has nothing to undo, on any machine. */
static void test_undo_of_nothing(void)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(json_t) primitive = json_pack("{s:s, s:s, s:s}", "manager", "apt", "snapshot",
	                                        "/nonexistent/a", "planned", "/nonexistent/b");
	g_autoptr(json_t) torn = json_pack("{s:s}", "manager", "apt");
	g_autoptr(GError) error = NULL;

	g_assert_true(packages_undo(primitive, NULL, "/nonexistent", left, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(left->len, ==, 0);
	g_assert_false(packages_undo(torn, NULL, "/nonexistent", left, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

/* The table is data that people edit: hold it to its own rules. */
static void test_rows_are_complete(void)
{
	for (gsize i = 0; i < package_manager_count; i++) {
		const PackageManager *row = &package_manager_table[i];
		g_autoptr(GError) error = NULL;

		g_test_message("%s", row->name);
		g_assert_true(package_manager_row(row->name) == row); /* names are unique */
		g_assert_nonnull(row->catalogue);
		g_assert_true(row->install && row->remove && row->list && row->side_effects);
		g_assert_true((package_manager_find(row->name, &error) != NULL) ==
		              (row->dialect != NULL));
		if (!row->dialect)
			g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
		for (const PackageStatus *status = row->statuses; status && status->verdict;
		     status++)
			g_assert_cmpint(package_manager_verdict(row, status->exit_code), ==,
			                status->verdict);
		g_assert_cmpint(package_manager_verdict(row, 0), ==, PACKAGE_DONE);
		g_assert_cmpint(package_manager_verdict(row, 1), ==, PACKAGE_FAILED);
	}
	g_assert_null(package_manager_row("winget"));
	g_assert_null(package_manager_row(NULL));
	g_assert_cmpint(package_manager_verdict(package_manager_row("zypper"), 7), ==,
	                PACKAGE_BUSY);
	g_assert_cmpint(package_manager_verdict(package_manager_row("zypper"), 103), ==,
	                PACKAGE_AGAIN);
}

static void test_lock_text(void)
{
	const char text[] = "1: POSIX  ADVISORY  WRITE 4242 fe:01:131076 0 EOF\n"
			    "2: FLOCK  ADVISORY  WRITE 11 fe:01:99 0 EOF\n"
			    "3: POSIX  ADVISORY  READ -1 00:19:77 0 EOF\n"
			    "3: -> POSIX  ADVISORY  WRITE 5 fe:01:88 0 EOF\nrubbish\n";
	pid_t holder = 0;

	g_assert_true(package_lock_parse(text, makedev(0xfe, 1), 131076, &holder));
	g_assert_cmpint(holder, ==, 4242);
	g_assert_false(package_lock_parse(text, makedev(0xfe, 2), 131076, &holder));
	g_assert_false(package_lock_parse(text, makedev(0xfe, 1), 99, &holder));
	g_assert_false(package_lock_parse(text, makedev(0xfe, 1), 88, &holder));
	g_assert_true(package_lock_parse(text, makedev(0, 0x19), 77, &holder));
	g_assert_cmpint(holder, ==, 0);
}

/* A child holds the lock as dpkg does, until its pipe closes. */
static pid_t hold_lock(const char *path, int *release)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int go[2] = { -1, -1 };
	int held[2] = { -1, -1 };
	char byte = 0;
	pid_t child;

	g_assert_cmpint(pipe(go), ==, 0);
	g_assert_cmpint(pipe(held), ==, 0);
	child = fork();
	if (child == 0) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		close(go[1]);
		_exit(fcntl(fd, F_SETLK, &lock) == 0 && write(held[1], "x", 1) == 1 &&
		                      read(go[0], &byte, 1) == 0
		              ? 0
		              : 1);
	}
	close(go[0]);
	close(held[1]);
	g_assert_cmpint(read(held[0], &byte, 1), ==, 1);
	close(held[0]);
	*release = go[1];
	return child;
}

static void test_lock_wait(void)
{
	g_autofree char *dir = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "lock", NULL);
	const char *const paths[] = { "/nonexistent/lock", path, NULL };
	const PackageLockWait wait = { .paths = paths, .timeout_s = 0 };
	g_autofree char *name = NULL;
	g_autoptr(GError) error = NULL;
	pid_t holder = 0;
	pid_t child;
	int release = -1;
	int status = 0;

	g_assert_true(g_file_set_contents(path, "", 0, NULL));
	g_assert_true(package_lock_wait(&wait, &error));
	child = hold_lock(path, &release);
	g_assert_true(package_lock_holder(path, &holder));
	g_assert_cmpint(holder, ==, child);
	g_assert_false(package_lock_wait(&wait, &error));
	g_assert_error(error, FAULT, STATUS_BUSY);
	name = g_strdup_printf("(process %d) holds %s", (int)child, path);
	g_assert_nonnull(strstr(error->message, name));
	close(release);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
	g_assert_false(package_lock_holder(path, &holder));
	g_assert_true(tree_remove(dir, NULL));
}

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

static const struct {
	const char *text;
	const char *trouble; /* part of it; NULL: all is well */
} services[] = {
	{ "{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"healthy\",\"ExitCode\":0}\n"
	  "{\"Service\":\"b\",\"State\":\"running\",\"Health\":\"\",\"ExitCode\":0}\n",
	  NULL },
	{ "[{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"\"}]", NULL },
	{ "{\"Service\":\"once\",\"State\":\"exited\",\"ExitCode\":0}\n", NULL },
	{ "{\"Service\":\"a\",\"State\":\"exited\",\"ExitCode\":3}\n",
	  "service a ended with status 3" },
	{ "{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"unhealthy\"}\n",
	  "a is unhealthy" },
	{ "{\"Service\":\"a\",\"State\":\"running\",\"Health\":\"starting\"}\n", "a is starting" },
	{ "{\"Service\":\"a\",\"State\":\"created\"}\n", "a is created" },
	{ "[{\"Service\":\"a\",\"State\":\"running\"},{\"Service\":\"b\",\"State\":\"dead\"}]",
	  "b is dead" },
	{ "", "no container" },
	{ "[]", "no container" },
	{ "not json", "no JSON" },
};

static void test_services(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
		g_autofree char *trouble = compose_find_trouble(services[i].text);

		g_test_message("%s", services[i].text);
		g_assert_true((trouble != NULL) == (services[i].trouble != NULL));
		if (trouble)
			g_assert_nonnull(strstr(trouble, services[i].trouble));
	}
}

static void test_containers(void)
{
	const char text[] =
		"[{\"State\":\"running\",\"Status\":\"Up 3 minutes (healthy)\",\"Labels\":{"
		"\"com.docker.compose.service\":\"a\",\"com.docker.compose.config-hash\":\"h1\","
		"\"com.docker.compose.project.working_dir\":\"/srv/p\","
		"\"com.docker.compose.project.config_files\":\"/srv/p/c.yml,/srv/x.yml\"}},"
		"{\"State\":\"running\",\"Status\":\"Up 1 second (health: starting)\",\"Labels\":{"
		"\"com.docker.compose.service\":\"b\","
		"\"com.docker.compose.project.working_dir\":\"/other\"}},"
		"{\"State\":\"running\",\"Status\":\"Up\",\"Labels\":{"
		"\"com.docker.compose.oneoff\":\"True\"}}]";
	g_autoptr(json_t) inputs =
		json_pack("{s:s, s:s, s:[s,s], s:s}", "project", "p", "directory", "/srv/p",
	                  "files", "c.yml", "/srv/x.yml", "wait_s", "7");
	g_autoptr(GError) error = NULL;
	g_autoptr(ComposeProject) project = compose_project_new(inputs, &error);
	g_autoptr(GBytes) answer = g_bytes_new_static(text, strlen(text));
	g_autoptr(GBytes) bad = g_bytes_new_static("{\"message\":\"x\"}", 15);
	g_auto(ComposeState) state = { 0 };
	g_auto(ComposeState) none = { 0 };

	g_assert_no_error(error);
	g_assert_cmpuint(project->wait_s, ==, 7);
	g_assert_cmpstr(project->files[0], ==, "/srv/p/c.yml");
	g_assert_true(compose_parse_containers(project, answer, &state, &error));
	g_assert_cmpuint(state.containers, ==, 2);
	g_assert_cmpuint(state.settled, ==, 1);
	g_assert_cmpuint(state.foreign, ==, 1);
	g_assert_cmpstr(json_text(state.hashes, "a"), ==, "h1");
	g_assert_false(compose_parse_containers(project, bad, &none, &error));
	g_assert_error(error, FAULT, STATUS_DATA);
}

static void test_project_is_checked(void)
{
	g_autoptr(json_t) relative = json_pack("{s:s, s:s, s:[s]}", "project", "p", "directory",
	                                       "srv", "files", "c.yml");
	g_autoptr(json_t) empty =
		json_pack("{s:s, s:s, s:[]}", "project", "p", "directory", "/srv", "files");
	g_autoptr(GError) error = NULL;

	g_assert_null(compose_project_new(relative, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
	g_clear_error(&error);
	g_assert_null(compose_project_new(empty, &error));
	g_assert_error(error, FAULT, STATUS_CONFIG);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packages/apt/simulations", test_simulations);
	g_test_add_func("/packages/apt/list", test_list);
	g_test_add_func("/packages/apt/progress", test_progress);
	g_test_add_func("/packages/apt/conffiles", test_conffiles);
	g_test_add_func("/packages/snapshot-round-trip", test_snapshot_round_trip);
	g_test_add_func("/packages/changes-between", test_changes_between);
	g_test_add_func("/packages/record-round-trip", test_record_round_trip);
	g_test_add_func("/packages/undo-of-nothing", test_undo_of_nothing);
	g_test_add_func("/packages/rows-are-complete", test_rows_are_complete);
	g_test_add_func("/packages/lock-text", test_lock_text);
	g_test_add_func("/packages/lock-wait", test_lock_wait);
	g_test_add_func("/tools/versions", test_versions);
	g_test_add_func("/tools/probe", test_tools);
	g_test_add_func("/tools/files", test_tool_of_files);
	g_test_add_func("/privilege/refusals", test_refusals);
	g_test_add_func("/privilege/command-text", test_command_text);
	g_test_add_func("/compose/services", test_services);
	g_test_add_func("/compose/containers", test_containers);
	g_test_add_func("/compose/project-is-checked", test_project_is_checked);
	return g_test_run();
}
