/* checks/facts.c - the facts: made, read, looked up, freed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "checks/facts.h"

#include <string.h>

#include "base/paths.h"
#include "checks/facts_fields.h"
#include "checks/facts_private.h"

#define DEFAULT_TIMEOUT_MS 1000

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

static void directory_free(gpointer directory)
{
	fields_clear(directory, &directory_fields);
	g_free(directory);
}

static void port_free(gpointer port)
{
	fields_clear(port, &port_fields);
	g_free(port);
}

Facts *facts_new(void)
{
	Facts *facts = g_new0(Facts, 1);

	fields_init(facts, &facts_fields);
	facts->directories = g_ptr_array_new_with_free_func(directory_free);
	facts->ports = g_ptr_array_new_with_free_func(port_free);
	return facts;
}

void facts_free(Facts *facts)
{
	if (facts == NULL)
		return;

	fields_clear(facts, &facts_fields);
	g_ptr_array_unref(facts->directories);
	g_ptr_array_unref(facts->ports);
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

/** A part that waits for somebody else's answer, read on a thread of its own. */
typedef struct {
	const FactsSource *source;
	Facts *facts;
} Part;

static gpointer read_engine(gpointer data)
{
	Part *part = data;

	facts_read_engine(part->source, &part->facts->engine);
	return NULL;
}

static gpointer read_keyring(gpointer data)
{
	Part *part = data;

	facts_read_keyring(part->source, &part->facts->keyring);
	return NULL;
}

static void read_local(const FactsSource *source, const FactsRequest *request, Facts *facts)
{
	g_autofree char *sudo = source_program(source, "sudo");

	facts_read_machine(source, facts);
	facts_read_surroundings(source, &facts->system);
	facts->system.has_sudo = sudo != NULL ? FACT_YES : FACT_NO;
	if (facts->system.architecture != NULL)
		facts->cpu.features = cpu_features_read(facts->system.architecture);
	facts_read_packages(source, &facts->system, &facts->packages);
	facts_read_engine_programs(source, &facts->engine);
	facts_read_desktop(source, &facts->desktop);

	for (gsize i = 0; request->directories != NULL && request->directories[i] != NULL; i++)
		g_ptr_array_add(facts->directories, facts_read_directory(request->directories[i]));
	for (gsize i = 0; i < request->port_count; i++)
		g_ptr_array_add(facts->ports, facts_read_port(request->ports[i]));
}

/* Whether the engine's paths are paths of this machine.  Docker Desktop and its like have a process
 * here that passes everything on into their virtual machine. */
static bool is_engine_native(const FactsEngine *engine)
{
	static const char *const machines[] = { "Docker Desktop", "OrbStack", "Rancher Desktop" };

	if (engine->is_here != FACT_YES || engine->root_dir == NULL || engine->product == NULL)
		return false;
	for (gsize i = 0; i < G_N_ELEMENTS(machines); i++)
		if (strstr(engine->product, machines[i]) != NULL)
			return false;

	return strstr(engine->endpoint, "/.colima/") == NULL;
}

static void read_engine_root(Facts *facts)
{
	FactsDirectory *root;

	if (!is_engine_native(&facts->engine))
		return;

	root = facts_read_directory(facts->engine.root_dir);
	facts->engine.root_free_bytes = root->free_bytes;
	facts->engine.root_device = root->device;
	directory_free(root);
}

Facts *facts_read(const FactsRequest *request)
{
	gint64 start_us = g_get_monotonic_time();
	guint timeout_ms = request->timeout_ms != 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
	g_auto(GStrv) environment = request->environment == NULL ? g_get_environ() : NULL;
	FactsSource source = { .root = request->root != NULL ? request->root : "",
		               .environment =
		                       environment != NULL ? environment : request->environment,
		               .deadline_us = start_us + (gint64)timeout_ms * 1000 };
	Facts *facts = facts_new();
	Part part = { &source, facts };
	GThread *keyring =
		request->is_keyring_asked ? g_thread_new("keyring", read_keyring, &part) : NULL;
	GThread *engine =
		request->is_engine_asked ? g_thread_new("engine", read_engine, &part) : NULL;

	read_local(&source, request, facts);
	if (engine != NULL)
		(void)g_thread_join(engine);
	if (keyring != NULL)
		(void)g_thread_join(keyring);
	read_engine_root(facts);

	facts->elapsed_us = (guint64)(g_get_monotonic_time() - start_us);
	return facts;
}
