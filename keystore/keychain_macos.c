/* keystore/keychain_macos.c - back end "keychain": the login keychain of macOS
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <Security/Security.h>

#include "keystore/helper_client.h"

#define NO_SESSION "Log in at the Mac itself, or set the key itself as environment variable."

/* Deprecated with the keychains that are files; those are the ones that a program without an
 * application's entitlements has. */
_Pragma("clang diagnostic push") _Pragma(
	"clang diagnostic ignored \"-Wdeprecated-declarations\"") static bool is_unlocked(void)
{
	SecKeychainStatus status = 0;

	return SecKeychainGetStatus(NULL, &status) == errSecSuccess &&
	       (status & kSecUnlockStateStatus);
}
_Pragma("clang diagnostic pop")

	/* Over SSH and in a daemon there is nobody who would see a dialog. */
	static bool has_screen(void)
{
	SecuritySessionId session = 0;
	SessionAttributeBits attributes = 0;

	return SessionGetInfo(callerSecuritySession, &session, &attributes) == errSecSuccess &&
	       (attributes & sessionHasGraphicAccess);
}

static bool keychain_environment(char **variable, GError **error G_GNUC_UNUSED)
{
	*variable = NULL;
	return true;
}

static const HelperSide side = {
	.back_end = &back_end_keychain,
	.title = "the keychain",
	.locked_hint = "Unlock it with: security unlock-keychain; or set the key itself as "
		       "environment variable.",
	.absent_hint = NO_SESSION,
	.late_hint = "Look whether a dialog waits for you, then run the command again.",
	.damaged_hint = "Look at the item in Keychain Access, or set the key anew.",
	.waiting = "waiting for the dialog of macOS (Ctrl-C to cancel)",
	.can_prompt = has_screen,
	.environment = keychain_environment,
};

static bool keychain_suits(const KeystoreOptions *options, char **why)
{
	bool is_open = is_unlocked();

	*why = g_strdup(is_open ? "the keychain of this session is unlocked"
	                        : "the keychain of this session is locked");
	return is_open || (options->tell && has_screen());
}

static gpointer keychain_open(const KeystoreOptions *options)
{
	return helper_client_new(&side, options);
}

const BackEnd back_end_keychain = {
	.name = "keychain",
	.is_recorded = true,
	.suits = keychain_suits,
	.open = keychain_open,
	.free = helper_client_free,
	.exists = helper_client_exists,
	.is_unattended = helper_client_is_unattended,
	.read = helper_client_read,
	.apply = helper_client_apply,
	.delete_empty = helper_client_delete_empty,
	.list = helper_client_list,
};
