/* tests/pty.h - a function run in a child, on a terminal or on pipes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PTY_DEADLINE_MS 20000

typedef struct {
	int (*run)(void);       /* in the child; its exit status */
	const char *prompt;     /* (nullable): when this was seen, */
	const char *input;      /* this is typed */
	unsigned short columns; /* 0: pipes instead of a terminal */
	unsigned short rows;
} PtyCase;

typedef struct {
	int status;
	char *output; /* stdout and stderr together, as a terminal gets them */
} PtyResult;

static void pty_result_clear(PtyResult *result)
{
	g_free(result->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PtyResult, pty_result_clear)

/* Forks.  Returns: as fork(2); @fd is the parent's end of the child's stdin, stdout and stderr. */
static pid_t pty_fork(const PtyCase *test, int *fd)
{
	struct winsize size = { .ws_row = test->rows ? test->rows : 24, .ws_col = test->columns };
	int ends[2] = { -1, -1 };

	(void)fflush(NULL);
	if (test->columns)
		return forkpty(fd, NULL, NULL, &size);
	g_assert_cmpint(pipe(ends), ==, 0);
	pid_t pid = fork();
	if (pid == 0) {
		g_assert_cmpint(dup2(ends[1], STDOUT_FILENO), ==, STDOUT_FILENO);
		g_assert_cmpint(dup2(ends[1], STDERR_FILENO), ==, STDERR_FILENO);
		(void)close(ends[0]);
	}
	(void)close(ends[1]);
	*fd = ends[0];
	return pid;
}

/* The environment is the same wherever the tests run. */
static void pty_run_child(const PtyCase *test)
{
	static const char *const unset[] = { "CI", "NO_COLOR", "LC_CTYPE", "LANG" };

	for (gsize i = 0; i < G_N_ELEMENTS(unset); i++)
		g_unsetenv(unset[i]);
	g_setenv("TERM", "xterm", TRUE);
	g_setenv("LC_ALL", "C.UTF-8", TRUE);
	exit(test->run());
}

static void pty_run(const PtyCase *test, PtyResult *result)
{
	g_autoptr(GString) output = g_string_new(NULL);
	bool is_typed = !test->input;
	int fd = -1;
	int status = 0;
	pid_t pid = pty_fork(test, &fd);

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0)
		pty_run_child(test);
	for (;;) {
		char block[4096];
		struct pollfd ready = { .fd = fd, .events = POLLIN };

		g_assert_cmpint(poll(&ready, 1, PTY_DEADLINE_MS), ==, 1);
		ssize_t count = read(fd, block, sizeof(block));
		if (count <= 0) /* Linux says EIO when the child has closed a terminal */
			break;
		g_string_append_len(output, block, count);
		if (!is_typed && strstr(output->str, test->prompt)) {
			gssize length = (gssize)strlen(test->input);
			g_assert_cmpint(write(fd, test->input, (gsize)length), ==, length);
			is_typed = true;
		}
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	(void)close(fd);
	if (output->len < 2000)
		g_test_message("%s", output->str);
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result->output = g_string_free(g_steal_pointer(&output), FALSE);
}
