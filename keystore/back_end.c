/* keystore/back_end.c - answers that all back ends give in the same words
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/back_end_private.h"

#include <string.h>

void back_end_items_clear(BackEndItem *items, guint count)
{
	for (guint i = 0; i < count; i++)
		g_clear_pointer(&items[i].secret, g_bytes_unref);
}

int back_end_compare_entries(gconstpointer a, gconstpointer b)
{
	const KeystoreEntry *left = *(const KeystoreEntry *const *)a;
	const KeystoreEntry *right = *(const KeystoreEntry *const *)b;
	int order = strcmp(left->profile, right->profile);

	return order ? order : strcmp(left->name, right->name);
}

bool back_end_not_found(const char *name, GError **error)
{
	g_autofree char *hint = g_strdup_printf("Run: slipway keys set %s", name);

	return keystore_fail(error, KEYSTORE_ERROR_NOT_FOUND, hint, "there is no key named %s",
	                     name);
}

bool back_end_overtaken(const char *chosen, GError **error)
{
	return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, "Run the command again.",
	                     "another process has just begun to keep keys in another place (%s)",
	                     chosen);
}
