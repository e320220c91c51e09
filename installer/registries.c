/* installer/registries.c - which registries a compose file's images come from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/registries.h"

#include <stdbool.h>
#include <string.h>

#define DOCKER_HUB "registry-1.docker.io"

/** The service that is being read. */
typedef struct {
	GPtrArray *hosts;
	char *host;   /* (nullable): of its image */
	gsize indent; /* of its keys */
	bool is_built;
} Reader;

/* Returns: (transfer full) (nullable): "${VAR:-redis:7}" and "redis:7" are of Docker Hub; NULL for a
 * variable without a default. */
static char *host_of(const char *image)
{
	const char *fallback = strstr(image, ":-");
	g_autofree char *name = g_strdup(
		g_str_has_prefix(image, "${") ? (fallback != NULL ? fallback + 2 : "") : image);
	const char *slash = NULL;

	g_strdelimit(name, "\"'}", ' ');
	g_strstrip(name);
	if (*name == '\0' || *name == '$')
		return NULL;
	slash = strchr(name, '/');
	if (slash == NULL || strcspn(name, ".:") > (gsize)(slash - name))
		return g_strdup(DOCKER_HUB);
	return g_strndup(name, (gsize)(slash - name));
}

static void flush(Reader *reader)
{
	if (reader->host != NULL && !reader->is_built &&
	    !g_ptr_array_find_with_equal_func(reader->hosts, reader->host, g_str_equal, NULL))
		g_ptr_array_add(reader->hosts, g_steal_pointer(&reader->host));
	g_clear_pointer(&reader->host, g_free);
	reader->is_built = false;
}

static void take_line(Reader *reader, const char *line)
{
	gsize indent = strspn(line, " ");
	const char *key = line + indent;

	if (*key == '\0' || *key == '#' || *key == '\r')
		return;
	if (indent < reader->indent) {
		flush(reader);
		reader->indent = indent;
	}
	if (g_str_has_prefix(key, "image:")) {
		g_autofree char *image = g_strstrip(g_strdup(key + strlen("image:")));

		if (indent > reader->indent)
			reader->is_built = false;
		reader->indent = indent;
		g_free(reader->host);
		reader->host = host_of(image);
	} else if (g_str_has_prefix(key, "build:")) {
		reader->is_built = true;
		reader->indent = indent;
	}
}

char **registries_of_compose(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	Reader reader = { .hosts = g_ptr_array_new() };

	for (char **line = lines; *line != NULL; line++)
		take_line(&reader, *line);
	flush(&reader);
	g_ptr_array_add(reader.hosts, NULL);
	return (char **)g_ptr_array_free(reader.hosts, FALSE);
}
