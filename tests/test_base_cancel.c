/* tests/test_base_cancel.c - base/cancel, and what becomes of children when we are killed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib/gstdio.h>
#include <poll.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "tests/process_fixture.h"

/* This program, run again as the child that is killed or interrupted. */
static char *self_path;

/* Runs this program as one of the roles below. */
static void run_role(const char *role, const char *argument, ProcessResult *result)
{
	g_autoptr(GError) error = NULL;
	const char *const argv[] = { self_path, "role", role, argument, NULL };
	ProcessSpec spec = { .argv = argv, .timeout_ms = 20000 };

	g_assert_true(process_run(&spec, result, &error));
	g_assert_no_error(error);
}

static gpointer signal_soon(gpointer data)
{
	g_usleep(100000);
	(void)kill(getpid(), GPOINTER_TO_INT(data));
	return NULL;
}

/* Is sent a signal while a program runs; the exit status is that of the error. */
static int role_cancelled(const char *number)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("sleep 100") };
	ProcessSpec undo = { .argv = SHELL("exit 6") };
	struct pollfd cancelled = { .events = POLLIN };
	int sent = (int)g_ascii_strtoll(number, NULL, 10);

	cancel_init();
	cancel_init();
	g_assert_true(cancel_check(NULL));
	g_assert_cmpint(cancel_signal(), ==, 0);
	g_thread_unref(g_thread_new("signal", signal_soon, GINT_TO_POINTER(sent)));
	g_assert_false(process_run(&spec, &result, &error));
	g_assert_cmpint(cancel_signal(), ==, sent);
	cancelled.fd = cancel_fd();
	g_assert_cmpint(poll(&cancelled, 1, 0), ==, 1);
	g_assert_cmpint(poll(&cancelled, 1, 0), ==, 1);

	/* The rollback runs programs too. */
	cancel_suspend(true);
	cancel_suspend(true);
	g_assert_true(cancel_check(NULL));
	g_assert_true(process_run(&undo, &result, NULL));
	g_assert_cmpint(result.exit_code, ==, 6);
	cancel_suspend(false);
	g_assert_true(cancel_check(NULL));
	cancel_suspend(false);
	g_assert_false(cancel_check(NULL));
	return (int)fault_status(error);
}

static void test_signal_cancels(void)
{
	static const struct {
		const char *number;
		int status;
	} rows[] = {
		{ "1", STATUS_HANGUP },
		{ "2", STATUS_INTERRUPTED },
		{ "15", STATUS_TERMINATED },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(ProcessResult) result = { 0 };
		gint64 start_us = g_get_monotonic_time();

		run_role("cancelled", rows[i].number, &result);
		g_assert_cmpstr(result.err, ==, "");
		g_assert_cmpint(result.exit_code, ==, rows[i].status);
		g_assert_cmpfloat(seconds_since(start_us), <, 5.0);
	}
}

/* timeout(1) sends its signal twice in a row; that is one.  A later one ends us. */
static int role_twice(const char *unused)
{
	(void)unused;
	cancel_init();
	(void)raise(SIGTERM);
	(void)raise(SIGTERM);
	(void)!write(STDOUT_FILENO, "alive\n", 6);
	g_usleep(300000);
	(void)raise(SIGINT);
	(void)!write(STDOUT_FILENO, "still\n", 6);
	return 0;
}

static void test_second_signal_ends_us(void)
{
	g_auto(ProcessResult) result = { 0 };

	run_role("twice", NULL, &result);
	g_assert_cmpstr(result.out, ==, "alive\n");
	g_assert_cmpint(result.exit_code, ==, STATUS_INTERRUPTED);
}

static int role_ignored(const char *unused)
{
	(void)unused;
	(void)signal(SIGHUP, SIG_IGN); /* as nohup(1) does */
	cancel_init();
	(void)raise(SIGHUP);
	return cancel_check(NULL) ? 0 : 1;
}

static void test_ignored_signal_stays_ignored(void)
{
	g_auto(ProcessResult) result = { 0 };

	run_role("ignored", NULL, &result);
	g_assert_cmpint(result.exit_code, ==, 0);
}

static int role_uninterrupted(const char *unused)
{
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("sleep 0.3; exit 9"), .flags = PROCESS_UNINTERRUPTED };

	(void)unused;
	cancel_init();
	(void)raise(SIGTERM);
	g_assert_true(process_run(&spec, &result, NULL));
	return result.exit_code;
}

