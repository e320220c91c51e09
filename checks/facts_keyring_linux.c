/* checks/facts_keyring_linux.c - is there a Secret Service in this session?
 *
 * Nothing is started and nothing is unlocked by asking: a bus is spoken to only where one accepts
 * connections, and the service is asked for by name without starting it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/session_bus.h"
#include "checks/facts_private.h"
#include "checks/facts_socket.h"

/* Longest wait for the bus: it is on this machine. */
#define BUS_TIMEOUT_MS 300

#define PATH_PREFIX "unix:path="

static char *bus_address(const FactsSource *source)
{
	const char *runtime = source_env(source, "XDG_RUNTIME_DIR");
	g_autofree char *directory =
		runtime != NULL ? g_build_filename(source->root, runtime, NULL) : NULL;

	return session_bus_address(source_env(source, "DBUS_SESSION_BUS_ADDRESS"), directory);
}

/* A bus that accepts and then says nothing is there all the same. */
static bool is_listening(const char *address)
{
	return g_str_has_prefix(address, PATH_PREFIX) &&
	       socket_state(address + strlen(PATH_PREFIX)) == ENGINE_OK;
}

static Fact ask_owner(SessionBus *bus)
{
	bool has_owner = false;

	if (!session_bus_has_owner(bus, "org.freedesktop.secrets", &has_owner, NULL))
		return FACT_UNKNOWN;
	return has_owner ? FACT_YES : FACT_NO;
}

void facts_read_keyring(const FactsSource *source, FactsKeyring *keyring)
{
	g_autofree char *address = bus_address(source);
	g_autoptr(SessionBus) bus =
		address != NULL ? session_bus_open(address, BUS_TIMEOUT_MS, NULL) : NULL;

	if (bus != NULL) {
		keyring->has_bus = FACT_YES;
		keyring->has_service = ask_owner(bus);
	} else if (address != NULL && is_listening(address)) {
		keyring->has_bus = FACT_YES;
		keyring->has_service = FACT_UNKNOWN;
	} else {
		keyring->has_bus = FACT_NO;
		keyring->has_service = FACT_NO;
	}
}
