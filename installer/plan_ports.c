/* installer/plan_ports.c - where the ports of a stack are, and where they move to when they are taken
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "installer/plan_private.h"
#include "installer/receipt.h"

#define VARIABLE_BYTES "abcdefghijklmnopqrstuvwxyz_"
#define MARK "port_"
/* Above it, systems give ports to connections.  Source: Linux, ip_local_port_range. */
#define PORT_MAX 32767

/* All ports of a stack move by the same distance, so that they stay recognizable: 8010, 18010. */
static const guint distances[] = { 10000, 20000, 1000, 2000, 3000, 4000,
	                           5000,  100,   200,  300,  400,  500 };

/* Returns: (transfer full) (nullable): "port_api" for [port api], where templates can have it. */
static char *variable_of(const StackPort *port)
{
	char *name = g_strdelimit(g_strconcat(MARK, port->name, NULL), "-", '_');

	if (strspn(name, VARIABLE_BYTES) == strlen(name))
		return name;
	g_free(name);
	return NULL;
}

/* Returns: (transfer none) (nullable): the names and values that an installed stack's templates got. */
static json_t *installed_vars(const json_t *entry)
{
	const json_t *steps = json_object_get(entry, "steps");
	json_t *vars = NULL;

	for (gsize i = 0; i < json_array_size(steps) && !vars; i++)
		vars = json_object_get(json_object_get(json_array_get(steps, i), "inputs"), "vars");
	return vars;
}

/* Whether a stack that is installed, and perhaps down now, has the port. */
static bool is_promised(const PlanRequest *request, const Plan *plan, guint64 number)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
	const char *stack = NULL;
	json_t *entry = NULL;

	json_object_foreach(json_object_get(request->receipt, "stacks"), stack, entry)
	{
		const char *name = NULL;
		json_t *value = NULL;

		if (g_str_equal(stack, plan->stack))
			continue;
		json_object_foreach(installed_vars(entry), name, value)
		{
			if (g_str_has_prefix(name, MARK) &&
			    g_strcmp0(json_string_value(value), text) == 0)
				return true;
		}
	}
	return false;
}

static bool is_taken(const PlanRequest *request, const Plan *plan, guint64 number)
{
	const FactsPort *port = facts_port(request->facts, number);

	return (port && port->is_free == FACT_NO) || is_promised(request, plan, number);
}

bool plan_port_is_movable(const StackBundle *bundle, const char *profile, const StackPort *port)
{
	const Stack *stack = stacks_definition(bundle);
	g_autofree char *name = variable_of(port);
	g_autofree char *mark = g_strconcat("@", name, "@", NULL);

	for (guint i = 0; i < stack->steps->len && name; i++) {
		const StackStep *step = stack->steps->pdata[i];
		const char *member = g_hash_table_lookup(step->values, "from");
		const char *flag = g_hash_table_lookup(step->values, "template");
		g_autoptr(GBytes) bytes = NULL;
		gsize size_bytes = 0;

		if (!member || g_strcmp0(flag, "yes") != 0 ||
		    !stack_in_profile(step->profiles, profile))
			continue;
		bytes = stacks_read(bundle, member, NULL);
		const char *text = bytes ? g_bytes_get_data(bytes, &size_bytes) : NULL;
		if (text && g_strstr_len(text, (gssize)size_bytes, mark))
			return true;
	}
	return false;
}

/* Returns: (transfer container): the profile's ports that have a name for templates. */
static GPtrArray *list_ports(const PlanRequest *request, const Plan *plan)
{
	const Stack *stack = stacks_definition(request->bundle);
	GPtrArray *ports = g_ptr_array_new();

	for (guint i = 0; i < stack->ports->len; i++) {
		StackPort *port = stack->ports->pdata[i];
		g_autofree char *name = variable_of(port);
		if (name && stack_in_profile(port->profiles, plan->profile))
			g_ptr_array_add(ports, port);
	}
	return ports;
}

