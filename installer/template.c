/* installer/template.c - @name@ in texts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/template.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyz_"

static bool append_value(GString *out, const char *name, gsize length, const json_t *vars,
                         GError **error)
{
	g_autofree char *key = g_strndup(name, length);
	const char *value = length == 0 ? "@" : json_text(vars, key);

	if (value)
		g_string_append(out, value);
	else
		fault_set(error, STATUS_CONFIG, NULL, "there is no value for @%s@", key);
	return value != NULL;
}

char *template_expand(const char *text, const json_t *vars, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (*text) {
		gsize plain = strcspn(text, "@");
		g_string_append_len(out, text, (gssize)plain);
		text += plain;
		if (!*text)
			break;

		gsize length = strspn(text + 1, NAME_BYTES);
		if (text[1 + length] != '@') {
			g_string_append_c(out, '@');
			text++;
			continue;
		}
		if (!append_value(out, text + 1, length, vars, error))
			return NULL;
		text += length + 2;
	}

	return g_string_free(g_steal_pointer(&out), FALSE);
}