static void test_package_manager_is_not_interrupted(void)
{
	g_auto(ProcessResult) result = { 0 };

	run_role("uninterrupted", NULL, &result);
	g_assert_cmpint(result.exit_code, ==, 9);
}

static void print_and_die(const char *line, gpointer data)
{
	(void)data;
	(void)!write(STDOUT_FILENO, line, strlen(line));
	(void)kill(getpid(), SIGKILL);
}

static int role_killed(const char *unused)
{
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("echo $$; exec sleep 100"), .on_line = print_and_die };

	(void)unused;
	return process_run(&spec, &result, NULL) ? 0 : 1;
}

/* Of the systems we know, only Linux can promise that. */
static void test_child_dies_with_us(void)
{
	g_auto(ProcessResult) result = { 0 };

	run_role("killed", NULL, &result);
	g_assert_cmpint(result.signal, ==, SIGKILL);

	pid_t grandchild = (pid_t)g_ascii_strtoll(result.out, NULL, 10);
	g_assert_cmpint(grandchild, >, 0);
	if (g_file_test("/proc/self/stat", G_FILE_TEST_EXISTS))
		g_assert_true(dies_within_a_second(grandchild));
	else
		g_assert_cmpint(kill(grandchild, SIGKILL), ==, 0);
}

static int role_survived(const char *path)
{
	g_auto(ProcessResult) result = { 0 };
	const char *const argv[] = { "/bin/sh", "-c", "echo $$; sleep 0.2; echo more; echo >\"$0\"",
		                     path, NULL };
	ProcessSpec spec = { .argv = argv,
		             .flags = PROCESS_SURVIVES | PROCESS_UNINTERRUPTED,
		             .on_line = print_and_die };

	return process_run(&spec, &result, NULL) ? 0 : 1;
}

/* Neither our death nor the broken pipe behind it ends a package manager. */
static void test_survivor_goes_on(void)
{
	g_autofree char *directory = g_dir_make_tmp("slipway-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "done", NULL);
	g_auto(ProcessResult) result = { 0 };

	run_role("survived", path, &result);
	g_assert_cmpint(result.signal, ==, SIGKILL);
	for (int i = 0; i < 300 && !file_exists(path); i++)
		g_usleep(10000);
	g_assert_true(file_exists(path));
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(directory), ==, 0);
}

/* The time is over while a program runs, and a person interrupts the rollback that follows: the first
 * time, so it goes on. */
static int role_expired(const char *argument G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("sleep 100") };
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL); /* as a careless parent would */
	cancel_init();
	cancel_set_deadline(1);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	g_assert_true(cancel_check(NULL));
	g_assert_false(process_run(&spec, &result, &error));
	g_assert_cmpint(cancel_signal(), ==, SIGALRM);
	cancel_suspend(true);
	g_assert_cmpint(raise(SIGINT), ==, 0);
	g_assert_true(cancel_check(NULL));
	cancel_suspend(false);
	g_assert_cmpint(cancel_signal(), ==, SIGINT);
	return (int)fault_status(error);
}

static void test_deadline(void)
{
	g_auto(ProcessResult) result = { 0 };

	run_role("expired", "", &result);
	g_assert_cmpint(result.exit_code, ==, STATUS_DEADLINE);
}

static int run_as(const char *role, const char *argument)
{
	static const struct {
		const char *name;
		int (*run)(const char *argument);
	} roles[] = {
		{ "cancelled", role_cancelled }, { "twice", role_twice },
		{ "ignored", role_ignored },     { "uninterrupted", role_uninterrupted },
		{ "killed", role_killed },       { "survived", role_survived },
		{ "expired", role_expired },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		if (g_str_equal(role, roles[i].name))
			return roles[i].run(argument);
	return STATUS_BUG;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && g_str_equal(argv[1], "role"))
		return run_as(argv[2], argv[3]);

	self_path = g_canonicalize_filename(argv[0], NULL);
	cancel_init();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/process/dies-with-us", test_child_dies_with_us);
	g_test_add_func("/base/process/survivor", test_survivor_goes_on);
	g_test_add_func("/base/cancel/signals", test_signal_cancels);
	g_test_add_func("/base/cancel/second-signal", test_second_signal_ends_us);
	g_test_add_func("/base/cancel/deadline", test_deadline);
	g_test_add_func("/base/cancel/ignored", test_ignored_signal_stays_ignored);
	g_test_add_func("/base/cancel/uninterrupted", test_package_manager_is_not_interrupted);

	int status = g_test_run();
	g_free(self_path);
	return status;
}
