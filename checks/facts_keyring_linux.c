/* checks/facts_keyring_linux.c - is there a Secret Service in this session?
 *
 * Nothing is started and nothing is unlocked by asking: a bus is spoken to only where one accepts
 * connections, and the service is asked for by name without starting it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <gio/gio.h>
#include <string.h>

#include "checks/facts_private.h"
#include "checks/facts_socket.h"

/* Longest wait for the bus: it is on this machine. */
#define BUS_TIMEOUT_MS 300

/* The socket of "unix:path=P,…" addresses.  Other kinds ("unixexec:", "autolaunch:") may run a
 * program, and are not followed. */
static char *socket_of_address(const char *address)
{
	const char *path = "unix:path=";
	gsize length = strlen(path);

	if (!g_str_has_prefix(address, path))
		return NULL;
	return g_strndup(address + length, strcspn(address + length, ",;"));
}

static char *bus_socket(const FactsSource *source)
{
	const char *address = source_env(source, "DBUS_SESSION_BUS_ADDRESS");
	const char *runtime = source_env(source, "XDG_RUNTIME_DIR");

	if (address != NULL)
		return socket_of_address(address);
	return runtime != NULL ? g_build_filename(source->root, runtime, "bus", NULL) : NULL;
}

static Fact ask_owner(GDBusConnection *bus, GCancellable *cancellable)
{
	g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
		bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
		"NameHasOwner", g_variant_new("(s)", "org.freedesktop.secrets"),
		G_VARIANT_TYPE("(b)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, BUS_TIMEOUT_MS, cancellable,
		NULL);
	gboolean has_owner = FALSE;

	if (answer == NULL)
		return FACT_UNKNOWN;
	g_variant_get(answer, "(b)", &has_owner);
	return has_owner ? FACT_YES : FACT_NO;
}

static gpointer watch_deadline(gpointer data)
{
	GCancellable *cancellable = data;
	GPollFD poll = { 0 };

	/* Ends early when the answer is there and the caller cancels it. */
	if (g_cancellable_make_pollfd(cancellable, &poll)) {
		(void)g_poll(&poll, 1, BUS_TIMEOUT_MS);
		g_cancellable_release_fd(cancellable);
	}
	g_cancellable_cancel(cancellable);
	return NULL;
}

static Fact ask_bus(const char *path)
{
	g_autofree char *address = g_strdup_printf("unix:path=%s", path);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	GThread *watch = g_thread_new("deadline", watch_deadline, cancellable);
	g_autoptr(GDBusConnection) bus = g_dbus_connection_new_for_address_sync(
		address,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
			G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
		NULL, cancellable, NULL);
	Fact has_owner = bus != NULL ? ask_owner(bus, cancellable) : FACT_UNKNOWN;

	g_cancellable_cancel(cancellable);
	(void)g_thread_join(watch);
	if (bus != NULL)
		(void)g_dbus_connection_close_sync(bus, NULL, NULL);
	return has_owner;
}

void facts_read_keyring(const FactsSource *source, FactsKeyring *keyring)
{
	g_autofree char *path = bus_socket(source);

	keyring->has_bus = path != NULL && socket_state(path) == ENGINE_OK ? FACT_YES : FACT_NO;
	keyring->has_service = keyring->has_bus == FACT_YES ? ask_bus(path) : FACT_NO;
}
