/* keystore/back_end.c - answers that all back ends give in the same words
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/back_end_private.h"

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
