/* keystore/secret_service_linux.c - back end "secret-service": the keyring of the desktop
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/session_bus.h"
#include "keystore/helper_client.h"
#include "keystore/secret_probe.h"

#define NO_SESSION "Run it in your desktop session, or set the key itself as environment variable."

static char *bus_address(void)
{
	return session_bus_address(g_getenv("DBUS_SESSION_BUS_ADDRESS"),
	                           g_getenv("XDG_RUNTIME_DIR"));
}

/* A dialog appears on a screen, whatever terminal we are on. */
static bool has_screen(void)
{
	const char *x11 = g_getenv("DISPLAY");
	const char *wayland = g_getenv("WAYLAND_DISPLAY");

	return (x11 && *x11) || (wayland && *wayland);
}

/* The helper gets the bus by its socket, so that nothing in it can start one. */
static bool service_environment(char **variable, GError **error)
{
	g_autofree char *address = bus_address();

	if (!address)
		return keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NO_SESSION,
		                     "the keys are in the desktop's keyring, and there is no "
		                     "session bus to reach it");
	*variable = g_strconcat("DBUS_SESSION_BUS_ADDRESS=", address, NULL);
	return true;
}

static const HelperSide side = {
	.back_end = &back_end_secret_service,
	.title = "the desktop's keyring",
	.locked_hint = "Unlock it with your desktop's password program, run the command on a "
		       "terminal of the desktop, or set the key itself as environment variable.",
	.absent_hint = NO_SESSION,
	.late_hint = "Look whether a dialog of the desktop waits for you, then run the command "
		     "again.",
	.damaged_hint = "Look at the item in your desktop's password program, or set the key anew.",
	.waiting = "waiting for your desktop's unlock dialog (Ctrl-C to cancel)",
	.can_prompt = has_screen,
	.environment = service_environment,
};

static bool service_suits(const KeystoreOptions *options, char **why)
{
	g_autofree char *address = bus_address();
	SecretProbeState state = secret_probe(address);

	*why = g_strdup(secret_probe_phrase(state));
	return state == SECRET_PROBE_UNLOCKED ||
	       (state == SECRET_PROBE_LOCKED && options->tell && has_screen());
}

static gpointer service_open(const KeystoreOptions *options)
{
	return helper_client_new(&side, options);
}

const BackEnd back_end_secret_service = {
	.name = "secret-service",
	.is_recorded = true,
	.suits = service_suits,
	.open = service_open,
	.free = helper_client_free,
	.exists = helper_client_exists,
	.is_unattended = helper_client_is_unattended,
	.read = helper_client_read,
	.apply = helper_client_apply,
	.delete_empty = helper_client_delete_empty,
	.list = helper_client_list,
};
