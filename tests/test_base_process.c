/* tests/test_base_process.c - base/process, with real programs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/secret.h"
#include "tests/process_fixture.h"

#define CANARY "canary-7f3a9c-value"

static void test_reports_how_it_ended(void)
{
	static const struct {
		const char *script;
		int exit_code;
		int signal;
		const char *out;
		const char *err;
	} rows[] = {
		{ "true", 0, 0, "", "" },
		{ "exit 7", 7, 0, "", "" },
		{ "exit 255", 255, 0, "", "" },
		{ "kill -9 $$", -1, 9, "", "" },
		{ "printf out; printf err >&2", 0, 0, "out", "err" },
		{ "echo a; echo b; exit 1", 1, 0, "a\nb\n", "" },
		{ "exec >&- 2>&-; sleep 0.1; exit 3", 3, 0, "", "" },
		{ "cat", 0, 0, "", "" }, /* stdin is /dev/null */
		{ "umask; pwd", 0, 0, "0022\n/\n", "" },
		{ "test $$ = \"$(ps -o pgid= -p $$ | tr -d ' ')\"", 0, 0, "", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ProcessResult) result = { 0 };
		ProcessSpec spec = { .argv = SHELL(rows[i].script) };

		g_assert_true(process_run(&spec, &result, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(result.out, ==, rows[i].out);
		g_assert_cmpstr(result.err, ==, rows[i].err);
		g_assert_cmpint(result.exit_code, ==, rows[i].exit_code);
		g_assert_cmpint(result.signal, ==, rows[i].signal);
		g_assert_false(result.was_cut);
	}
}

static void test_cannot_start(void)
{
	static const struct {
		const char *program;
		const char *cwd;
	} rows[] = {
		{ "/nonexistent/program", NULL },
		{ "/etc/passwd", NULL },
		{ "/", NULL },
		{ "/bin/sh", "/no-such-directory" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ProcessResult) result = { 0 };
		const char *const argv[] = { rows[i].program, NULL };
		ProcessSpec spec = { .argv = argv, .cwd = rows[i].cwd };

		g_assert_false(process_run(&spec, &result, &error));
		g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
		g_assert_nonnull(strstr(error->message, rows[i].program));
	}
}

static void remember_pid(const char *line, gpointer data)
{
	*(pid_t *)data = (pid_t)g_ascii_strtoll(line, NULL, 10);
}

static void test_deadline_ends_the_group(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	pid_t grandchild = 0;
	gint64 start_us = g_get_monotonic_time();
	ProcessSpec spec = { .argv = SHELL("sleep 100 & echo $!; sleep 100"),
		             .timeout_ms = 300,
		             .on_line = remember_pid,
		             .data = &grandchild };

	g_assert_false(process_run(&spec, &result, &error));
	g_assert_error(error, FAULT, STATUS_DEADLINE);
	g_assert_cmpstr(error->message, ==, "sh did not end within 0.3 s");
	g_assert_null(result.out);
	g_assert_cmpint(grandchild, >, 0);
	g_assert_true(dies_within_a_second(grandchild));
	g_assert_cmpfloat(seconds_since(start_us), >=, 0.3);
}

/* The leader leaves on SIGTERM, its child ignores it: SIGKILL comes after 5 s. */
static void test_kills_what_ignores_term(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	pid_t grandchild = 0;
	gint64 start_us = g_get_monotonic_time();
	ProcessSpec spec = { .argv = SHELL("(trap '' TERM; exec sleep 100) & echo $!; wait"),
		             .timeout_ms = 200,
		             .on_line = remember_pid,
		             .data = &grandchild };

	g_assert_false(process_run(&spec, &result, &error));
	g_assert_error(error, FAULT, STATUS_DEADLINE);
	g_assert_true(dies_within_a_second(grandchild));
	g_assert_cmpfloat(seconds_since(start_us), >=, 5.0);
	g_assert_cmpfloat(seconds_since(start_us), <, 9.0);
}

static void test_grandchild_cannot_hold_us(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	gint64 start_us = g_get_monotonic_time();
	ProcessSpec spec = { .argv = SHELL("sleep 60 & echo $!") };

	g_assert_true(process_run(&spec, &result, &error));
	g_assert_no_error(error);
	g_assert_cmpfloat(seconds_since(start_us), <, 5.0);

	pid_t grandchild = (pid_t)g_ascii_strtoll(result.out, NULL, 10);
	g_assert_cmpint(grandchild, >, 0);
	g_assert_true(is_alive(grandchild)); /* what a program leaves behind is its own affair */
	g_assert_cmpint(kill(grandchild, SIGKILL), ==, 0);
}

