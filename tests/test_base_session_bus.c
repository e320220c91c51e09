/* tests/test_base_session_bus.c - which addresses are followed, and buses that do not answer
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>

#include "base/fault.h"
#include "base/session_bus.h"

static void test_addresses(void)
{
	static const struct {
		const char *address;
		const char *runtime_dir;
		const char *expected;
	} cases[] = {
		{ "unix:path=/run/user/1000/bus", NULL, "unix:path=/run/user/1000/bus" },
		{ "unix:path=/tmp/b,guid=00ff", "/run/user/1000", "unix:path=/tmp/b" },
		{ "unix:path=/tmp/b;unix:path=/tmp/c", NULL, "unix:path=/tmp/b" },
		{ "unix:abstract=/tmp/dbus-x,guid=1", NULL, "unix:abstract=/tmp/dbus-x" },
		{ NULL, "/run/user/1000", "unix:path=/run/user/1000/bus" },
		{ "", "/run/user/1000", "unix:path=/run/user/1000/bus" },
		{ NULL, NULL, NULL },
		{ NULL, "", NULL },
		{ NULL, "relative", NULL },
		{ "autolaunch:", "/run/user/1000", NULL },
		{ "unixexec:path=/bin/false", "/run/user/1000", NULL },
		{ "tcp:host=127.0.0.1,port=1", "/run/user/1000", NULL },
		{ "unix:tmpdir=/tmp", NULL, NULL },
		{ "launchd:env=X;unix:path=/tmp/b", NULL, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *address =
			session_bus_address(cases[i].address, cases[i].runtime_dir);
		g_assert_cmpstr(address, ==, cases[i].expected);
	}
}

static void test_absent(void)
{
	static const char *const addresses[] = { "unix:path=/nonexistent/bus",
		                                 "unix:path=", "unix:path=%", "unix:path=/dev/null",
		                                 "unix:abstract=/nonexistent/slipway" };

	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(session_bus_open(addresses[i], 300, &error));
		g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	}
}

/* Accepts by its backlog alone, and never says a word. */
static void test_silent(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *directory = g_dir_make_tmp("slipway-bus-XXXXXX", &error);
	g_autofree char *path = g_build_filename(directory, "bus", NULL);
	g_autofree char *address = g_strconcat("unix:path=", path, NULL);
	g_autoptr(GSocketAddress) place = g_unix_socket_address_new(path);
	g_autoptr(GSocket) socket =
		g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, &error);

	g_assert_true(g_socket_bind(socket, place, FALSE, &error));
	g_assert_true(g_socket_listen(socket, &error));
	gint64 start_us = g_get_monotonic_time();
	g_assert_null(session_bus_open(address, 100, &error));
	g_assert_error(error, FAULT, STATUS_UNAVAILABLE);
	g_assert_nonnull(strstr(error->message, "does not answer within 100 ms"));
	g_assert_cmpint(g_get_monotonic_time() - start_us, <, 5 * G_USEC_PER_SEC);

	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(directory), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/session-bus/addresses", test_addresses);
	g_test_add_func("/session-bus/absent", test_absent);
	g_test_add_func("/session-bus/silent", test_silent);
	return g_test_run();
}
