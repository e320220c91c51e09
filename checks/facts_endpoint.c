/* checks/facts_endpoint.c - which engine the docker program would talk to, and its plugins
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "checks/facts_endpoint.h"
#include "checks/facts_private.h"
#include "checks/facts_socket.h"

/* Largest configuration file.  Source: our own bound. */
#define CONFIG_MAX_BYTES ((gsize)1024 * 1024)

#define DEFAULT_SOCKET "/var/run/docker.sock"

/* Returns: (transfer full) (nullable): "$HOME/x" with the variable put in. */
static char *expand(const FactsSource *source, const char *pattern)
{
	const char *slash = strchr(pattern, '/');
	g_autofree char *name = g_strndup(pattern + 1, (gsize)(slash - pattern - 1));
	const char *value = source_env(source, name);

	return value != NULL ? g_strconcat(value, slash, NULL) : NULL;
}

static char *config_directory(const FactsSource *source)
{
	const char *set = source_env(source, "DOCKER_CONFIG");

	return set != NULL ? g_strdup(set) : expand(source, "$HOME/.docker");
}

static json_t *read_json(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);

	return json_read(full, CONFIG_MAX_BYTES, NULL);
}

static json_t *read_config(const FactsSource *source, const char *directory)
{
	g_autofree char *path =
		directory != NULL ? g_build_filename(directory, "config.json", NULL) : NULL;

	return path != NULL ? read_json(source, path) : NULL;
}

/* The docker program keeps a context under the digest of its name. */
static char *context_endpoint(const FactsSource *source, const char *directory, const char *name)
{
	g_autoptr(GBytes) bytes = g_bytes_new(name, strlen(name));
	g_autofree char *digest = file_digest_bytes(bytes);
	g_autofree char *path = g_build_filename(directory != NULL ? directory : "", "contexts",
	                                         "meta", digest, "meta.json", NULL);
	g_autoptr(json_t) meta = directory != NULL ? read_json(source, path) : NULL;
	const json_t *docker = json_object_get(json_object_get(meta, "Endpoints"), "docker");

	return g_strdup(json_text(docker, "Host"));
}

static bool take_context(const FactsSource *source, Endpoint *endpoint)
{
	g_autofree char *directory = config_directory(source);
	g_autoptr(json_t) config = read_config(source, directory);
	const char *name = source_env(source, "DOCKER_CONTEXT");

	if (name == NULL)
		name = json_text(config, "currentContext");
	if (name == NULL || *name == '\0' || strcmp(name, "default") == 0)
		return false;

	endpoint->url = context_endpoint(source, directory, name);
	endpoint->source = g_strdup_printf("context %s", name);
	return true;
}

/* Nothing is configured: the default socket, or the first usual one that somebody listens on. */
static void take_default(const FactsSource *source, Endpoint *endpoint)
{
	g_autofree char *standard = source_path(source, DEFAULT_SOCKET);

	for (gsize i = 0; socket_state(standard) != ENGINE_OK && i < engine_socket_count; i++) {
		g_autofree char *place = expand(source, engine_socket_table[i]);
		g_autofree char *path = place != NULL ? source_path(source, place) : NULL;

		if (path != NULL && socket_state(path) == ENGINE_OK) {
			endpoint->url = g_strconcat("unix://", path, NULL);
			endpoint->source = g_strdup("found");
			return;
		}
	}
	endpoint->url = g_strconcat("unix://", standard, NULL);
	endpoint->source = g_strdup("default");
}

void endpoint_resolve(const FactsSource *source, Endpoint *endpoint)
{
	const char *host = source_env(source, "DOCKER_HOST");

	*endpoint = (Endpoint){ NULL, NULL };
	if (host != NULL) {
		endpoint->url = g_strdup(host);
		endpoint->source = g_strdup("DOCKER_HOST");
	} else if (!take_context(source, endpoint)) {
		take_default(source, endpoint);
	}
}

void endpoint_clear(Endpoint *endpoint)
{
	g_clear_pointer(&endpoint->url, g_free);
	g_clear_pointer(&endpoint->source, g_free);
}

char *facts_engine_endpoint(void)
{
	g_auto(GStrv) environment = g_get_environ();
	const FactsSource source = { .root = "", .environment = environment };
	g_auto(Endpoint) endpoint = { NULL, NULL };

	endpoint_resolve(&source, &endpoint);
	return g_steal_pointer(&endpoint.url);
}

/* The docker program's own order: configured directories, the user's, the system's. */
static GPtrArray *plugin_directories(const FactsSource *source)
{
	static const char *const usual[] = { "/usr/local/lib/docker/cli-plugins",
		                             "/usr/local/libexec/docker/cli-plugins",
		                             "/usr/lib/docker/cli-plugins",
		                             "/usr/libexec/docker/cli-plugins" };
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *directory = config_directory(source);
	g_autoptr(json_t) config = read_config(source, directory);
	g_auto(GStrv) extra = json_to_strv(json_object_get(config, "cliPluginsExtraDirs"));

	for (gsize i = 0; extra != NULL && extra[i] != NULL; i++)
		g_ptr_array_add(list, g_strdup(extra[i]));
	if (directory != NULL)
		g_ptr_array_add(list, g_build_filename(directory, "cli-plugins", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(usual); i++)
		g_ptr_array_add(list, g_strdup(usual[i]));
	return list;
}

/* A plugin of the system's package has its version in the package database; no other file says it. */
static char *packaged_version(const FactsSource *source, const char *plugin)
{
	static const char *const packages[] = { "docker-compose-plugin", "docker-compose-v2",
		                                "docker-compose", NULL };

	if (!g_str_has_prefix(plugin, "/usr/lib"))
		return NULL;
	return dpkg_version(source, packages);
}

void facts_read_engine_programs(const FactsSource *source, FactsEngine *engine)
{
	g_autoptr(GPtrArray) directories = plugin_directories(source);

	engine->cli = source_program(source, "docker");
	for (guint i = 0; i < directories->len && engine->compose == NULL; i++) {
		g_autofree char *path =
			g_build_filename(g_ptr_array_index(directories, i), "docker-compose", NULL);

		if (source_exists(source, path))
			engine->compose = g_steal_pointer(&path);
	}
	if (engine->compose != NULL)
		engine->compose_version = packaged_version(source, engine->compose);
}
