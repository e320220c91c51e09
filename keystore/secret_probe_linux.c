/* keystore/secret_probe_linux.c - three questions to the Secret Service, under one deadline
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/secret_probe.h"

#include "base/session_bus.h"
#include "keystore/secret_item.h"

#define NO_OBJECT "/"

static const char *const phrases[] = {
	[SECRET_PROBE_NO_BUS] = "there is no session bus",
	[SECRET_PROBE_NOT_RUNNING] = "no Secret Service runs in this session",
	[SECRET_PROBE_SILENT] = "the Secret Service of this session does not answer",
	[SECRET_PROBE_NO_KEYRING] = "the Secret Service of this session has no default keyring",
	[SECRET_PROBE_LOCKED] = "the keyring of this session is locked",
	[SECRET_PROBE_UNLOCKED] = "the keyring of this session is unlocked",
};

const char *secret_probe_phrase(SecretProbeState state)
{
	return phrases[state];
}

/* The path of the default collection.  NULL: @state says why. */
static char *read_default(SessionBus *bus, SecretProbeState *state)
{
	static const SessionBusMethod method = { SECRET_BUS_NAME, SECRET_SERVICE_PATH,
		                                 SECRET_SERVICE_INTERFACE_NAME, "ReadAlias" };
	g_autoptr(GVariant) answer =
		session_bus_call(bus, &method, g_variant_new("(s)", "default"), "(o)", NULL);
	const char *path = NULL;

	*state = SECRET_PROBE_SILENT;
	if (!answer)
		return NULL;
	g_variant_get(answer, "(&o)", &path);
	if (!g_str_equal(path, NO_OBJECT))
		return g_strdup(path);
	*state = SECRET_PROBE_NO_KEYRING;
	return NULL;
}

static SecretProbeState read_locked(SessionBus *bus, const char *collection)
{
	const SessionBusMethod method = { SECRET_BUS_NAME, collection,
		                          "org.freedesktop.DBus.Properties", "Get" };
	g_autoptr(GVariant) answer = session_bus_call(
		bus, &method, g_variant_new("(ss)", SECRET_COLLECTION_INTERFACE_NAME, "Locked"),
		"(v)", NULL);
	g_autoptr(GVariant) value = NULL;

	if (answer)
		g_variant_get(answer, "(v)", &value);
	if (!value || !g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
		return SECRET_PROBE_SILENT;
	return g_variant_get_boolean(value) ? SECRET_PROBE_LOCKED : SECRET_PROBE_UNLOCKED;
}

SecretProbeState secret_probe(const char *address)
{
	SecretProbeState state = SECRET_PROBE_NO_BUS;
	g_autoptr(SessionBus) bus =
		address ? session_bus_open(address, SECRET_PROBE_TIMEOUT_MS, NULL) : NULL;
	bool has_owner = false;

	if (!bus)
		return state;
	if (!session_bus_has_owner(bus, SECRET_BUS_NAME, &has_owner, NULL))
		return SECRET_PROBE_SILENT;
	if (!has_owner)
		return SECRET_PROBE_NOT_RUNNING;

	g_autofree char *collection = read_default(bus, &state);
	return collection ? read_locked(bus, collection) : state;
}
