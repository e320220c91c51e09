/* checks/facts_containers.c - what an engine that answers has here: a disk, and ports
 *
 * An engine without its userland proxy has no listener for a port that it publishes: bind() sees
 * nothing, and the port is taken all the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/json.h"
#include "checks/facts_engine.h"
#include "checks/facts_flavour.h"
#include "checks/facts_port.h"

#define PROJECT_LABEL "com.docker.compose.project"

static bool publishes(const json_t *container, guint64 number)
{
	const json_t *ports = json_object_get(container, "Ports");

	for (gsize i = 0; i < json_array_size(ports); i++) {
		const json_t *port = json_array_get(ports, i);
		const char *type = json_text_or(port, "Type", "tcp");

		if (strcmp(type, "tcp") == 0 &&
		    json_integer_value(json_object_get(port, "PublicPort")) == (json_int_t)number)
			return true;
	}
	return false;
}

static void take_container(const json_t *container, FactsPort *port)
{
	const char *name =
		json_string_value(json_array_get(json_object_get(container, "Names"), 0));
	const char *project = json_text(json_object_get(container, "Labels"), PROJECT_LABEL);

	port->is_free = FACT_NO;
	g_free(port->container);
	g_free(port->project);
	port->container = name != NULL ? g_strdup(name + (*name == '/')) : g_strdup("?");
	port->project = g_strdup(project);
}

/* Names the containers that publish one of @ports, whether somebody listens there or not. */
static void read_containers(const FactsSource *source, const EngineAddress *address,
                            const GPtrArray *ports)
{
	g_autoptr(json_t) containers = engine_ask(source, address, "/containers/json");

	for (gsize i = 0; i < json_array_size(containers); i++) {
		const json_t *container = json_array_get(containers, i);

		for (guint j = 0; j < ports->len; j++) {
			FactsPort *port = g_ptr_array_index(ports, j);

			if (publishes(container, port->number))
				take_container(container, port);
		}
	}
}

/* Whether the engine's paths are paths of this machine.  Docker Desktop and its like have a process
 * here that passes everything on into their virtual machine. */
static bool is_native(const Facts *facts)
{
	return facts->engine.is_here == FACT_YES && facts->engine.root_dir != NULL &&
	       !flavour_is_machine(facts_flavour(facts));
}

static void read_root(Facts *facts)
{
	FactsDirectory *root = facts_read_directory(facts->engine.root_dir, facts->directories);

	facts->engine.root_free_bytes = root->free_bytes;
	facts->engine.root_device = root->device;
	facts_directory_free(root);
}

void facts_read_engine_rest(const FactsSource *source, Facts *facts)
{
	static const char scheme[] = "unix://";
	const FactsEngine *engine = &facts->engine;

	if (is_native(facts))
		read_root(facts);
	if (facts->ports->len == 0)
		return;

	/* To ask takes the engine's time: not where it has said that nothing runs. */
	if (engine->state == ENGINE_OK && engine->running != 0 &&
	    g_str_has_prefix(engine->endpoint, scheme))
		read_containers(
			source,
			&(EngineAddress){ "http://localhost", engine->endpoint + strlen(scheme) },
			facts->ports);
	facts_read_port_owners(source, facts->ports);
}
