/* tests/test_base_coprocess.c - a child at a socket: what it gets, that it ends
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/coprocess.h"
#include "base/fault.h"

static Coprocess *start(const char *script, const char *environment)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	g_autoptr(GError) error = NULL;
	Coprocess *child = coprocess_start(argv, environment, &error);

	g_assert_no_error(error);
	return child;
}

/* One line, without its end. */
static char *read_line(const Coprocess *child)
{
	GString *line = g_string_new(NULL);
	char byte = 0;

	while (read(coprocess_fd(child), &byte, 1) == 1 && byte != '\n')
		g_string_append_c(line, byte);
	return g_string_free(line, FALSE);
}

static void test_conversation(void)
{
	g_autoptr(Coprocess) child =
		start("while read -r word; do echo \"<$word>\" >&0; done", NULL);

	for (int i = 0; i < 3; i++) {
		g_assert_true(coprocess_is_alive(child));
		g_assert_cmpint(write(coprocess_fd(child), "word\n", 5), ==, 5);
		g_autofree char *line = read_line(child);
		g_assert_cmpstr(line, ==, "<word>");
	}
}

static void test_environment(void)
{
	g_assert_true(g_setenv("SLIPWAY_TEST_SECRET", "not for children", TRUE));
	g_autoptr(Coprocess) child = start(
		"echo \"${SLIPWAY_TEST_SECRET:-none} $DBUS_SESSION_BUS_ADDRESS\" >&0; read -r _",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/a=b");
	g_autofree char *line = read_line(child);

	g_assert_cmpstr(line, ==, "none unix:path=/a=b");
	g_unsetenv("SLIPWAY_TEST_SECRET");
}

static void test_end_is_seen(void)
{
	g_autoptr(Coprocess) child = start("exit 3", NULL);
	g_autofree char *line = read_line(child);

	g_assert_cmpstr(line, ==, "");
	g_assert_false(coprocess_is_alive(child));
}

/* The group goes too, and a child that floods stderr does not wait for us. */
static void test_kill(void)
{
	Coprocess *child =
		start("yes >&2 & yes | head -c 1000000 >&2; echo $! >&0; sleep 1000", NULL);
	g_autofree char *line = read_line(child);
	pid_t flood = (pid_t)g_ascii_strtoll(line, NULL, 10);

	g_assert_cmpint(flood, >, 0);
	coprocess_free(child);
	for (int i = 0; i < 500 && kill(flood, 0) == 0; i++)
		g_usleep(10000);
	/* It may be a zombie of process 1, which is not ours to reap. */
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)flood);
	g_autofree char *stat = NULL;
	if (g_file_get_contents(path, &stat, NULL, NULL))
		g_assert_nonnull(strstr(stat, ") Z "));
	coprocess_free(NULL);
}

static void test_cannot_start(void)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	g_autoptr(GError) error = NULL;

	g_assert_null(coprocess_start(argv, NULL, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/coprocess/conversation", test_conversation);
	g_test_add_func("/coprocess/environment", test_environment);
	g_test_add_func("/coprocess/end-is-seen", test_end_is_seen);
	g_test_add_func("/coprocess/kill", test_kill);
	g_test_add_func("/coprocess/cannot-start", test_cannot_start);
	return g_test_run();
}
