/* base/session_bus.h - the D-Bus session bus, where there is one; nothing is ever started
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/**
 * The address of the session bus by the rules of the D-Bus Specification 0.42, less those that run a
 * program: @address (DBUS_SESSION_BUS_ADDRESS; nullable) if it is set, else the socket "bus" in
 * @runtime_dir (XDG_RUNTIME_DIR; nullable).
 *
 * Returns: (transfer full) (nullable): "unix:path=P" or "unix:abstract=N"; NULL when there is none,
 * or only one of another kind ("autolaunch:", "unixexec:", "tcp:").
 */
char *session_bus_address(const char *address, const char *runtime_dir);

/** A connection and the time by which all that is asked over it must be answered. */
typedef struct SessionBus SessionBus;

/**
 * Connects to a session_bus_address() whose other end runs as our own user.
 *
 * @timeout_ms: for everything until session_bus_free().
 * Returns: (transfer full): the bus, or NULL with UNAVAILABLE (nobody listens, or it is silent) or
 * DENIED (it belongs to somebody else, or does not let us in) set.
 */
SessionBus *session_bus_open(const char *address, guint timeout_ms,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Hangs up.  Accepts NULL. */
void session_bus_free(SessionBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionBus, session_bus_free)

/** Where a method is, as in g_dbus_connection_call(). */
typedef struct {
	const char *name;
	const char *path;
	const char *interface;
	const char *method;
} SessionBusMethod;

/**
 * Calls a method without starting the service.
 *
 * @arguments: (nullable) (transfer floating): a tuple.
 * Returns: (transfer full): the answer, of type @type (a tuple); or NULL with an error of GIO set.
 */
GVariant *session_bus_call(SessionBus *bus, const SessionBusMethod *method, GVariant *arguments,
                           const char *type, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether a program has @name on the bus now; false with an error of GIO set when the bus
 *  does not say. */
bool session_bus_has_owner(SessionBus *bus, const char *name, bool *has_owner, GError **error);
