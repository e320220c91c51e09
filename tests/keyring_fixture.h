/* tests/keyring_fixture.h - a session bus and a GNOME Keyring of a test's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <string.h>

#include "keystore/keystore.h"

#define KEYRING_SECONDS 10

/** The bus and the keyring. */
typedef struct {
	GSubprocess *bus;
	GSubprocess *keyring;
} Session;

static inline GSubprocess *start(const char *const *argv, const char *input)
{
	g_autoptr(GError) error = NULL;
	GSubprocess *child = g_subprocess_newv(argv,
	                                       G_SUBPROCESS_FLAGS_STDIN_PIPE |
	                                               G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
	                                               G_SUBPROCESS_FLAGS_STDERR_SILENCE,
	                                       &error);

	g_assert_no_error(error);
	g_output_stream_write_all(g_subprocess_get_stdin_pipe(child), input, strlen(input), NULL,
	                          NULL, &error);
	g_assert_no_error(error);
	g_assert_true(g_output_stream_close(g_subprocess_get_stdin_pipe(child), NULL, &error));
	return child;
}

static inline bool is_unlocked(void)
{
	const char *why = NULL;
	KeystoreOptions options = { .back_end = "auto",
		                    .path = "/nonexistent/keystore",
		                    .passphrase_fd = -1 };
	g_autoptr(Keystore) store = keystore_open(&options);

	return g_strcmp0(keystore_back_end(store, &why, NULL), "secret-service") == 0;
}

static inline void wait_until(bool (*is_so)(void))
{
	gint64 end_us = g_get_monotonic_time() + KEYRING_SECONDS * G_USEC_PER_SEC;

	while (!is_so()) {
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
		g_usleep(20000);
	}
}

static inline bool has_bus(void)
{
	g_autofree char *path = g_build_filename(g_getenv("XDG_RUNTIME_DIR"), "bus", NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* In @directory, from an environment in which nothing leads to the keyring of the person who runs this. */
static inline Session session_start(const char *directory)
{
	g_autofree char *address = g_strdup_printf("--address=unix:path=%s/bus", directory);
	Session session = { 0 };

	g_setenv("HOME", directory, TRUE);
	g_setenv("XDG_RUNTIME_DIR", directory, TRUE);
	g_setenv("XDG_DATA_HOME", directory, TRUE);
	g_setenv("DBUS_SESSION_BUS_ADDRESS", address + strlen("--address="), TRUE);
	session.bus = start(
		(const char *const[]){ "dbus-daemon", "--session", "--nofork", address, NULL }, "");
	wait_until(has_bus);
	session.keyring = start((const char *const[]){ "gnome-keyring-daemon", "--foreground",
	                                               "--components=secrets", "--unlock", NULL },
	                        "pw");
	wait_until(is_unlocked);
	return session;
}

static inline void stop(GSubprocess *child)
{
	g_subprocess_force_exit(child);
	g_assert_true(g_subprocess_wait(child, NULL, NULL));
	g_object_unref(child);
}
