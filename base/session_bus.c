/* base/session_bus.c - connects to the session bus under one deadline
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/session_bus.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"

/** The bus itself. */
#define BUS_NAME "org.freedesktop.DBus"

/* GIO has no deadline for the handshake, so a thread cancels what is late. */
struct SessionBus {
	GDBusConnection *connection;
	GCancellable *late;
	GThread *watch;
	guint timeout_ms;
};

char *session_bus_address(const char *address, const char *runtime_dir)
{
	static const char *const kinds[] = { "unix:path=", "unix:abstract=" };

	if (!address || *address == '\0')
		return runtime_dir && g_path_is_absolute(runtime_dir)
		               ? g_strdup_printf("unix:path=%s/bus", runtime_dir)
		               : NULL;

	/* The first of several is the one that is used. */
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_str_has_prefix(address, kinds[i]))
			return g_strndup(address, strcspn(address, ",;"));
	return NULL;
}

static gpointer watch_deadline(gpointer data)
{
	SessionBus *bus = data;
	GPollFD poll = { 0 };

	/* Ends early when session_bus_free() cancels. */
	if (g_cancellable_make_pollfd(bus->late, &poll)) {
		(void)g_poll(&poll, 1, (gint)bus->timeout_ms);
		g_cancellable_release_fd(bus->late);
	}
	g_cancellable_cancel(bus->late);
	return NULL;
}

static GSocketAddress *socket_address(const char *address)
{
	const char *name = strchr(address, '=') + 1;
	g_autofree char *plain = g_uri_unescape_string(name, NULL);

	if (!plain || *plain == '\0')
		return NULL;
	return g_unix_socket_address_new_with_type(plain, -1,
	                                           g_str_has_prefix(address, "unix:abstract=")
	                                                   ? G_UNIX_SOCKET_ADDRESS_ABSTRACT
	                                                   : G_UNIX_SOCKET_ADDRESS_PATH);
}

/* A bus of somebody else would see what we say on it. */
static bool check_owner(GSocket *socket, GError **error)
{
	g_autoptr(GCredentials) peer = g_socket_get_credentials(socket, NULL);
	uid_t owner = peer ? g_credentials_get_unix_user(peer, NULL) : (uid_t)-1;

	if (peer && owner == geteuid())
		return true;
	fault_set(error, STATUS_DENIED, "Run slipway as the user of the desktop session.",
	          "the session bus belongs to somebody else (uid %d)", (int)owner);
	return false;
}

static GIOStream *connect_stream(SessionBus *bus, const char *address, GError **error)
{
	g_autoptr(GSocketAddress) place = socket_address(address);
	g_autoptr(GSocket) socket =
		g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, error);

	if (!place || !socket) {
		if (!place)
			fault_set(error, STATUS_UNAVAILABLE, NULL, "it has no name");
		return NULL;
	}
	if (!g_socket_connect(socket, place, bus->late, error) || !check_owner(socket, error))
		return NULL;
	return G_IO_STREAM(g_socket_connection_factory_create_connection(socket));
}

SessionBus *session_bus_open(const char *address, guint timeout_ms, GError **error)
{
	g_autoptr(SessionBus) bus = g_new0(SessionBus, 1);
	g_autoptr(GError) cause = NULL;

	bus->timeout_ms = timeout_ms;
	bus->late = g_cancellable_new();
	bus->watch = g_thread_new("deadline", watch_deadline, bus);

	g_autoptr(GIOStream) stream = connect_stream(bus, address, &cause);
	if (stream)
		bus->connection = g_dbus_connection_new_sync(
			stream, NULL,
			G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
				G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
			NULL, bus->late, &cause);
	if (bus->connection)
		return g_steal_pointer(&bus);

	if (g_error_matches(cause, FAULT, STATUS_DENIED))
		g_propagate_error(error, g_steal_pointer(&cause));
	else if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		fault_set(error, STATUS_UNAVAILABLE, NULL,
		          "the session bus does not answer within %u ms", timeout_ms);
	else
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no session bus at %s: %s",
		          address, cause->message);
	return NULL;
}

void session_bus_free(SessionBus *bus)
{
	if (!bus)
		return;

	g_cancellable_cancel(bus->late);
	(void)g_thread_join(bus->watch);
	if (bus->connection) {
		(void)g_dbus_connection_close_sync(bus->connection, NULL, NULL);
		g_object_unref(bus->connection);
	}
	g_object_unref(bus->late);
	g_free(bus);
}

GVariant *session_bus_call(SessionBus *bus, const SessionBusMethod *method, GVariant *arguments,
                           const char *type, GError **error)
{
	g_autoptr(GVariantType) expected = g_variant_type_new(type);

	return g_dbus_connection_call_sync(bus->connection, method->name, method->path,
	                                   method->interface, method->method, arguments, expected,
	                                   G_DBUS_CALL_FLAGS_NO_AUTO_START, (gint)bus->timeout_ms,
	                                   bus->late, error);
}

bool session_bus_has_owner(SessionBus *bus, const char *name, bool *has_owner, GError **error)
{
	static const SessionBusMethod method = { BUS_NAME, "/org/freedesktop/DBus", BUS_NAME,
		                                 "NameHasOwner" };
	g_autoptr(GVariant) answer =
		session_bus_call(bus, &method, g_variant_new("(s)", name), "(b)", error);
	gboolean is_owned = FALSE;

	if (!answer)
		return false;
	g_variant_get(answer, "(b)", &is_owned);
	*has_owner = is_owned;
	return true;
}
