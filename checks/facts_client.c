/* checks/facts_client.c - the docker program: its settings, and what it needs around it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"

/* Where a docker program, or a plugin, lies that not every shell finds; in the user's own order of
 * likelihood. */
static const char *const cli_places[] = { "$HOME/.docker/bin/docker", "$HOME/.rd/bin/docker",
	                                  "$HOME/.orbstack/bin/docker",
	                                  "/Applications/Docker.app/Contents/Resources/bin/docker",
	                                  "/snap/bin/docker" };
static const char *const compose_places[] = {
	"/Applications/Docker.app/Contents/Resources/cli-plugins/docker-compose",
	"/opt/homebrew/lib/docker/cli-plugins/docker-compose",
	"/usr/local/lib/docker/cli-plugins/docker-compose",
	"/home/linuxbrew/.linuxbrew/lib/docker/cli-plugins/docker-compose",
	"$HOME/.rd/bin/docker-compose",
	"/snap/docker/current/usr/libexec/docker/cli-plugins/docker-compose"
};

/* Variables that make docker and compose do something else than what the files say. */
static const char *const variable_table[] = {
	"COMPOSE_FILE",         "COMPOSE_PROJECT_NAME",     "COMPOSE_PROFILES",
	"COMPOSE_ENV_FILES",    "COMPOSE_DISABLE_ENV_FILE", "DOCKER_API_VERSION",
	"DOCKER_CONTENT_TRUST", "DOCKER_DEFAULT_PLATFORM"
};

json_t *source_json(const FactsSource *source, const char *path)
{
	g_autofree char *text = source_read(source, path);
	g_autoptr(GBytes) bytes = text != NULL ? g_bytes_new_static(text, strlen(text)) : NULL;

	return bytes != NULL ? json_parse_bytes(bytes, path, NULL) : NULL;
}

char *source_expand(const FactsSource *source, const char *pattern)
{
	const char *slash = strchr(pattern, '/');
	g_autofree char *name = NULL;
	const char *value;

	if (*pattern != '$' || slash == NULL)
		return g_strdup(pattern);

	name = g_strndup(pattern + 1, (gsize)(slash - pattern - 1));
	value = source_env(source, name);
	return value != NULL ? g_strconcat(value, slash, NULL) : NULL;
}

/* A link of a test's tree leads out of it. */
char *source_target(const FactsSource *source, const char *path)
{
	g_autofree char *full = source_path(source, path);
	char *real = realpath(full, NULL);
	gsize length = strlen(source->root);
	char *target =
		real != NULL
			? g_strdup(strncmp(real, source->root, length) == 0 ? real + length : real)
			: NULL;

	free(real);
	return target;
}

void docker_config_read(const FactsSource *source, DockerConfig *config)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GBytes) bytes = NULL;

	*config = (DockerConfig){ NULL };
	config->directory = source_env(source, "DOCKER_CONFIG") != NULL
	                            ? g_strdup(source_env(source, "DOCKER_CONFIG"))
	                            : source_expand(source, "$HOME/.docker");
	if (config->directory == NULL)
		return;

	config->file = g_build_filename(config->directory, "config.json", NULL);
	text = source_read(source, config->file);
	if (text == NULL) {
		if (source_exists(source, config->file))
			config->why = g_strdup("it cannot be read");
		else
			g_clear_pointer(&config->file, g_free);
		return;
	}

	bytes = g_bytes_new_static(text, strlen(text));
	config->object = json_parse_bytes(bytes, "config.json", &error);
	if (config->object == NULL)
		config->why = fault_message(error);
	else if (!json_is_object(config->object))
		config->why = g_strdup("it is not a JSON object");
}

void docker_config_clear(DockerConfig *config)
{
	g_clear_pointer(&config->directory, g_free);
	g_clear_pointer(&config->file, g_free);
	g_clear_pointer(&config->why, g_free);
	json_decref(config->object);
	config->object = NULL;
}

