/* installer/preflight.c - what a stack needs of the machine, as the checks want it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/preflight_private.h"

#include "base/process.h"
#include "payload/catalogue.h"

/* Source: Docker Desktop takes 3 to 11 s to wake up. */
#define WAKE_TIMEOUT_MS 15000

static void add_disk(Preflight *preflight, const char *path, guint64 bytes)
{
	CheckDiskNeed need = { path, bytes };

	g_array_append_val(preflight->disk, need);
}

static void add_ports(Preflight *preflight, const Stack *stack, const char *profile)
{
	for (guint i = 0; i < stack->ports->len; i++) {
		const StackPort *port = g_ptr_array_index(stack->ports, i);
		CheckPortNeed need = { port->name, port->number, port->variable };

		if (stack_in_profile(port->profiles, profile))
			g_array_append_val(preflight->ports, need);
	}
}

/* As far as files tell: no program is run for it. */
static bool has_program(const char *name)
{
	g_auto(GStrv) programs = catalogue_programs(name);

	for (char **program = programs; *program != NULL; program++) {
		g_autofree char *path =
			**program == '/' ? g_strdup(*program) : process_find(*program);

		if (path != NULL && g_file_test(path, G_FILE_TEST_EXISTS))
			return true;
	}
	return false;
}

static bool lacks_tools(const Stack *stack, const char *profile)
{
	for (guint i = 0; i < stack->tools->len; i++) {
		const StackTool *tool = g_ptr_array_index(stack->tools, i);

		if (stack_in_profile(tool->profiles, profile) && !has_program(tool->name))
			return true;
	}
	return false;
}

/* Returns: (transfer none) (nullable): the compose project of the profile. */
static const char *project_of(const Stack *stack, const char *profile)
{
	for (guint i = 0; i < stack->steps->len; i++) {
		const StackStep *step = g_ptr_array_index(stack->steps, i);

		if (g_strcmp0(step->kind, "compose") == 0 &&
		    stack_in_profile(step->profiles, profile))
			return g_hash_table_lookup(step->values, "project");
	}
	return NULL;
}

static void take_stack(Preflight *preflight, const Stack *stack, const char *profile)
{
	StackNeeds needs = { 0 };

	stack_needs(stack, profile, &needs);
	add_ports(preflight, stack, profile);
	add_disk(preflight, preflight->prefix, needs.disk_bytes);
	preflight->needs = (CheckNeeds){
		.project = project_of(stack, profile),
		.source = stack->ini_name,
		.memory_bytes = needs.memory_bytes,
		.memory_recommended_bytes = needs.memory_recommended_bytes,
		.engine_disk_bytes = needs.engine_disk_bytes,
		.cpus = needs.cpus,
		.engine = needs.engine,
		.compose = needs.compose,
		.architectures = (const char *const *)needs.architectures,
	};
	preflight_take_services(preflight, stack, profile);
	preflight_take_tools(preflight, stack, profile);
	preflight_take_models(preflight, stack, profile);
}

Preflight *preflight_new(const Stack *stack, const char *profile, const char *prefix,
                         const char *state)
{
	Preflight *preflight = g_new0(Preflight, 1);

	preflight->disk = g_array_new(FALSE, FALSE, sizeof(CheckDiskNeed));
	preflight->ports = g_array_new(FALSE, FALSE, sizeof(CheckPortNeed));
	preflight->models = g_array_new(FALSE, FALSE, sizeof(CheckModelNeed));
	preflight->services = g_ptr_array_new();
	preflight->secrets = g_ptr_array_new_with_free_func(g_free);
	preflight->prefix = g_strdup(prefix);
	preflight->state = g_strdup(state);
	preflight->stack = stack;
	preflight->profile = profile;

	if (stack != NULL) {
		take_stack(preflight, stack, profile);
	} else {
		preflight->needs.source = "the needs of a small stack";
		preflight->needs.memory_bytes = PREFLIGHT_MEMORY_BYTES;
		preflight->needs.runs_models = true;
		add_disk(preflight, preflight->prefix, PREFLIGHT_DISK_BYTES);
	}
	add_disk(preflight, preflight->state, PREFLIGHT_STATE_BYTES);

	preflight->needs.disk = (const CheckDiskNeed *)(gpointer)preflight->disk->data;
	preflight->needs.disk_count = preflight->disk->len;
	preflight->needs.ports = (const CheckPortNeed *)(gpointer)preflight->ports->data;
	preflight->needs.port_count = preflight->ports->len;
	preflight->needs.models = (const CheckModelNeed *)(gpointer)preflight->models->data;
	preflight->needs.model_count = preflight->models->len;
	g_ptr_array_add(preflight->services, NULL);
	preflight->needs.services = (const char *const *)(gpointer)preflight->services->pdata;
	return preflight;
}

