/* checks/facts_endpoint.c - which engine the docker program would talk to
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_endpoint.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "checks/facts_socket.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"

/* Where engines listen besides, on any system; most usual first.  A socket of podman starts it when
 * somebody connects: it stands last, and is no alternative to another. */
static const char *const socket_table[] = {
	"$XDG_RUNTIME_DIR/docker.sock",
	"$HOME/.docker/desktop/docker.sock",
	"$HOME/.docker/run/docker.sock",
	"$HOME/.orbstack/run/docker.sock",
	"$HOME/.rd/docker.sock",
	"$COLIMA_HOME/default/docker.sock",
	"$HOME/.colima/default/docker.sock",
	"$XDG_CONFIG_HOME/colima/default/docker.sock",
	"$HOME/.colima/docker.sock",
	"$HOME/.lima/docker/sock/docker.sock",
};
static const char *const podman_table[] = {
	"$XDG_RUNTIME_DIR/podman/podman.sock",
	"/run/podman/podman.sock",
	"$HOME/.local/share/containers/podman/machine/podman.sock",
};

/* The docker program keeps a context under the digest of its name. */
static char *context_endpoint(const FactsSource *source, const char *directory, const char *name)
{
	g_autoptr(GBytes) bytes = g_bytes_new(name, strlen(name));
	g_autofree char *digest = file_digest_bytes(bytes);
	g_autofree char *path = g_build_filename(directory != NULL ? directory : "", "contexts",
	                                         "meta", digest, "meta.json", NULL);
	g_autoptr(json_t) meta = directory != NULL ? source_json(source, path) : NULL;
	const json_t *docker = json_object_get(json_object_get(meta, "Endpoints"), "docker");

	return g_strdup(json_text(docker, "Host"));
}

static bool take_context(const FactsSource *source, const DockerConfig *config, Endpoint *endpoint)
{
	const char *name = source_env(source, "DOCKER_CONTEXT");

	if (name == NULL)
		name = json_text(config->object, "currentContext");
	if (name == NULL || *name == '\0' || strcmp(name, "default") == 0)
		return false;

	endpoint->url = context_endpoint(source, config->directory, name);
	endpoint->source = g_strdup_printf("context %s", name);
	if (endpoint->url == NULL)
		endpoint->why = g_strdup_printf("there is no context \"%s\"", name);
	return true;
}

/* Returns: (transfer full) (nullable): the first socket of a table that somebody listens on. */
static char *find_alive(const FactsSource *source, const char *const *table, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		g_autofree char *place = source_expand(source, table[i]);
		g_autofree char *path = place != NULL ? source_path(source, place) : NULL;

		if (path != NULL && socket_state(path) == ENGINE_OK)
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* Nothing is configured: the default socket, or the first usual one that somebody listens on. */
static void take_default(const FactsSource *source, Endpoint *endpoint)
{
	g_autofree char *standard = source_path(source, DEFAULT_SOCKET);
	g_autofree char *found = NULL;

	if (socket_state(standard) != ENGINE_OK) {
		found = find_alive(source, socket_table, G_N_ELEMENTS(socket_table));
		if (found == NULL)
			found = find_alive(source, podman_table, G_N_ELEMENTS(podman_table));
	}
	endpoint->url = g_strconcat("unix://", found != NULL ? found : standard, NULL);
	endpoint->source = g_strdup(found != NULL ? "found" : "default");
}

void endpoint_resolve(const FactsSource *source, const DockerConfig *config, Endpoint *endpoint)
{
	const char *host = source_env(source, "DOCKER_HOST");

	*endpoint = (Endpoint){ NULL };
	if (host != NULL) {
		endpoint->url = g_strdup(host);
		endpoint->source = g_strdup("DOCKER_HOST");
	} else if (!take_context(source, config, endpoint)) {
		take_default(source, endpoint);
	}
}

void endpoint_clear(Endpoint *endpoint)
{
	g_clear_pointer(&endpoint->url, g_free);
	g_clear_pointer(&endpoint->source, g_free);
	g_clear_pointer(&endpoint->why, g_free);
}

static bool is_same_file(const char *a, const struct stat *b)
{
	struct stat status;

	return stat(a, &status) == 0 && status.st_dev == b->st_dev && status.st_ino == b->st_ino;
}

/* Returns: whether @path, which somebody listens on, is neither of those files. */
static bool is_another(const char *path, const char *taken, const GPtrArray *list)
{
	struct stat status;

	if (stat(path, &status) != 0 || (taken != NULL && is_same_file(taken, &status)))
		return false;
	for (guint i = 0; i < list->len; i++)
		if (is_same_file(g_ptr_array_index(list, i), &status))
			return false;

	return true;
}

char *endpoint_others(const FactsSource *source, const char *url)
{
	const char *taken =
		url != NULL && g_str_has_prefix(url, "unix://") ? url + strlen("unix://") : NULL;
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i <= G_N_ELEMENTS(socket_table); i++) {
		g_autofree char *place =
			source_expand(source, i == 0 ? DEFAULT_SOCKET : socket_table[i - 1]);
		g_autofree char *path = place != NULL ? source_path(source, place) : NULL;

		if (path != NULL && file_exists(path) && socket_state(path) == ENGINE_OK &&
		    is_another(path, taken, list))
			g_ptr_array_add(list, g_steal_pointer(&path));
	}
	if (list->len == 0)
		return NULL;
	g_ptr_array_add(list, NULL);
	return g_strjoinv(" ", (char **)list->pdata);
}

char *facts_engine_endpoint(void)
{
	g_auto(GStrv) environment = g_get_environ();
	const FactsSource source = { .root = "", .environment = environment };
	g_auto(DockerConfig) config = { NULL };
	g_auto(Endpoint) endpoint = { NULL };

	docker_config_read(&source, &config);
	endpoint_resolve(&source, &config, &endpoint);
	return g_steal_pointer(&endpoint.url);
}
