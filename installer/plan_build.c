/* installer/plan_build.c - from a stack definition to steps
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/handover.h"
#include "installer/host.h"
#include "installer/plan_private.h"
#include "installer/receipt.h"
#include "installer/step_ollama.h"
#include "installer/step_unit.h"
#include "installer/template.h"

#define SHORT_REVISION 7 /* digits of a commit id, as git shows it */

typedef struct {
	const PlanRequest *request;
	const Stack *stack;
	const char *profile;
	json_t *vars;          /* for @name@ */
	const json_t *receipt; /* (nullable): of the stack */
	const json_t *tools;   /* of the packages step */
} Builder;

static const char * override(const Builder *builder, const char *key, const char *fallback)
{
	return plan_override(builder->request->settings, key, fallback);
}

static bool fail_step(const Builder *builder, const StackStep *step, GError **error,
                      const char *why, const char *what)
{
	fault_set(error, STATUS_CONFIG, NULL, "%s:%u:1: [step %s] %s \"%s\"",
	          builder->stack->ini_name, step->line, step->id, why, what);
	return false;
}

/* How a kind writes down its keys: '!' required, '@' names members of the stack, '*' a list. */
typedef struct {
	const char *name;
	bool is_required;
	bool is_member;
	bool is_list;
} KeyRule;

static KeyRule key_rule(const char *text)
{
	KeyRule rule = { 0 };

	rule.name = plan_key_name(text);
	for (; text < rule.name; text++) {
		rule.is_required |= *text == '!';
		rule.is_member |= *text == '@';
		rule.is_list |= *text == '*';
	}
	return rule;
}

static bool add_member(const Builder *builder, json_t *inputs, const char *member, GError **error)
{
	g_autoptr(GBytes) bytes = stacks_read(builder->request->bundle, member, error);

	if (!bytes)
		return false;

	g_autofree char *digest = file_digest_bytes(bytes);
	json_t *files = json_object_get(inputs, "files");
	if (!files) {
		files = json_object();
		json_object_set_new(inputs, "files", files);
	}
	json_object_set_new(files, member, json_string(digest));
	return true;
}

/* A place that undoing takes, too: absolute and without "..". */
static bool check_place(const char *path, GError **error)
{
	g_autofree char *canonical = g_canonicalize_filename(path, "/");

	if (g_str_equal(path, canonical) && path[1] != '\0')
		return true;

	fault_set(error, STATUS_CONFIG, NULL, "path = %s: that is not a place for a step", path);
	return false;
}

static bool add_value(const Builder *builder, json_t *inputs, KeyRule rule, const char *text,
                      GError **error)
{
	g_autofree char *value = template_expand(text, builder->vars, error);

	if (!value || (g_str_equal(rule.name, "path") && !check_place(value, error)))
		return false;

	g_auto(GStrv) words = rule.is_list ? ini_list(value) : g_strsplit(value, "\x01", 1);
	for (char **word = words; rule.is_member && *word; word++)
		if (!add_member(builder, inputs, *word, error))
			return false;

	json_object_set_new(inputs, rule.name,
	                    rule.is_list ? json_from_strv((const char *const *)words)
	                                 : json_string(value));
	return true;
}

static bool has_rule(const StepKind *kind, const char *key)
{
	for (const char *const *text = kind->keys; *text; text++)
		if (g_str_equal(key_rule(*text).name, key))
			return true;

	return false;
}

static bool check_keys(const Builder *builder, const StackStep *step, const StepKind *kind,
                       GError **error)
{
	static const char *const common[] = { "kind",  "after",        "profiles",
		                              "title", "irreversible", NULL };
	GHashTableIter iter;
	gpointer key = NULL;

	g_hash_table_iter_init(&iter, step->values);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (!g_strv_contains(common, key) && !has_rule(kind, key))
			return fail_step(builder, step, error, "has an unknown key", key);

	return true;
}

/* The [source] of a stack stands in for url and revision; a mirror changes where we fetch, not
 * what the step is, so the original stays in "origin", which the step's digest covers. */