/* Returns: (transfer full) (nullable): the first of @places where there is a file. */
static char *find_place(const FactsSource *source, const char *const *places, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		g_autofree char *path = source_expand(source, places[i]);

		if (path != NULL && source_exists(source, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

/* Returns: whether the program that keeps registry passwords is there. */
static bool has_helper(const FactsSource *source, const char *name)
{
	g_autofree char *program = g_strconcat("docker-credential-", name, NULL);
	g_autofree char *usual = source_program(source, program);
	const char *search = source_env(source, "PATH");
	g_auto(GStrv) places = g_strsplit(search != NULL ? search : "", ":", -1);

	for (gsize i = 0; usual == NULL && places[i] != NULL; i++) {
		g_autofree char *path = g_build_filename(places[i], program, NULL);

		if (source_exists(source, path))
			return true;
	}
	return usual != NULL;
}

static void take_helper(const FactsSource *source, const char *name, FactsClient *client)
{
	if (name == NULL || *name == '\0' || client->has_credential_helpers == FACT_NO)
		return;

	client->has_credential_helpers = has_helper(source, name) ? FACT_YES : FACT_NO;
	if (client->has_credential_helpers == FACT_NO)
		client->credential_helper = g_strconcat("docker-credential-", name, NULL);
}

static void read_helpers(const FactsSource *source, const json_t *config, FactsClient *client)
{
	json_t *helpers = json_object_get(config, "credHelpers");
	const char *registry;
	json_t *name;

	take_helper(source, json_text(config, "credsStore"), client);
	json_object_foreach(helpers, registry, name)
	{
		take_helper(source, json_string_value(name), client);
	}
}

static void read_config(const FactsSource *source, const DockerConfig *config, FactsClient *client)
{
	client->config = g_strdup(config->file);
	client->config_why = g_strdup(config->why);
	if (config->file != NULL)
		client->is_config_valid = config->why == NULL ? FACT_YES : FACT_NO;
	read_helpers(source, config->object, client);
}

/* Returns: (transfer full): names of the variables that are set, space between. */
static char *find_variables(const FactsSource *source)
{
	GString *list = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(variable_table); i++)
		if (source_env(source, variable_table[i]) != NULL)
			g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "",
			                       variable_table[i]);

	return g_string_free(list, FALSE);
}

/* A link into a virtual machine that does not run leads nowhere. */
static void read_cli(const FactsSource *source, FactsEngine *engine, FactsClient *client)
{
	static const char *const packages[] = { "docker-ce-cli", "docker-cli", "docker.io",
		                                "docker", NULL };
	static const char *const links[] = { "/usr/local/bin/docker", "/usr/bin/docker" };

	engine->cli = source_program(source, "docker");
	if (engine->cli != NULL) {
		client->cli_target = source_target(source, engine->cli);
		if (client->cli_target != NULL && g_str_has_prefix(client->cli_target, "/usr/"))
			client->cli_version = package_version(source, packages);
		return;
	}
	client->cli_elsewhere = find_place(source, cli_places, G_N_ELEMENTS(cli_places));
	for (gsize i = 0; i < G_N_ELEMENTS(links) && client->dangling == NULL; i++) {
		g_autofree char *full = source_path(source, links[i]);

		if (g_file_test(full, G_FILE_TEST_IS_SYMLINK) && access(full, F_OK) != 0)
			client->dangling = g_strdup(links[i]);
	}
}

static void read_compose(const FactsSource *source, const DockerConfig *config, FactsEngine *engine,
                         FactsClient *client)
{
	static const char *const packages[] = { "docker-compose-plugin", "docker-compose-v2",
		                                "docker-compose", "docker-cli-compose", NULL };
	g_auto(Plugin) plugin = { NULL };

	plugin_find(source, config, "compose", packages, &client->dangling, &plugin);
	engine->compose = g_steal_pointer(&plugin.path);
	engine->compose_version = g_steal_pointer(&plugin.version);
	client->compose_target = g_steal_pointer(&plugin.target);
	client->compose_machine = g_steal_pointer(&plugin.machine);
	client->compose_why = g_steal_pointer(&plugin.why);
	if (engine->compose != NULL)
		return;
	client->compose_v1 = source_program(source, "docker-compose");
	client->compose_elsewhere =
		find_place(source, compose_places, G_N_ELEMENTS(compose_places));
}

static void read_buildx(const FactsSource *source, const DockerConfig *config, FactsClient *client)
{
	static const char *const packages[] = { "docker-buildx-plugin", "docker-buildx",
		                                "docker-cli-buildx", NULL };
	g_auto(Plugin) plugin = { NULL };

	plugin_find(source, config, "buildx", packages, &client->dangling, &plugin);
	client->buildx = g_steal_pointer(&plugin.path);
	client->buildx_version = g_steal_pointer(&plugin.version);
	client->buildx_machine = g_steal_pointer(&plugin.machine);
	client->buildx_why = g_steal_pointer(&plugin.why);
}

void facts_read_client(const FactsSource *source, const DockerConfig *config, FactsEngine *engine,
                       FactsClient *client)
{
	read_config(source, config, client);
	read_cli(source, engine, client);
	read_compose(source, config, engine, client);
	read_buildx(source, config, client);
	client->variables = find_variables(source);
}
