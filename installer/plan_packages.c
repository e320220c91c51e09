/* installer/plan_packages.c - which packages a stack's tools take on this machine
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/package_advice.h"
#include "installer/package_manager.h"
#include "installer/plan_private.h"
#include "installer/repository.h"
#include "installer/step_ollama.h"
#include "installer/tools.h"
#include "payload/catalogue.h"

static void add_tools(const Stack *stack, const char *profile, json_t *inputs)
{
	json_t *tools = json_object_get(inputs, "tools");

	for (guint i = 0; i < stack->tools->len; i++) {
		const StackTool *tool = stack->tools->pdata[i];
		if (stack_in_profile(tool->profiles, profile))
			json_array_append_new(tools, json_pack("{s:s, s:s*}", "name", tool->name,
			                                       "minimum", tool->minimum));
	}
}

/* Ollama comes from its release, or from the package manager where its package is good enough. */
static void add_ollama(const PlanRequest *request, const char *profile, const json_t *record,
                       json_t *inputs)
{
	const Stack *stack = stacks_definition(request->bundle);

	for (guint i = 0; i < stack->steps->len; i++) {
		const StackStep *step = stack->steps->pdata[i];
		const char *minimum = g_hash_table_lookup(step->values, "minimum");
		const char *own = g_hash_table_lookup(step->values, "own");
		if (g_str_equal(step->kind, step_kind_ollama.name) &&
		    stack_in_profile(step->profiles, profile) && g_strcmp0(own, "yes") != 0 &&
		    step_ollama_is_packaged(request->facts, minimum, record))
			json_array_append_new(
				json_object_get(inputs, "tools"),
				json_pack("{s:s, s:s*}", "name", "ollama", "minimum", minimum));
	}
}

/** Where missing tools come from. */
typedef struct {
	CatalogueSystem system;
	const PackageAdvice *advice; /* (nullable): a person installs them */
	GPtrArray *missing;          /* of const CatalogueTool */
	GPtrArray *offers;           /* of CatalogueOffer, one for each */
} Supply;

static void supply_clear(Supply *supply)
{
	g_ptr_array_unref(supply->missing);
	g_ptr_array_unref(supply->offers);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Supply, supply_clear)

static bool refuse_missing(const CatalogueTool *tool, const char *minimum, const Supply *supply,
                           const CatalogueOffer *offer, GError **error)
{
	g_autofree char *old = g_strdup_printf("this release of the system has %s", offer->version);
	const char *why = "slipway knows no package manager of this system";

	if (offer->version)
		why = old;
	else if (supply->system.manager)
		why = "this system's package manager has no package for it";
	fault_set(error, STATUS_UNAVAILABLE, "Install it by hand, then run the command again.",
	          "%s %s is missing, and %s", tool->title, minimum ? minimum : "(any version)",
	          why);
	return false;
}

/* What a person would ask the manager of an immutable system for. */
static void advise(const Supply *supply, const CatalogueTool *tool, CatalogueOffer *offer)
{
	static const char *const none[] = { NULL };

	const char *family = supply->advice->catalogue;

	*offer = (CatalogueOffer){
		.packages = family ? catalogue_packages(tool, family) : NULL,
	};
	if (!offer->packages)
		offer->packages = none;
}

static bool add_missing(Supply *supply, const json_t *wanted, GError **error)
{
	const char *name = json_text_or(wanted, "name", "");
	const char *minimum = json_text(wanted, "minimum");
	const CatalogueTool *tool = catalogue_find(catalogue_get(), name);
	g_autofree CatalogueOffer *offer = g_new0(CatalogueOffer, 1);

	if (!tool) {
		fault_set(error, STATUS_CONFIG, NULL, "the tool catalogue has no \"%s\"", name);
		return false;
	}
	if (tools_probe(tool, minimum, NULL, NULL, NULL))
		return true;
	if (supply->advice)
		advise(supply, tool, offer);
	else if (!catalogue_offer(catalogue_get(), tool, &supply->system, minimum, offer))
		return refuse_missing(tool, minimum, supply, offer, error);
	g_ptr_array_add(supply->missing, (gpointer)(guintptr)tool);
	g_ptr_array_add(supply->offers, g_steal_pointer(&offer));
	return true;
}

/* Returns: (transfer none) (nullable): the vendor whose repository one of them takes. */
static const char *find_vendor(const Supply *supply)
{
	for (guint i = 0; i < supply->offers->len; i++) {
		const CatalogueOffer *offer = supply->offers->pdata[i];

		if (offer->vendor)
			return offer->vendor;
	}
	return NULL;
}

