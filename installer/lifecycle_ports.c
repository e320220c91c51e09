/* installer/lifecycle_ports.c - are the ports of a project free, or its own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_ports.h"

#include "base/fault.h"
#include "checks/facts.h"
#include "installer/engine.h"

typedef struct {
	const StackPort *port;
	guint16 number;
} Wanted;

static bool is_ours(const GPtrArray *services, guint number)
{
	for (guint i = 0; i < services->len; i++) {
		const LifeService *service = services->pdata[i];
		for (const guint *one = service->numbers; *one; one++)
			if (*one == number)
				return true;
	}
	return false;
}

/* The ports that the start will bind. */
static GArray *wanted_ports(const Lifecycle *life, const LifeProject *project,
                            const GPtrArray *services)
{
	const char *profile = json_text_or(life->entry, "profile", "");
	GArray *wanted = g_array_new(FALSE, FALSE, sizeof(Wanted));

	for (guint i = 0; life->stack && i < life->stack->ports->len; i++) {
		const StackPort *port = life->stack->ports->pdata[i];
		const char *text =
			port->variable ? g_hash_table_lookup(project->ports, port->variable) : NULL;
		guint64 number = text ? g_ascii_strtoull(text, NULL, 10) : port->number;
		Wanted one = { port, (guint16)number };

		if (stack_in_profile(port->profiles, profile) && number > 0 &&
		    number <= G_MAXUINT16 && !is_ours(services, one.number))
			g_array_append_val(wanted, one);
	}
	return wanted;
}

/* Returns: (transfer full): who has it, for people. */
static char *find_holder(const char *engine, guint number)
{
	g_autoptr(json_t) list = engine_get(engine, "/containers/json", NULL);

	for (gsize i = 0; i < json_array_size(list); i++) {
		const json_t *container = json_array_get(list, i);
		const json_t *ports = json_object_get(container, "Ports");
		const char *name =
			json_string_value(json_array_get(json_object_get(container, "Names"), 0));

		for (gsize j = 0; j < json_array_size(ports); j++) {
			const json_t *outside =
				json_object_get(json_array_get(ports, j), "PublicPort");
			if (json_integer_value(outside) == (json_int_t)number)
				return g_strdup_printf("the container %s",
				                       name ? name + (*name == '/') : "?");
		}
	}
	return g_strdup("another program");
}

static void fail(const LifeProject *project, const Wanted *one, GError **error)
{
	g_autofree char *holder = find_holder(project->compose->engine, one->number);
	g_autofree char *hint = g_strdup_printf(
		"Stop it, or write %s=NUMBER into %s, then run the same command again.",
		one->port->variable ? one->port->variable : "another port",
		project->compose->env_file ? project->compose->env_file : "the compose file");

	fault_set(error, STATUS_FAILED, hint, "port %u (%s) is taken by %s; nothing was changed",
	          one->number, one->port->name, holder);
}

bool ports_check(const Lifecycle *life, const LifeProject *project, const GPtrArray *services,
                 GError **error)
{
	g_autoptr(GArray) wanted = wanted_ports(life, project, services);
	g_autofree guint16 *numbers = g_new0(guint16, wanted->len + 1);
	const FactsRequest request = { .ports = numbers, .port_count = wanted->len };

	for (guint i = 0; i < wanted->len; i++)
		numbers[i] = g_array_index(wanted, Wanted, i).number;
	if (wanted->len == 0)
		return true;

	g_autoptr(Facts) facts = facts_read(&request);
	for (guint i = 0; i < wanted->len; i++) {
		const FactsPort *port = facts_port(facts, numbers[i]);
		if (!port || port->is_free != FACT_NO)
			continue;
		fail(project, &g_array_index(wanted, Wanted, i), error);
		return false;
	}
	return true;
}
