/* keystore/error.c - makes the errors of the room
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/error.h"

G_DEFINE_QUARK(keystore_error_quark, keystore_error)

bool keystore_fail(GError **error, KeystoreError code, const char *hint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_strdelimit(message, "\r\n", ' '); /* the one line break stands before the hint */
	g_set_error(error, KEYSTORE_ERROR, (int)code, "%s%s%s", message, hint ? "\n" : "",
	            hint ? hint : "");
	return false;
}
