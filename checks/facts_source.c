/* checks/facts_source.c - files and variables, of the machine or of a test's tree
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "checks/facts_private.h"

char *source_path(const FactsSource *source, const char *path)
{
	return g_strconcat(source->root, path, NULL);
}

char *source_read(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);
	g_autoptr(GBytes) bytes = file_read(full, SOURCE_MAX_BYTES, NULL);
	gsize size_bytes = 0;
	const char *data;

	if (bytes == NULL)
		return NULL;

	data = g_bytes_get_data(bytes, &size_bytes);
	return data != NULL ? g_strndup(data, size_bytes) : g_strdup("");
}

char *source_line(const FactsSource *source, const char *path)
{
	char *text = source_read(source, path);

	return text != NULL ? g_strstrip(text) : NULL;
}

guint64 source_parse_number(const char *text)
{
	guint64 number;

	while (g_ascii_isspace(*text))
		text++;
	if (!g_ascii_isdigit(*text))
		return FACTS_UNKNOWN;

	errno = 0;
	number = g_ascii_strtoull(text, NULL, 10);
	return errno == 0 && number <= G_MAXINT64 ? number : FACTS_UNKNOWN;
}

guint64 source_number(const FactsSource *source, const char *path)
{
	g_autofree char *text = source_read(source, path);

	return text != NULL ? source_parse_number(text) : FACTS_UNKNOWN;
}

bool source_exists(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);

	return access(full, F_OK) == 0;
}

const char *source_env(const FactsSource *source, const char *name)
{
	const char *value = g_environ_getenv(source->environment, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

char *source_program(const FactsSource *source, const char *name)
{
	static const char *const directories[] = { "/usr/local/bin", "/usr/sbin", "/usr/bin",
		                                   "/sbin", "/bin" };

	if (*source->root == '\0')
		return process_find(name);

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *path = g_build_filename(directories[i], name, NULL);

		if (source_exists(source, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

guint source_left_ms(const FactsSource *source)
{
	gint64 left_ms = (source->deadline_us - g_get_monotonic_time()) / 1000;

	return (guint)CLAMP(left_ms, 1, G_MAXINT);
}
