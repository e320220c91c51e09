/* installer/stack_show.c - a stack's definition for people
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/stack_json.h"

/* A table of one section: headings, and one row for each item. */
typedef struct {
	guint columns;
	const char *const *headings;
	void (*add)(GPtrArray *cells, gconstpointer item);
} Listing;

static void add(GPtrArray *cells, const char *text)
{
	g_ptr_array_add(cells, g_strdup(text));
}

static char *join(char *const *words)
{
	GString *joined = g_string_new(words[0]);

	for (gsize i = 1; words[0] && words[i]; i++)
		g_string_append_printf(joined, " %s", words[i]);

	return g_string_free(joined, FALSE);
}

static void add_profiles(GPtrArray *cells, char *const *profiles)
{
	g_ptr_array_add(cells, *profiles ? join(profiles) : g_strdup("all"));
}

static void add_profile(GPtrArray *cells, gconstpointer item)
{
	const StackProfile *profile = item;

	add(cells, profile->name);
	add(cells, profile->is_default ? "default" : profile->is_preview ? "preview" : "");
	add(cells, profile->title);
}

static void add_tool(GPtrArray *cells, gconstpointer item)
{
	const StackTool *tool = item;

	add(cells, tool->name);
	add(cells, tool->minimum ? tool->minimum : "any");
	add_profiles(cells, tool->profiles);
}

static void add_key(GPtrArray *cells, gconstpointer item)
{
	static const char *const kinds[] = {
		[STACK_KEY_OPTIONAL] = "optional",
		[STACK_KEY_REQUIRED] = "required",
		[STACK_KEY_GENERATED] = "made for you",
	};
	const StackKey *key = item;

	add(cells, key->name);
	add(cells, kinds[key->kind]);
	add(cells, key->url ? key->url : key->title);
}

static void add_port(GPtrArray *cells, gconstpointer item)
{
	const StackPort *port = item;

	g_ptr_array_add(cells, g_strdup_printf("%" G_GUINT64_FORMAT, port->number));
	add(cells, port->name);
	add(cells, port->variable);
	add_profiles(cells, port->profiles);
}

static void add_service(GPtrArray *cells, gconstpointer item)
{
	const StackService *service = item;

	add(cells, service->name);
	add_profiles(cells, service->profiles);
	g_ptr_array_add(cells, service->is_placeholder
	                               ? g_strconcat("placeholder: ", service->role, NULL)
	                               : g_strdup(service->role));
}

static const char *const profile_headings[] = { "PROFILE", "", "WHAT IT IS" };
static const char *const tool_headings[] = { "TOOL", "VERSION", "PROFILES" };
static const char *const key_headings[] = { "KEY", "KIND", "WHERE FROM" };
static const char *const port_headings[] = { "PORT", "NAME", "MOVED BY", "PROFILES" };
static const char *const service_headings[] = { "SERVICE", "PROFILES", "ROLE" };

static void show_list(Term *term, const GPtrArray *items, const Listing *listing)
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

	if (items->len == 0)
		return;
	for (guint i = 0; i < items->len; i++)
		listing->add(cells, g_ptr_array_index(items, i));
	term_print(term, "\n");
	term_table(term, listing->headings, listing->columns, cells);
}

static void show_pair(Term *term, const char *what, const char *text)
{
	if (text && *text)
		term_print(term, "%-10s %s\n", what, text);
}

static void show_size(GString *line, const char *what, guint64 size_bytes)
{
	g_autofree char *size = g_format_size_full(size_bytes, G_FORMAT_SIZE_IEC_UNITS);

	if (size_bytes > 0)
		g_string_append_printf(line, "%s%s %s", line->len > 0 ? ", " : "", size, what);
}

static void show_needs(Term *term, const Stack *stack)
{
	g_autoptr(GString) line = g_string_new(NULL);
	StackNeeds needs = { 0 };

	stack_needs(stack, stack_default_profile(stack), &needs);
	show_size(line, "of memory", needs.memory_bytes);
	show_size(line, "of free disk", needs.disk_bytes);
	show_size(line, "for images", needs.engine_disk_bytes);
	if (needs.cpus > 0)
		g_string_append_printf(line, ", %" G_GUINT64_FORMAT " CPUs", needs.cpus);
	if (needs.engine)
		g_string_append_printf(line, ", Docker engine %s", needs.engine);
	if (needs.compose)
		g_string_append_printf(line, ", compose %s", needs.compose);
	show_pair(term, "Needs", line->str);
}

void stack_show(Term *term, const StackBundle *bundle)
{
	const Stack *stack = stacks_definition(bundle);
	static const Listing profiles = { .columns = 3,
		                          .headings = profile_headings,
		                          .add = add_profile };
	static const Listing tools = { .columns = 3, .headings = tool_headings, .add = add_tool };
	static const Listing keys = { .columns = 3, .headings = key_headings, .add = add_key };
	static const Listing ports = { .columns = 4, .headings = port_headings, .add = add_port };
	static const Listing services = { .columns = 3,
		                          .headings = service_headings,
		                          .add = add_service };

	term_print(term, "%s %s: %s\n%s\n\n", stack->name, stack->version, stack->title,
	           stack->summary);
	show_pair(term, "Homepage", stack->homepage);
	show_pair(term, "License", stack->license);
	show_pair(term, "Source", stack->source_url);
	show_pair(term, "Revision", stack->source_revision);
	show_pair(term, "Prefix", stack->prefix);
	show_pair(term, "From", stacks_origin(bundle));
	show_needs(term, stack);
	show_list(term, stack->profiles, &profiles);
	show_list(term, stack->tools, &tools);
	show_list(term, stack->keys, &keys);
	show_list(term, stack->ports, &ports);
	show_list(term, stack->services, &services);
}