/* Whether all of @ports are free that far away, and none of them is another one of the profile. */
static bool is_free_at(const PlanRequest *request, const Plan *plan, const GPtrArray *ports,
                       guint distance)
{
	const Stack *stack = stacks_definition(request->bundle);

	for (guint i = 0; i < ports->len; i++) {
		guint64 number = ((const StackPort *)ports->pdata[i])->number + distance;

		if (number > PORT_MAX || is_taken(request, plan, number))
			return false;
		for (guint j = 0; j < stack->ports->len; j++)
			if (((const StackPort *)stack->ports->pdata[j])->number == number)
				return false;
	}
	return true;
}

/* Returns: (nullable): the first that somebody else has, when all of them can move. */
static const StackPort *find_clash(const PlanRequest *request, const Plan *plan,
                                   const GPtrArray *ports)
{
	const StackPort *clash = NULL;

	for (guint i = 0; i < ports->len; i++) {
		const StackPort *port = ports->pdata[i];

		if (!plan_port_is_movable(request->bundle, plan->profile, port))
			return NULL;
		if (!clash && is_taken(request, plan, port->number))
			clash = port;
	}
	return clash;
}

static guint choose_distance(const PlanRequest *request, const Plan *plan, const GPtrArray *ports)
{
	for (gsize i = 0; i < G_N_ELEMENTS(distances); i++)
		if (is_free_at(request, plan, ports, distances[i]))
			return distances[i];

	return 0;
}

/* What was chosen once stays: the containers of the stack have those ports themselves. */
static bool is_remembered(const Plan *plan, const GPtrArray *ports)
{
	const json_t *vars = installed_vars(plan->receipt);
	bool is_there = false;

	for (guint i = 0; i < ports->len && !is_there; i++) {
		g_autofree char *name = variable_of(ports->pdata[i]);
		is_there = json_text(vars, name) != NULL;
	}
	return is_there;
}

/* Templates speak of the ports of other profiles, too. */
static void put_port(Plan *plan, const StackPort *port, guint distance, json_t *vars)
{
	g_autofree char *name = variable_of(port);
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, port->number + distance);
	const char *number = name ? json_text(installed_vars(plan->receipt), name) : NULL;

	if (!name)
		return;
	number = number ? number : text;
	json_put(vars, name, number);
	if (stack_in_profile(port->profiles, plan->profile))
		json_object_set_new(plan->ports, port->name,
		                    json_integer((json_int_t)g_ascii_strtoull(number, NULL, 10)));
}

void plan_ports(const PlanRequest *request, Plan *plan, json_t *vars)
{
	const Stack *stack = stacks_definition(request->bundle);
	g_autoptr(GPtrArray) ports = list_ports(request, plan);
	const StackPort *clash =
		is_remembered(plan, ports) ? NULL : find_clash(request, plan, ports);
	guint distance = clash ? choose_distance(request, plan, ports) : 0;

	plan->ports = json_object();
	if (distance > 0)
		plan->clash = g_strdup_printf("%" G_GUINT64_FORMAT, clash->number);
	for (guint i = 0; ports->len > 0 && i < stack->ports->len; i++)
		put_port(plan, stack->ports->pdata[i], distance, vars);
}

bool plan_chooses_ports(const Stack *stack, const Settings *settings, const json_t *receipt)
{
	const json_t *entry = receipt_stack(receipt, stack->name);
	const char *profile = settings_text(settings, "profile");

	return !entry || (profile && g_strcmp0(json_text(entry, "profile"), profile) != 0);
}

guint16 *plan_port_candidates(const Stack *stack, gsize *count)
{
	guint16 *numbers = g_new0(guint16, stack->ports->len * (G_N_ELEMENTS(distances) + 1) + 1);

	*count = 0;
	for (guint i = 0; i < stack->ports->len; i++) {
		guint64 number = ((const StackPort *)stack->ports->pdata[i])->number;

		numbers[(*count)++] = (guint16)number;
		for (gsize j = 0; j < G_N_ELEMENTS(distances); j++)
			if (number + distances[j] <= PORT_MAX)
				numbers[(*count)++] = (guint16)(number + distances[j]);
	}
	return numbers;
}