static void add_source(const Builder *builder, const StepKind *kind, json_t *inputs, Step *step)
{
	const Stack *stack = builder->stack;

	if (has_rule(kind, "revision")) {
		if (!json_text(inputs, "url"))
			json_put(inputs, "url", override(builder, "source.url", stack->source_url));
		if (!json_text(inputs, "revision"))
			json_put(inputs, "revision",
			         override(builder, "source.revision", stack->source_revision));
	}

	const char *url = json_text(inputs, "url");
	const char *sums = json_text(inputs, "sums");
	if (!url)
		return;

	g_autofree char *mirrored = plan_mirror(builder->request->settings, inputs, url);
	json_put(inputs, "origin", url);
	json_put(inputs, "url", mirrored);
	if (sums) {
		g_autofree char *mirrored_sums =
			plan_mirror(builder->request->settings, inputs, sums);
		json_put(inputs, "sums", mirrored_sums);
	}
	step->sources = g_strdupv((char *[]){ mirrored, NULL });
}

static void add_settings(const Builder *builder, const StepKind *kind, json_t *inputs, Step *step)
{
	const Settings *settings = builder->request->settings;

	if (!has_rule(kind, "requirements"))
		return;

	const char *index = settings_text(settings, "python-index");
	json_put(inputs, "index", index);
	json_put(inputs, "find_links", settings_text(settings, "python-wheels"));
	if (index && !settings_text(settings, "python-wheels"))
		step->sources = g_strsplit(index, "\x01", 1);
}

/* The keys that the services of a compose project get. */
static void add_handover(const Builder *builder, const StepKind *kind, json_t *inputs)
{
	const char *project = json_text(inputs, "project");

	if (kind != &step_kind_compose || !project)
		return;

	json_t *handover = handover_plan(builder->stack, builder->profile, project,
	                                 builder->request->paths->state);
	if (handover)
		json_object_set_new(inputs, "handover", handover);
}

/* The colours of a profile that has them. */
static bool add_colours(const Builder *builder, const StepKind *kind, json_t *inputs,
                        GError **error)
{
	const StackDeploy *deploy = &builder->stack->deploy;

	if (kind != &step_kind_compose || !deploy->service ||
	    !stack_in_profile(deploy->profiles, builder->profile))
		return true;

	g_autofree char *variables = template_expand(deploy->variables, builder->vars, error);
	g_autoptr(json_t) colours = json_object();
	for (guint i = 0; i < STACK_COLOURS; i++) {
		g_autofree char *service =
			g_strdup_printf("%s-%s", deploy->service, stack_colours[i]);
		json_put(colours, stack_colours[i], service);
	}
	if (variables)
		json_object_set_new(
			inputs, "deploy",
			json_pack("{s:s, s:O}", "variables", variables, "colours", colours));
	return variables != NULL;
}

/* A sentence for people: the definition's own title, or kind and place. */
static char *describe(const Builder *builder, const StackStep *step, const json_t *inputs)
{
	const char *title = g_hash_table_lookup(step->values, "title");
	const char *what = json_text(inputs, "path");

	if (!what)
		what = json_text_or(inputs, "name", json_text_or(inputs, "project", step->id));
	if (!title)
		return g_strdup_printf("%s %s", step_kind_find(step->kind)->verb, what);

	/* Which revision --set may have changed. */
	g_autoptr(json_t) vars = json_copy(builder->vars);
	g_autofree char *revision = g_strndup(json_text_or(inputs, "revision", ""), SHORT_REVISION);
	json_put(vars, "revision", revision);

	char *text = template_expand(title, vars, NULL);
	return text ? text : g_strdup(title);
}

static bool fill_inputs(const Builder *builder, const StackStep *step, const StepKind *kind,
                        json_t *inputs, GError **error)
{
	for (const char *const *text = kind->keys; *text; text++) {
		KeyRule rule = key_rule(*text);
		g_autofree char *path = g_strdup_printf("step.%s.%s", step->id, rule.name);
		const char *value =
			override(builder, path, g_hash_table_lookup(step->values, rule.name));

		if (value && !add_value(builder, inputs, rule, value, error)) {
			g_prefix_error(error, "%s:%u:1: [step %s] ", builder->stack->ini_name,
			               step->line, step->id);
			return false;
		}
	}

	return true;
}

static bool check_required(const Builder *builder, const StackStep *step, const StepKind *kind,
                           const json_t *inputs, GError **error)
{
	for (const char *const *text = kind->keys; *text; text++) {
		KeyRule rule = key_rule(*text);
		if (rule.is_required && !json_object_get(inputs, rule.name))
			return fail_step(builder, step, error, "needs the key", rule.name);
	}

	return true;
}

