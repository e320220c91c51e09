/* installer/env_lines.c - "NAME=value" lines of a file that compose reads
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/env_lines.h"

#include <string.h>

#include "base/file.h"

/* Returns: (nullable): where the value begins in a line that assigns @name. */
static const char *value_in(const char *line, const char *name)
{
	gsize length = strlen(name);

	line += strspn(line, " \t");
	return strncmp(line, name, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

static char *unquote(const char *value)
{
	g_autofree char *text = g_strstrip(g_strdup(value));
	gsize length = strlen(text);
	bool is_quoted =
		length >= 2 && (*text == '"' || *text == '\'') && text[length - 1] == *text;

	return is_quoted ? g_strndup(text + 1, length - 2) : g_steal_pointer(&text);
}

char *env_lines_get(const char *text, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *value = NULL;

	for (char **line = lines; *line; line++)
		if (value_in(*line, name))
			value = value_in(*line, name);
	return value ? unquote(value) : NULL;
}

char *env_lines_set(const char *text, const char *name, const char *value)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GString) out = g_string_new(NULL);
	bool is_set = false;

	for (char **line = lines; *line; line++) {
		bool is_it = value_in(*line, name) != NULL;

		if (is_it)
			g_string_append_printf(out, "%s=%s", name, value);
		else
			g_string_append(out, *line);
		if (line[1])
			g_string_append_c(out, '\n');
		is_set = is_set || is_it;
	}
	if (!is_set)
		g_string_append_printf(out, "%s%s=%s\n",
		                       out->len > 0 && out->str[out->len - 1] != '\n' ? "\n" : "",
		                       name, value);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *env_lines_read(const char *path, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(path, ENV_LINES_MAX_BYTES, error);
	gsize size_bytes = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &size_bytes) : NULL;

	return bytes ? g_strndup(data ? data : "", size_bytes) : NULL;
}