static void test_output_is_bounded(void)
{
	static const struct {
		const char *script;
		gsize max_bytes;
		gsize kept_bytes;
		bool was_cut;
		const char *end;
	} rows[] = {
		{ "yes | head -c 10000000; printf END", 1000, 1000, true, "END" },
		{ "printf 12345", 5, 5, false, "12345" },
		{ "printf 123456", 5, 5, true, "23456" },
		{ "yes | head -c 3000000", 0, 1024 * 1024, true, "y\n" },
		{ "head -c 1048576 /dev/zero | tr '\\0' x", 0, 1024 * 1024, false, "x" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ProcessResult) result = { 0 };
		ProcessSpec spec = { .argv = SHELL(rows[i].script),
			             .max_output_bytes = rows[i].max_bytes };

		g_assert_true(process_run(&spec, &result, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(strlen(result.out), ==, rows[i].kept_bytes);
		g_assert_true(g_str_has_suffix(result.out, rows[i].end));
		g_assert_true(result.was_cut == rows[i].was_cut);
	}
}

/* A flood must not keep the deadline from being seen. */
static void test_flood_meets_the_deadline(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	gint64 start_us = g_get_monotonic_time();
	const char *const argv[] = { "/usr/bin/yes", NULL };
	ProcessSpec spec = { .argv = argv, .timeout_ms = 200 };

	g_assert_false(process_run(&spec, &result, &error));
	g_assert_error(error, FAULT, STATUS_DEADLINE);
	g_assert_cmpfloat(seconds_since(start_us), <, 5.0);
}

static void test_input_reaches_stdin_only(void)
{
	g_autoptr(GError) error = NULL;
	g_auto(ProcessResult) result = { 0 };
	g_autoptr(GBytes) secret = secret_new(CANARY, strlen(CANARY));
	ProcessSpec spec = { .argv = SHELL("env; ps -o args= -p $$; echo ---; cat"),
		             .input = secret };

	g_assert_true(process_run(&spec, &result, &error));
	g_assert_no_error(error);

	const char *input = strstr(result.out, "---\n");
	g_assert_nonnull(input);
	g_assert_cmpstr(input + 4, ==, CANARY);
	g_assert_true(strstr(result.out, CANARY) > input);
}

static void test_input_is_large_or_unwanted(void)
{
	static const struct {
		const char *script;
		const char *out;
	} rows[] = {
		{ "wc -c | tr -d ' '", "3000000\n" },
		{ "true", "" },
		{ "head -c 10", "xxxxxxxxxx" },
		{ "exec <&-; sleep 0.1", "" },
	};
	g_autofree char *text = g_strnfill(3000000, 'x');
	g_autoptr(GBytes) input = g_bytes_new_static(text, 3000000);
	g_autoptr(GBytes) empty = g_bytes_new_static("", 0);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ProcessResult) result = { 0 };
		ProcessSpec spec = { .argv = SHELL(rows[i].script), .input = input };

		g_assert_true(process_run(&spec, &result, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(result.out, ==, rows[i].out);
	}

	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("wc -c | tr -d ' '"), .input = empty };
	g_assert_true(process_run(&spec, &result, NULL));
	g_assert_cmpstr(result.out, ==, "0\n");
}

static void test_environment_is_clean(void)
{
	static const char *const extra[] = { "ADDED=one two", "TERM", "HOME=/changed", NULL };
	g_autoptr(GError) error = NULL;
	const char *const argv[] = { "/usr/bin/env", NULL };
	ProcessSpec spec = { .argv = argv, .env = extra };

	g_assert_true(g_setenv("OPENAI_API_KEY", CANARY, TRUE));
	g_assert_true(g_setenv("LD_PRELOAD_X", "x", TRUE));
	g_assert_true(g_setenv("TERM", "vt100", TRUE));
	g_assert_true(g_setenv("HOME", "/home/x", TRUE));
	g_assert_true(g_setenv("LC_ALL", "de_DE", TRUE));
	g_assert_true(g_setenv("https_proxy", "http://proxy:3128", TRUE));
	g_assert_true(g_setenv("XDG_STATE_HOME", "/s", TRUE));

	g_autofree char *out = process_capture(&spec, &error);
	g_assert_no_error(error);

	g_auto(GStrv) environment = g_strsplit(out, "\n", -1);
	g_assert_cmpstr(g_environ_getenv(environment, "ADDED"), ==, "one two");
	g_assert_cmpstr(g_environ_getenv(environment, "HOME"), ==, "/changed");
	g_assert_cmpstr(g_environ_getenv(environment, "LANG"), ==, "C.UTF-8");
	g_assert_cmpstr(g_environ_getenv(environment, "https_proxy"), ==, "http://proxy:3128");
	g_assert_cmpstr(g_environ_getenv(environment, "XDG_STATE_HOME"), ==, "/s");
	g_assert_true(g_str_has_prefix(g_environ_getenv(environment, "PATH"),
	                               "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"));
	g_assert_null(g_environ_getenv(environment, "TERM"));
	g_assert_null(g_environ_getenv(environment, "LC_ALL"));
	g_assert_null(g_environ_getenv(environment, "OPENAI_API_KEY"));
	g_assert_null(g_environ_getenv(environment, "LD_PRELOAD_X"));
	g_assert_null(strstr(out, CANARY));
}

static void collect_line(const char *line, gpointer data)
{
	g_ptr_array_add(data, g_strdup(line));
}

static void test_lines_arrive(void)
{
	static const struct {
		const char *script;
		const char *lines; /* joined by | */
	} rows[] = {
		{ "printf 'a\\nb\\n'", "a|b" },
		{ "printf 'a\\r\\nb\\rc\\n\\nlast'", "a|b|c||last" },
		{ "printf 'ha'; sleep 0.1; printf 'lf\\n'", "half" },
		{ "printf 'a\\0b\\n'", "a b" },
		{ "echo err >&2", "err" },
		{ "printf 'canary-7f3a9c-'; sleep 0.1; echo value", "[masked]" },
	};

	secret_mask_value(CANARY, strlen(CANARY));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
		g_auto(ProcessResult) result = { 0 };
		ProcessSpec spec = { .argv = SHELL(rows[i].script),
			             .on_line = collect_line,
			             .data = lines };

		g_assert_true(process_run(&spec, &result, NULL));
		g_ptr_array_add(lines, NULL);

		g_autofree char *joined = g_strjoinv("|", (char **)lines->pdata);
		g_assert_cmpstr(joined, ==, rows[i].lines);
	}
}