/* What only the machine says about a step. */
static bool add_place(const Builder *builder, const json_t *receipt, Step *step, GError **error)
{
	const PlanRequest *request = builder->request;
	OllamaPlace place = { .settings = request->settings,
		              .facts = request->facts,
		              .state = request->paths->state,
		              .receipt = receipt_step(receipt, step->id),
		              .tools = builder->tools };

	if (step->kind == &step_kind_key)
		plan_key_size(builder->stack, step->inputs);
	if (step->kind == &step_kind_unit)
		step_unit_place(step->inputs, settings_text(request->settings, "key-profile"));
	if (step->kind == &step_kind_ollama)
		return step_ollama_place(step, &place, error);
	return step->kind != &step_kind_model || step_model_place(step, &place, error);
}

static Step *build_step(const Builder *builder, const StackStep *from, GError **error)
{
	const StepKind *kind = step_kind_find(from->kind);

	if (!kind) {
		fail_step(builder, from, error, "has an unknown kind", from->kind);
		return NULL;
	}
	if (!check_keys(builder, from, kind, error))
		return NULL;

	g_autoptr(Step) step = g_new0(Step, 1);
	step->id = g_strdup(from->id);
	step->kind = kind;
	step->why =
		g_strdup_printf("%s:%u [step %s]", builder->stack->ini_name, from->line, from->id);
	step->after = g_strdupv(from->after);
	step->inputs = json_object();
	step->weight = kind->weight;
	json_object_set(step->inputs, "vars", builder->vars);

	if (!fill_inputs(builder, from, kind, step->inputs, error))
		return NULL;
	add_source(builder, kind, step->inputs, step);
	add_settings(builder, kind, step->inputs, step);
	add_handover(builder, kind, step->inputs);
	if (!check_required(builder, from, kind, step->inputs, error) ||
	    !add_colours(builder, kind, step->inputs, error) ||
	    !add_place(builder, builder->receipt, step, error))
		return NULL;

	step->text = describe(builder, from, step->inputs);
	if (!step->irreversible)
		step->irreversible = g_strdup(g_hash_table_lookup(from->values, "irreversible"));
	if (!step->sources)
		step->sources = g_new0(char *, 1);
	step->commands = g_new0(char *, 1);
	return g_steal_pointer(&step);
}

static void plan_item_free(gpointer data)
{
	PlanItem *item = data;

	step_free(item->step);
	g_free(item->deferred);
	g_free(item);
}

GPtrArray *plan_items_new(void)
{
	return g_ptr_array_new_with_free_func(plan_item_free);
}

static bool add_steps(Plan *plan, Builder *builder, GError **error)
{
	Step *packages = plan_build_packages(builder->request, builder->profile,
	                                     receipt_step(plan->receipt, "packages"), error);

	if (!packages)
		return false;

	Step *repository = plan_build_repository(builder->request, packages);

	if (repository) {
		plan_wait_for(packages, repository->id);
		plan_add_item(plan, repository);
	}
	builder->tools = json_object_get(packages->inputs, "tools");
	plan_add_item(plan, packages);
	for (guint i = 0; i < builder->stack->steps->len; i++) {
		const StackStep *from = builder->stack->steps->pdata[i];
		if (!stack_in_profile(from->profiles, builder->profile))
			continue;

		Step *step = build_step(builder, from, error);
		if (!step)
			return false;
		/* They bring the programs that the step runs. */
		if (step->kind->needs_programs)
			plan_wait_for(step, "packages");
		plan_add_item(plan, step);
	}

	Step *shell = plan_build_shell_path(plan, builder->request,
	                                    receipt_step(plan->receipt, "shell-path"));
	if (shell)
		plan_add_item(plan, shell);
	plan_settle_projects(plan);
	return true;
}

/* [test NAME]: run = COMMAND ARGUMENT..., needs = STEP..., timeout = SECONDS */
static json_t *make_vars(const Plan *plan, const PlanRequest *request)
{
	const Facts *facts = request->facts;
	g_autofree char *self = host_self_path();
	bool is_arm = g_strcmp0(facts->system.architecture, "aarch64") == 0;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", plan->stack, "prefix",
	                 plan->prefix, "bin", settings_text(request->settings, "bin"), "stack",
	                 plan->stack_dir, "state", request->paths->state, "slipway", self, "arch",
	                 is_arm ? "arm64" : "amd64");
}

