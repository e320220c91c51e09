/* tests/test_installer_packages.c - what package managers say and lock
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/package_apt.h"
#include "installer/package_lock.h"
#include "installer/package_manager.h"

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

static void test_complaints(void)
{
	g_autofree char *why =
		package_apt_explain("Some packages could not be installed.\n\n"
	                            "The following packages have unmet dependencies:\n"
	                            " a : Depends: b but it is not installable\n     Depends: "
	                            "c\nE: Unable to correct\n");

	g_assert_cmpstr(why, ==, "a : Depends: b but it is not installable;    Depends: c");
	g_assert_null(package_apt_explain("E: Unable to locate package x\n"));
	g_assert_null(package_apt_explain("unmet dependencies:\n"));
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
	const struct stat files[] = {
		{ .st_dev = makedev(0xfe, 1), .st_ino = 131076 },
		{ .st_dev = makedev(0xfe, 2), .st_ino = 131076 },
		{ .st_dev = makedev(0xfe, 1), .st_ino = 99 },
		{ .st_dev = makedev(0xfe, 1), .st_ino = 88 },
		{ .st_dev = makedev(0, 0x19), .st_ino = 77 },
	};
	pid_t holder = 0;

	g_assert_true(package_lock_parse(text, "POSIX", &files[0], &holder));
	g_assert_cmpint(holder, ==, 4242);
	g_assert_false(package_lock_parse(text, "POSIX", &files[1], &holder));
	g_assert_false(package_lock_parse(text, "POSIX", &files[2], &holder));
	g_assert_true(package_lock_parse(text, "FLOCK", &files[2], &holder));
	g_assert_cmpint(holder, ==, 11);
	g_assert_false(package_lock_parse(text, "POSIX", &files[3], &holder));
	g_assert_true(package_lock_parse(text, "POSIX", &files[4], &holder));
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
	const PackageLock locks[] = {
		{ "/nonexistent/lock", PACKAGE_LOCK_FCNTL },
		{ path, PACKAGE_LOCK_FCNTL },
		{ NULL, PACKAGE_LOCK_NONE },
	};
	const PackageLockWait wait = { .locks = locks, .timeout_s = 0 };
	g_autofree char *name = NULL;
	g_autoptr(GError) error = NULL;
	pid_t holder = 0;
	pid_t child;
	int release = -1;
	int status = 0;

	g_assert_true(g_file_set_contents(path, "", 0, NULL));
	g_assert_true(package_lock_wait(&wait, &error));
	child = hold_lock(path, &release);
	g_assert_true(package_lock_holder(&locks[1], &holder));
	g_assert_cmpint(holder, ==, child);
	g_assert_false(package_lock_wait(&wait, &error));
	g_assert_error(error, FAULT, STATUS_BUSY);
	name = g_strdup_printf("(process %d) holds %s", (int)child, path);
	g_assert_nonnull(strstr(error->message, name));
	close(release);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
	g_assert_false(package_lock_holder(&locks[1], &holder));
	g_assert_true(tree_remove(dir, NULL));
}

/* A file that names a process is a lock as long as that process lives. */
static void test_lock_that_names_a_process(void)
{
	g_autofree char *dir = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "lock.pid", NULL);
	const PackageLock lock = { path, PACKAGE_LOCK_PID };
	g_autofree char *ours = g_strdup_printf("%d\n", (int)getpid());
	static const char *const nobody[] = { "", "-1", "0", "rubbish", "99999999999999999999" };
	g_autofree char *zombie = NULL;
	pid_t holder = 0;
	siginfo_t ended;
	pid_t child;

	g_assert_false(package_lock_holder(&lock, &holder));
	g_assert_true(g_file_set_contents(path, ours, -1, NULL));
	g_assert_true(package_lock_holder(&lock, &holder));
	g_assert_cmpint(holder, ==, getpid());
	for (gsize i = 0; i < G_N_ELEMENTS(nobody); i++) {
		g_assert_true(g_file_set_contents(path, nobody[i], -1, NULL));
		g_assert_false(package_lock_holder(&lock, &holder));
	}
	child = fork();
	if (child == 0)
		_exit(0);
	g_assert_cmpint(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), ==, 0);
	zombie = g_strdup_printf("%d", (int)child);
	g_assert_true(g_file_set_contents(path, zombie, -1, NULL));
	g_assert_false(package_lock_holder(&lock, &holder));
	g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
	g_assert_false(package_lock_holder(&lock, &holder));
	g_assert_true(tree_remove(dir, NULL));
}

static void test_age_of_an_index(void)
{
	g_autofree char *dir = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "mirror_Packages", NULL);
	const PackageManager manager = {
		.index = dir,
		.index_name = "_Packages",
		.index_max_age_s = 3600,
	};
	const struct utimbuf old = { .actime = time(NULL) - 7200, .modtime = time(NULL) - 7200 };

	g_assert_false(package_manager_has_fresh_index(&manager));
	g_assert_true(g_file_set_contents(path, "", 0, NULL));
	g_assert_true(package_manager_has_index(&manager));
	g_assert_true(package_manager_has_fresh_index(&manager));
	g_assert_cmpint(utime(dir, &old), ==, 0);
	g_assert_true(package_manager_has_index(&manager));
	g_assert_false(package_manager_has_fresh_index(&manager));
	g_assert_true(tree_remove(dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/packages/apt/simulations", test_simulations);
	g_test_add_func("/packages/apt/list", test_list);
	g_test_add_func("/packages/apt/progress", test_progress);
	g_test_add_func("/packages/apt/complaints", test_complaints);
	g_test_add_func("/packages/apt/conffiles", test_conffiles);
	g_test_add_func("/packages/snapshot-round-trip", test_snapshot_round_trip);
	g_test_add_func("/packages/changes-between", test_changes_between);
	g_test_add_func("/packages/record-round-trip", test_record_round_trip);
	g_test_add_func("/packages/undo-of-nothing", test_undo_of_nothing);
	g_test_add_func("/packages/rows-are-complete", test_rows_are_complete);
	g_test_add_func("/packages/lock-text", test_lock_text);
	g_test_add_func("/packages/lock-wait", test_lock_wait);
	g_test_add_func("/packages/lock-that-names-a-process", test_lock_that_names_a_process);
	g_test_add_func("/packages/age-of-an-index", test_age_of_an_index);
	return g_test_run();
}