/* The line is cut inside the secret; no part of that is shown. */
static void test_long_line_is_cut_safely(void)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = {
		.argv = SHELL("head -c 65530 /dev/zero | tr '\\0' x; printf " CANARY
		              "; head -c 9999 /dev/zero | tr '\\0' x; printf '\\nnext\\n'"),
		.on_line = collect_line,
		.data = lines,
	};

	secret_mask_value(CANARY, strlen(CANARY));
	g_assert_true(process_run(&spec, &result, NULL));
	g_assert_cmpuint(lines->len, ==, 2);

	const char *first = g_ptr_array_index(lines, 0);
	g_assert_cmpuint(strlen(first), ==, 32768);
	g_assert_cmpuint(strspn(first, "x"), ==, 32768);
	g_assert_cmpstr(g_ptr_array_index(lines, 1), ==, "next");
}

static void test_capture(void)
{
	g_autoptr(GError) failed = NULL;
	g_autoptr(GError) killed = NULL;
	ProcessSpec good = { .argv = SHELL("printf 'a\\nb\\n\\n'") };
	ProcessSpec bad = { .argv = SHELL("printf '0\\n1\\n\\n2 " CANARY
		                          "\\n  3\\n' >&2; exit 3") };
	ProcessSpec dead = { .argv = SHELL("kill -9 $$") };

	g_autofree char *out = process_capture(&good, NULL);
	g_assert_cmpstr(out, ==, "a\nb");

	secret_mask_value(CANARY, strlen(CANARY));
	g_assert_null(process_capture(&bad, &failed));
	g_assert_error(failed, FAULT, STATUS_UNAVAILABLE);
	g_assert_cmpstr(failed->message, ==, "/bin/sh ended with status 3: 1; 2 [masked]; 3");

	g_assert_null(process_capture(&dead, &killed));
	g_assert_error(killed, FAULT, STATUS_UNAVAILABLE);
	g_assert_true(g_str_has_prefix(killed->message, "/bin/sh was ended by signal 9"));
}

static void test_find(void)
{
	g_autofree char *shell = process_find("sh");

	g_assert_nonnull(shell);
	g_assert_true(g_path_is_absolute(shell));
	g_assert_cmpint(access(shell, X_OK), ==, 0);
	g_assert_null(process_find("no-such-program-here"));
	g_assert_null(process_find("../bin/sh"));
	g_assert_null(process_find(".")); /* a directory */
}