static const char *choose_profile(const Stack *stack, const PlanRequest *request,
                                  const json_t *receipt, GError **error)
{
	const char *wanted = settings_text(request->settings, "profile");

	if (!wanted)
		wanted = json_text(receipt, "profile");
	if (!wanted || !*wanted) /* the receipt of a stack without profiles has "" */
		wanted = stack_default_profile(stack);
	if (!wanted)
		return "";

	const StackProfile *profile = stack_find_profile(stack, wanted);
	if (!profile) {
		fault_set(error, STATUS_USAGE, "See \"slipway stacks\".",
		          "%s has no profile \"%s\"", stack->name, wanted);
		return NULL;
	}
	if (profile->is_preview) {
		fault_set(error, STATUS_UNAVAILABLE, "\"slipway unpack\" writes its files.",
		          "this version of slipway cannot install the profile %s of %s yet", wanted,
		          stack->name);
		return NULL;
	}

	return wanted;
}

/* Directories go into scripts and lists: what a shell or a list would take apart is refused. */
static bool check_directory(const char *what, const char *path, GError **error)
{
	if (!strpbrk(path, " \t\n\r\"'`$\\,;&|<>*?") && !g_str_equal(path, "/"))
		return true;

	fault_set(error, STATUS_CONFIG, NULL,
	          "%s %s: a directory for it has no blanks, quotes or characters of the shell",
	          what, path);
	return false;
}

static bool choose_prefix(Plan *plan, const Stack *stack, const PlanRequest *request,
                          GError **error)
{
	const char *wanted = settings_text(request->settings, "prefix");
	const char *installed = json_text(plan->receipt, "prefix");

	plan->prefix = wanted      ? g_strdup(wanted)
	               : installed ? g_strdup(installed)
	                           : paths_expand(request->paths, stack->prefix, error);
	if (!plan->prefix || !check_directory("--prefix", plan->prefix, error) ||
	    !check_directory("--bin", settings_text(request->settings, "bin"), error) ||
	    !check_directory("the state directory", request->paths->state, error))
		return false;
	if (!installed || g_str_equal(plan->prefix, installed))
		return true;

	g_autofree char *hint = g_strdup_printf(
		"Run \"slipway uninstall %s\" first, or leave out --prefix.", stack->name);
	fault_set(error, STATUS_CONFIG, hint, "%s is installed in %s, not in %s", stack->name,
	          installed, plan->prefix);
	return false;
}

Plan *plan_make(const PlanRequest *request, GError **error)
{
	const Stack *stack = stacks_definition(request->bundle);
	g_autoptr(Plan) plan = g_new0(Plan, 1);

	if (stack->steps->len == 0) {
		fault_set(error, STATUS_UNAVAILABLE, "See \"slipway stacks\" for those that can.",
		          "this version of slipway can show %s, but cannot install it yet",
		          stack->name);
		return NULL;
	}

	plan->stack = g_strdup(stack->name);
	plan->title = g_strdup(stack->title);
	plan->receipt = json_incref(receipt_stack(request->receipt, stack->name));
	plan->items = plan_items_new();
	plan->identity =
		json_pack("{s:s, s:s, s:s}", "version", stack->version, "origin",
	                  stacks_origin(request->bundle), "digest", stacks_digest(request->bundle));

	const char *profile = choose_profile(stack, request, plan->receipt, error);
	if (!profile || !choose_prefix(plan, stack, request, error) ||
	    !plan_check_overrides(request->settings, stack, error))
		return NULL;

	plan->profile = g_strdup(profile);
	plan->stack_dir = g_strdup_printf("%s/stacks/%s-%.12s", request->paths->state, plan->stack,
	                                  stacks_digest(request->bundle));

	g_autoptr(json_t) vars = make_vars(plan, request);
	plan_ports(request, plan, vars);
	Builder builder = { .request = request,
		            .stack = stack,
		            .profile = profile,
		            .vars = vars,
		            .receipt = plan->receipt };
	plan->tests = plan_tests(stack, profile, vars, error);
	if (!plan->tests || !add_steps(plan, &builder, error) ||
	    !plan_select(plan, settings_list(request->settings, "only"),
	                 settings_list(request->settings, "skip"), error))
		return NULL;

	return g_steal_pointer(&plan);
}
