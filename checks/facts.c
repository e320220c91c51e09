/* checks/facts.c - the facts: made, read, looked up, freed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts.h"

#include <string.h>
#include <sys/stat.h>

#include "base/paths.h"
#include "checks/facts_desktop_read.h"
#include "checks/facts_engine.h"
#include "checks/facts_fields.h"
#include "checks/facts_gpu_private.h"
#include "checks/facts_os.h"
#include "checks/facts_port.h"
#include "checks/facts_private.h"
#include "checks/facts_route.h"
#include "checks/facts_tools.h"

#define DEFAULT_TIMEOUT_MS 1000

FactsCard *facts_card_new(void)
{
	FactsCard *card = g_new0(FactsCard, 1);

	fields_init(card, &card_fields);
	return card;
}

FactsDirectory *facts_directory_new(const char *path)
{
	FactsDirectory *directory = g_new0(FactsDirectory, 1);

	fields_init(directory, &directory_fields);
	directory->path = g_strdup(path);
	return directory;
}

FactsPort *facts_port_new(guint64 number)
{
	FactsPort *port = g_new0(FactsPort, 1);

	fields_init(port, &port_fields);
	port->number = number;
	return port;
}

FactsServer *facts_server_new(const char *url)
{
	FactsServer *server = g_new0(FactsServer, 1);

	fields_init(server, &server_fields);
	server->url = g_strdup(url);
	return server;
}

FactsSecret *facts_secret_new(const char *path)
{
	FactsSecret *secret = g_new0(FactsSecret, 1);

	fields_init(secret, &secret_fields);
	secret->path = g_strdup(path);
	return secret;
}

static void card_free(gpointer card)
{
	fields_clear(card, &card_fields);
	g_free(card);
}

void facts_directory_free(gpointer directory)
{
	fields_clear(directory, &directory_fields);
	g_free(directory);
}

static void port_free(gpointer port)
{
	fields_clear(port, &port_fields);
	g_free(port);
}

static void server_free(gpointer server)
{
	fields_clear(server, &server_fields);
	g_free(server);
}

static void secret_free(gpointer secret)
{
	fields_clear(secret, &secret_fields);
	g_free(secret);
}

Facts *facts_new(void)
{
	Facts *facts = g_new0(Facts, 1);

	fields_init(facts, &facts_fields);
	facts->cards = g_ptr_array_new_with_free_func(card_free);
	facts->directories = g_ptr_array_new_with_free_func(facts_directory_free);
	facts->ports = g_ptr_array_new_with_free_func(port_free);
	facts->servers = g_ptr_array_new_with_free_func(server_free);
	facts->secrets = g_ptr_array_new_with_free_func(secret_free);
	return facts;
}

void facts_free(Facts *facts)
{
	if (facts == NULL)
		return;

	fields_clear(facts, &facts_fields);
	g_ptr_array_unref(facts->cards);
	g_ptr_array_unref(facts->directories);
	g_ptr_array_unref(facts->ports);
	g_ptr_array_unref(facts->servers);
	g_ptr_array_unref(facts->secrets);
	g_free(facts);
}

const FactsDirectory *facts_directory(const Facts *facts, const char *path)
{
	const FactsDirectory *nearest = NULL;

	for (guint i = 0; i < facts->directories->len; i++) {
		const FactsDirectory *directory = g_ptr_array_index(facts->directories, i);

		if (directory->path != NULL && paths_is_below(path, directory->path) &&
		    (nearest == NULL || strlen(directory->path) > strlen(nearest->path)))
			nearest = directory;
	}
	return nearest;
}

const FactsPort *facts_port(const Facts *facts, guint64 number)
{
	for (guint i = 0; i < facts->ports->len; i++) {
		const FactsPort *port = g_ptr_array_index(facts->ports, i);

		if (port->number == number)
			return port;
	}
	return NULL;
}

const FactsServer *facts_server(const Facts *facts, const char *url)
{
	for (guint i = 0; i < facts->servers->len; i++) {
		const FactsServer *server = g_ptr_array_index(facts->servers, i);

		if (g_strcmp0(server->url, url) == 0)
			return server;
	}
	return NULL;
}

/** What the parts are read from, and into. */
typedef struct {
	const FactsSource *source;
	const FactsRequest *request;
	Facts *facts;
	DockerConfig config;
	Endpoint endpoint;
} Part;

static gpointer read_keyring(gpointer data)
{
	Part *part = data;

	facts_read_keyring(part->source, &part->facts->keyring);
	return NULL;
}

static void add_directory(Facts *facts, const char *path)
{
	for (guint i = 0; i < facts->directories->len; i++)
		if (g_strcmp0(((FactsDirectory *)g_ptr_array_index(facts->directories, i))->path,
		              path) == 0)
			return;

	g_ptr_array_add(facts->directories, facts_read_directory(path, facts->directories));
}

