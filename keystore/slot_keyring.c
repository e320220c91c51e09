/* keystore/slot_keyring.c - one item of the back end that is a keyring
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/slot_keyring.h"

#include "base/secret.h"
#include "keystore/back_end_private.h"

#define KEY_BYTES 32

static const BackEnd *find_keyring(void)
{
	for (gsize i = 0; back_end_table[i]; i++)
		if (back_end_table[i]->is_recorded)
			return back_end_table[i];
	return NULL;
}

static char *item_name(const FormatHeader *header)
{
	GString *name = g_string_new(BACK_END_FILE_KEY);

	for (gsize i = 0; i < sizeof(header->store_id); i++)
		g_string_append_printf(name, "%02x", header->store_id[i]);
	return g_string_free(name, FALSE);
}

/* Returns: (transfer none): the keyring, if it can be used with @options; else NULL with UNAVAILABLE
 * set. */
static const BackEnd *usable_keyring(const KeystoreOptions *options, GError **error)
{
	const BackEnd *keyring = find_keyring();
	g_autofree char *why = NULL;

	if (keyring && keyring->suits(options, &why))
		return keyring;
	keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
	              "there is no keyring that can keep a key of the keystore: %s",
	              why ? why : "this system has none");
	return NULL;
}

static GBytes *read_item(const KeystoreOptions *options, const FormatHeader *header, GError **error)
{
	const BackEnd *keyring = usable_keyring(options, error);
	g_autofree char *name = item_name(header);
	BackEndItem item = { .profile = KEYSTORE_PROFILE_OWN, .name = name };

	if (!keyring)
		return NULL;
	gpointer store = keyring->open(options);
	bool is_read = keyring->read(store, &item, 1, error);
	keyring->free(store);
	if (is_read && !item.secret)
		back_end_not_found(name, error);
	return is_read ? item.secret : NULL;
}

static bool change_item(const KeystoreOptions *options, const FormatHeader *header, GBytes *secret,
                        GError **error)
{
	const BackEnd *keyring = usable_keyring(options, error);
	g_autofree char *name = item_name(header);
	BackEndChange change = { .profile = KEYSTORE_PROFILE_OWN,
		                 .name = name,
		                 .secret = secret,
		                 .action = secret ? BACK_END_ADD : BACK_END_PUT };

	if (!keyring)
		return false;
	gpointer store = keyring->open(options);
	bool is_done = keyring->apply(store, &change, 1, error);
	keyring->free(store);
	return is_done;
}

GBytes *slot_keyring_read(const KeystoreOptions *options, const FormatHeader *header)
{
	KeystoreOptions silent = *options;

	/* Nobody to tell: a locked keyring does not suit, and none is asked to unlock it. */
	silent.tell = NULL;
	return read_item(&silent, header, NULL);
}

/* One that is there opens the file as it is now, so it is never replaced. */
GBytes *slot_keyring_make(const KeystoreOptions *options, const FormatHeader *header,
                          GError **error)
{
	g_autoptr(GBytes) secret = secret_new_random_hex(KEY_BYTES);
	g_autoptr(GError) cause = NULL;

	if (change_item(options, header, secret, &cause))
		return g_steal_pointer(&secret);
	if (g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_EXISTS))
		return read_item(options, header, error);
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

bool slot_keyring_remove(const KeystoreOptions *options, const FormatHeader *header, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (change_item(options, header, NULL, &cause) ||
	    g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND))
		return true;
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}