/* A vendor's packages and a distribution's conflict: from the vendor then comes all that it has. */
static void add_packages(const Supply *supply, const char *vendor, json_t *packages)
{
	for (guint i = 0; i < supply->offers->len; i++) {
		const CatalogueTool *tool = supply->missing->pdata[i];
		const CatalogueOffer *offer = supply->offers->pdata[i];
		bool is_vendors = vendor && g_strcmp0(tool->vendor, vendor) == 0;
		const char *const *names =
			is_vendors ? (const char *const *)tool->vendor_packages : offer->packages;

		if (!*names) /* of an immutable system that has no name for it */
			json_array_append_new(packages, json_string(tool->name));
		for (; *names; names++)
			json_array_append_new(packages, json_string(*names));
	}
}

static bool is_there(const Step *step, const json_t *record)
{
	StepRun run = { .step = step, .receipt = record };
	Probe probe = PROBE_ABSENT;

	return step->kind->probe(&run, &probe, NULL) && probe == PROBE_OURS;
}

static bool find_missing(Step *step, Supply *supply, GError **error)
{
	json_t *packages = json_object_get(step->inputs, "packages");
	const json_t *tools = json_object_get(step->inputs, "tools");
	const char *vendor;

	for (gsize i = 0; i < json_array_size(tools); i++)
		if (!add_missing(supply, json_array_get(tools, i), error))
			return false;
	vendor = find_vendor(supply);
	add_packages(supply, vendor, packages);
	json_put(step->inputs, "vendor", vendor);
	if (supply->advice && json_array_size(packages) > 0) {
		g_auto(GStrv) names = json_to_strv(packages);

		package_advice_set(supply->advice, (const char *const *)names, error);
		return false;
	}
	return true;
}

static void describe(Step *step, const char *manager)
{
	g_auto(GStrv) packages = json_to_strv(json_object_get(step->inputs, "packages"));
	g_autofree char *joined = g_strjoinv(", ", packages);

	step->text = *packages ? g_strdup_printf("install %s with %s", joined, manager)
	                       : g_strdup("note the tools that are there already");
	step->commands = *packages ? packages_commands(manager, (const char *const *)packages)
	                           : g_new0(char *, 1);
	step->weight = *packages ? step->kind->weight : 1;
}

static CatalogueSystem describe_system(const Facts *facts)
{
	const FactsSystem *system = &facts->system;

	return (CatalogueSystem){ facts->packages.manager, system->id, system->id_like,
		                  system->version };
}

Step *plan_build_packages(const PlanRequest *request, const char *profile, const json_t *record,
                          GError **error)
{
	const Stack *stack = stacks_definition(request->bundle);
	const char *manager = request->facts->packages.manager;
	g_auto(Supply) supply = {
		.system = describe_system(request->facts),
		.advice = package_advice_find(request->facts->system.immutable),
		.missing = g_ptr_array_new(),
		.offers = g_ptr_array_new_with_free_func(g_free),
	};
	g_autoptr(Step) step = g_new0(Step, 1);

	step->id = g_strdup("packages");
	step->kind = &step_kind_packages;
	step->why = g_strdup_printf("%s [tool ...]", stack->ini_name);
	step->after = g_new0(char *, 1);
	step->sources = g_new0(char *, 1);
	step->inputs = json_pack("{s:s*, s:[], s:[], s:i}", "manager", manager, "packages", "tools",
	                         "lock_timeout_s",
	                         (int)settings_seconds(request->settings, "package-lock-timeout"));
	if (settings_flag(request->settings, "reversible-only"))
		json_object_set_new(step->inputs, "reversible_only", json_true());
	add_tools(stack, profile, step->inputs);
	add_ollama(request, profile, record, step->inputs);
	if (!is_there(step, record) && !find_missing(step, &supply, error))
		return NULL;

	describe(step, manager);
	return g_steal_pointer(&step);
}

Step *plan_build_repository(const PlanRequest *request, const Step *packages)
{
	const CatalogueSystem system = describe_system(request->facts);
	const char *name = json_text(packages->inputs, "vendor");
	g_autoptr(CatalogueVendor) vendor =
		name ? catalogue_vendor(catalogue_get(), name, &system) : NULL;
	g_autofree char *key_url = NULL;

	if (!vendor || repository_is_known("", vendor->url))
		return NULL;
	key_url = settings_mirror(request->settings, vendor->key_url);

	Step *step = repository_step(system.manager, name, vendor, key_url);
	if (step)
		g_free(plan_mirror(request->settings, step->inputs, vendor->key_url));
	return step;
}