/* Home, the place for temporary files and that of packages matter to every stack. */
static void read_directories(const FactsRequest *request, Facts *facts)
{
	const char *const *asked = request->directories;

	for (gsize i = 0; asked != NULL && asked[i] != NULL; i++)
		add_directory(facts, asked[i]);
	if (facts->system.home != NULL && g_path_is_absolute(facts->system.home))
		add_directory(facts, facts->system.home);
	add_directory(facts, facts->system.tmp);
	add_directory(facts, "/");
	if (facts->system.wsl == 2)
		add_directory(facts, FACTS_WINDOWS_DISK);
}

/* What is not there tells nothing. */
static void read_secrets(const FactsRequest *request, Facts *facts)
{
	struct stat st;

	for (gsize i = 0; request->secrets != NULL && request->secrets[i] != NULL; i++) {
		FactsSecret *secret;

		if (stat(request->secrets[i], &st) != 0)
			continue;
		secret = facts_secret_new(request->secrets[i]);
		secret->mode = st.st_mode & 07777;
		secret->uid = st.st_uid;
		g_ptr_array_add(facts->secrets, secret);
	}
}

static void read_local(const Part *part)
{
	const FactsSource *source = part->source;
	const FactsRequest *request = part->request;
	Facts *facts = part->facts;
	g_autofree char *sudo = source_program(source, "sudo");

	facts_read_machine(source, facts);
	facts_read_surroundings(source, &facts->system);
	facts_read_user(source, &facts->system);
	facts->system.has_sudo = sudo != NULL ? FACT_YES : FACT_NO;
	facts_read_gpu(source, facts);
	facts_read_packages(source, &facts->system, request->is_package_work_asked,
	                    &facts->packages);
	facts_read_installed(source, &facts->installed);
	facts_read_client(source, &part->config, &facts->engine, &facts->client);
	if (request->are_tools_asked)
		facts_read_tools(source, &facts->tools);
	facts_read_desktop(source, facts);
	facts_read_network(source, &facts->network);

	read_directories(request, facts);
	read_secrets(request, facts);
	for (gsize i = 0; i < request->port_count; i++)
		g_ptr_array_add(facts->ports, facts_read_port(request->ports[i]));
}

Facts *facts_read_cards(void)
{
	const FactsSource source = { .root = "" };
	Facts *facts = facts_new();

	facts_read_gpu(&source, facts);
	return facts;
}

void facts_ask_cards(Facts *facts)
{
	const FactsSource source = { .root = "" };

	nvidia_ask(&source, facts);
}

struct FactsReading {
	FactsRequest request;
	FactsSource source;
	char **environment; /* (nullable): ours */
	SourceCache *cache;
	Part part;
	EngineQuestion *engine; /* (nullable) */
	guint64 elapsed_us;
};

static guint64 since_us(gint64 start_us)
{
	return (guint64)(g_get_monotonic_time() - start_us);
}

FactsReading *facts_begin(const FactsRequest *request)
{
	gint64 start_us = g_get_monotonic_time();
	guint timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
	FactsReading *it = g_new0(FactsReading, 1);

	it->request = *request;
	it->environment = request->environment == NULL ? g_get_environ() : NULL;
	it->cache = source_cache_new();
	it->source = (FactsSource){ .root = request->root != NULL ? request->root : "",
		                    .environment = it->environment != NULL ? it->environment
		                                                           : request->environment,
		                    .is_thorough = request->is_thorough,
		                    .deadline_us = start_us + (gint64)timeout_ms * 1000,
		                    .cache = it->cache };
	it->part = (Part){ .source = &it->source, .request = &it->request, .facts = facts_new() };
	docker_config_read(&it->source, &it->part.config);
	if (request->is_engine_asked) {
		endpoint_resolve(&it->source, &it->part.config, &it->part.endpoint);
		it->engine = engine_begin(&it->source, &it->part.endpoint, &it->part.facts->engine);
	}
	it->elapsed_us = since_us(start_us);
	return it;
}

static void reading_free(FactsReading *it)
{
	endpoint_clear(&it->part.endpoint);
	docker_config_clear(&it->part.config);
	source_cache_free(it->cache);
	g_strfreev(it->environment);
	g_free(it);
}

void facts_cancel(FactsReading *reading)
{
	engine_drop(reading->engine);
	facts_free(reading->part.facts);
	reading_free(reading);
}

Facts *facts_end(FactsReading *reading, const FactsRequest *request)
{
	gint64 start_us = g_get_monotonic_time();
	Facts *facts = reading->part.facts;
	GThread *keyring = NULL;

	reading->request = *request;
	if (request->is_keyring_asked)
		keyring = g_thread_new("keyring", read_keyring, &reading->part);
	read_local(&reading->part);
	if (request->is_engine_asked)
		engine_end(reading->engine, &reading->source, &request->wake,
		           &reading->part.endpoint, &facts->engine);
	else
		engine_drop(reading->engine);
	if (keyring != NULL)
		(void)g_thread_join(keyring);
	facts_read_engine_rest(&reading->source, facts);
	facts->elapsed_us = reading->elapsed_us + since_us(start_us);
	reading_free(reading);
	return facts;
}

Facts *facts_read(const FactsRequest *request)
{
	return facts_end(facts_begin(request), request);
}