Preflight *preflight_new_elsewhere(const Stack *stack, const char *profile, const char *prefix,
                                   const char *home)
{
	const char *own = stack != NULL ? stack->prefix : "~";
	g_autofree char *place = prefix != NULL ? g_strdup(prefix)
	                         : *own == '~'  ? g_strconcat(home, own + 1, NULL)
	                                        : g_strdup(own);
	g_autofree char *state = g_build_filename(home, ".local", "state", "slipway", NULL);
	Preflight *preflight = preflight_new(stack, profile, place, state);

	preflight_set_packages(preflight, stack != NULL && stack->tools->len > 0);
	return preflight;
}

void preflight_free(Preflight *preflight)
{
	if (preflight == NULL)
		return;

	g_array_unref(preflight->disk);
	g_array_unref(preflight->ports);
	g_array_unref(preflight->models);
	g_ptr_array_unref(preflight->services);
	g_ptr_array_unref(preflight->secrets);
	g_free(preflight->others);
	g_clear_pointer(&preflight->ahead, facts_cancel);
	g_free(preflight->prefix);
	g_free(preflight->state);
	g_free(preflight);
}

/* A model that fits into memory needs no answer about the graphics card. */
static bool must_ask_cards(const Preflight *preflight, const Facts *facts)
{
	guint64 most_bytes = 0;

	for (guint i = 0; i < preflight->models->len; i++)
		most_bytes =
			MAX(most_bytes, g_array_index(preflight->models, CheckModelNeed, i).bytes);

	return preflight->is_slow_asked ||
	       (most_bytes > 0 &&
	        (facts->memory.total_bytes == FACTS_UNKNOWN ||
	         facts->memory.total_bytes < most_bytes + CHECK_MODEL_SPARE_BYTES));
}

static void say_asleep(gpointer data)
{
	term_note(data, "Docker Desktop is asleep; waiting up to %d s for it to wake up",
	          WAKE_TIMEOUT_MS / 1000);
}

/* Returns: (nullable): NULL where nobody has looked at what is installed. */
static const char *const *secret_paths(const Preflight *preflight)
{
	return preflight->secrets->len > 0
	               ? (const char *const *)(gpointer)preflight->secrets->pdata
	               : NULL;
}

void preflight_set_packages(Preflight *preflight, bool needs_packages)
{
	preflight->needs.needs_packages = needs_packages;
	preflight->are_packages_known = true;
}

/* The catalogue is read while the engine is at it. */
static Facts *read_facts(Preflight *preflight, FactsRequest *request)
{
	FactsReading *reading = preflight->ahead != NULL ? g_steal_pointer(&preflight->ahead)
	                                                 : facts_begin(request);

	if (!preflight->are_packages_known)
		preflight_set_packages(preflight,
		                       preflight->stack != NULL &&
		                               lacks_tools(preflight->stack, preflight->profile));
	request->is_package_work_asked = preflight->needs.needs_packages;
	return facts_end(reading, request);
}

Facts *preflight_facts(Preflight *preflight)
{
	const char *directories[] = { preflight->prefix, preflight->state, NULL };
	g_autofree guint16 *ports = g_new(guint16, preflight->ports->len + 1);
	FactsRequest request = { .directories = directories,
		                 .ports = ports,
		                 .port_count = preflight->ports->len,
		                 .secrets = secret_paths(preflight),
		                 .are_tools_asked = preflight->needs.git != NULL ||
		                                    preflight->needs.python != NULL,
		                 .is_engine_asked = preflight->needs.engine != NULL ||
		                                    preflight->needs.project != NULL,
		                 .is_thorough = preflight->is_slow_asked,
		                 .is_keyring_asked = preflight->needs.needs_keyring };

	for (guint i = 0; i < preflight->ports->len; i++)
		ports[i] = (guint16)g_array_index(preflight->ports, CheckPortNeed, i).number;
	if (preflight->term != NULL)
		request.wake = (FactsWake){ WAKE_TIMEOUT_MS, say_asleep, preflight->term };
	Facts *facts = read_facts(preflight, &request);
	if (must_ask_cards(preflight, facts))
		facts_ask_cards(facts);
	if (preflight->is_slow_asked) {
		facts_ask_tools(facts);
		facts_ask_kernel(facts);
	}
	if (preflight->is_slow_asked && preflight->needs.compose != NULL)
		facts_ask_compose(facts);
	return facts;
}