static guint count_descriptors(void)
{
	g_autoptr(GDir) dir = g_dir_open("/dev/fd", 0, NULL);
	guint count = 0;

	g_assert_nonnull(dir);
	while (g_dir_read_name(dir))
		count++;
	return count;
}

/* A descriptor without O_CLOEXEC stays here, and none of ours is left open.  GLib closes that of a
 * child that has ended on a thread of its own, when it comes to it. */
static void test_no_descriptor_leaks(void)
{
	ProcessSpec spec = { .argv = SHELL("for fd in 3 4 5 6 7 8 9; do "
		                           "(: >&$fd) 2>/dev/null && echo open $fd; done; true") };
	int leaky = fcntl(0, F_DUPFD, 3);
	g_autofree char *first = process_capture(&spec, NULL);
	guint before = count_descriptors();

	g_assert_cmpint(leaky, >, 2);
	g_assert_cmpstr(first, ==, "");
	for (int i = 0; i < 20; i++) {
		g_autofree char *out = process_capture(&spec, NULL);
		g_assert_cmpstr(out, ==, "");
	}
	for (int i = 0; i < 1000 && count_descriptors() > before; i++)
		g_usleep(10000);
	g_assert_cmpuint(count_descriptors(), <=, before);
	(void)close(leaky);
}

static gpointer run_many(gpointer data)
{
	int number = GPOINTER_TO_INT(data);
	g_autofree char *text = g_strdup_printf("thread %d", number);
	g_autoptr(GBytes) input = g_bytes_new(text, strlen(text));

	for (int i = 0; i < 8; i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ProcessResult) result = { 0 };
		ProcessSpec spec = { .argv = SHELL("cat; exit 5"), .input = input };

		g_assert_true(process_run(&spec, &result, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(result.out, ==, text);
		g_assert_cmpint(result.exit_code, ==, 5);
	}
	return NULL;
}

static void test_eight_at_once(void)
{
	GThread *threads[8];

	for (int i = 0; i < 8; i++)
		threads[i] = g_thread_new("run", run_many, GINT_TO_POINTER(i));
	for (int i = 0; i < 8; i++)
		(void)g_thread_join(threads[i]);
}

static void test_on_terminal(void)
{
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("test $$ != \"$(ps -o pgid= -p $$ | tr -d ' ')\""),
		             .flags = PROCESS_ON_TERMINAL };

	g_assert_true(process_run(&spec, &result, NULL));
	g_assert_cmpint(result.exit_code, ==, 0);
	g_assert_cmpstr(result.out, ==, "");
}

static void test_survivor_output_comes_too(void)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_auto(ProcessResult) result = { 0 };
	ProcessSpec spec = { .argv = SHELL("echo one; sleep 0.3; echo two; echo three >&2; exit 4"),
		             .flags = PROCESS_SURVIVES | PROCESS_UNINTERRUPTED,
		             .on_line = collect_line,
		             .data = lines };

	g_assert_true(process_run(&spec, &result, NULL));
	g_assert_cmpint(result.exit_code, ==, 4);
	g_assert_cmpstr(result.out, ==, "one\ntwo\n");
	g_assert_cmpstr(result.err, ==, "three\n");
	g_assert_cmpuint(lines->len, ==, 3);
}

int main(int argc, char **argv)
{
	cancel_init();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/process/how-it-ended", test_reports_how_it_ended);
	g_test_add_func("/base/process/cannot-start", test_cannot_start);
	g_test_add_func("/base/process/deadline", test_deadline_ends_the_group);
	g_test_add_func("/base/process/kill", test_kills_what_ignores_term);
	g_test_add_func("/base/process/held-pipe", test_grandchild_cannot_hold_us);
	g_test_add_func("/base/process/bounded", test_output_is_bounded);
	g_test_add_func("/base/process/flood", test_flood_meets_the_deadline);
	g_test_add_func("/base/process/stdin", test_input_reaches_stdin_only);
	g_test_add_func("/base/process/large-input", test_input_is_large_or_unwanted);
	g_test_add_func("/base/process/environment", test_environment_is_clean);
	g_test_add_func("/base/process/lines", test_lines_arrive);
	g_test_add_func("/base/process/long-line", test_long_line_is_cut_safely);
	g_test_add_func("/base/process/capture", test_capture);
	g_test_add_func("/base/process/find", test_find);
	g_test_add_func("/base/process/descriptors", test_no_descriptor_leaks);
	g_test_add_func("/base/process/eight-at-once", test_eight_at_once);
	g_test_add_func("/base/process/on-terminal", test_on_terminal);
	g_test_add_func("/base/process/survivor-output", test_survivor_output_comes_too);
	return g_test_run();
}
