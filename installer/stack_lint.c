/* installer/stack_lint.c - is a definition as good as it has to be
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/stack_lint_private.h"

#include <string.h>

#include "base/fault.h"
#include "base/tree.h"
#include "installer/compose.h"

#define EXCEPTION "exception "

/* clang-format off */
const LintRule lint_rule_table[] = {
	{ "plan", "it could not be installed",
	  "Mend the step; \"slipway plan DIR\" says the same." },
	{ "test", "nobody would know whether it works",
	  "Write a [test NAME] for the profile, with a url or a command." },
	{ "key-step", "a generated key that no step makes is missing when the services start",
	  "Write a [step NAME] with kind = key and the name of the key." },
	{ "key-boot", "keys are in memory, and missing after a restart of the machine",
	  "Write a [step NAME] with kind = unit and run = keys sync @name@ --at-boot." },
	{ "port-move", "slipway cannot move it where another stack or program has it",
	  "Write VARIABLE=@port_NAME@ into a file of a step with template = yes." },
	{ "compose", "docker compose cannot read the files",
	  "Mend what it names; \"docker compose config\" says the same." },
	{ "service", "what runs and what stack.ini says of it are not the same",
	  "Write a [service NAME] with its role, or take the section away." },
	{ "health", "nobody can wait for it, or see that it hangs",
	  "Write a healthcheck with a program that the image has." },
	{ "start-interval", "engines before 25.0 refuse it",
	  "Leave start_interval out, or ask for engine = 25.0 in [needs]." },
	{ "limits", "one service can take the whole machine",
	  "Write deploy.resources.limits with cpus and memory." },
	{ "restart", "it stays away after a crash or a restart of the machine",
	  "Write restart: unless-stopped." },
	{ "logging", "its log fills the disk",
	  "Write logging with max-size and max-file." },
	{ "loopback", "everybody in the network reaches it",
	  "Publish the port on 127.0.0.1, by a variable that can be set to another address." },
	{ "port", "the port cannot be moved where another program has it",
	  "Publish it as ${VARIABLE:-NUMBER}, and write a [port NAME] with both." },
	{ "image-tag", "nobody sees which one it is, and another may come tomorrow",
	  "Name a tag that stays the same, not latest." },
	{ "image-digest", "whoever has the registry can put another image in its place",
	  "\"slipway stack lock DIR\" writes @sha256:... behind the tag." },
	{ "password", "everybody knows it, or sees it in \"docker inspect\"",
	  "Declare a [key NAME] with the service; a generated one is made for each installation." },
	{ "key-leak", "it is seen in \"docker inspect\", and kept on the engine's disk",
	  "Leave it out of the compose file: slipway hands keys over as files, see slipway-stack(5)." },
	{ "privilege", "what breaks out of the container has the machine",
	  "Take it away; what really needs it gets an exception that says why." },
	{ "confined", "a setuid program in the image can gain rights",
	  "Write security_opt: [\"no-new-privileges:true\"]." },
	{ "engine-socket", "who can talk to the engine is root on the machine",
	  "Take the mount of the engine's socket away." },
	{ "host-path", "it depends on a file of the machine, or may change it",
	  "Use a volume, or a file that a step writes below @prefix@." },
	{ "name", "a second copy, or another stack, clashes with it",
	  "Leave container_name, external and fixed names out; compose names it after the project." },
	{ "subnet", "it can collide with a network that the machine is in",
	  "Leave addresses to the engine, which avoids the machine's routes." },
	{ "image-root", "what breaks out of the program has the whole container",
	  "End the Dockerfile with USER and a number, or set user in the compose file." },
	{ "image-compiler", "the image is larger, and a gift to whoever breaks in",
	  "Build in a stage of its own, and copy what was built." },
	{ "image-pipe", "what a server sends runs without anybody having looked at it",
	  "Download a fixed version, and compare its digest before it runs." },
	{ "exception", "it lets nothing pass, and hides what comes later",
	  "Take the [exception NAME] away, or mend its rule or its list." },
};
/* clang-format on */
const gsize lint_rule_count = G_N_ELEMENTS(lint_rule_table);

const LintRule *lint_rule_find(const char *name)
{
	for (gsize i = 0; i < lint_rule_count; i++)
		if (g_strcmp0(lint_rule_table[i].name, name) == 0)
			return &lint_rule_table[i];

	return NULL;
}

static void finding_free(gpointer data)
{
	LintFinding *finding = data;

	g_free(finding->subject);
	g_free(finding->file);
	g_free(finding->what);
	g_free(finding->reason);
	g_free(finding);
}

void lint_report_free(LintReport *report)
{
	if (!report)
		return;

	g_ptr_array_unref(report->findings);
	g_ptr_array_unref(report->images);
	g_free(report->unmade);
	g_free(report);
}

static bool is_noted(const GPtrArray *findings, const LintFinding *finding)
{
	for (guint i = 0; i < findings->len; i++) {
		const LintFinding *other = findings->pdata[i];
		if (other->rule == finding->rule && g_str_equal(other->subject, finding->subject) &&
		    g_str_equal(other->file, finding->file) &&
		    g_str_equal(other->what, finding->what))
			return true;
	}
	return false;
}

void lint_note(Lint *lint, const char *rule, const LintPlace *place, const char *format, ...)
{
	g_autofree char *directory = g_path_get_dirname(lint->stack->ini_name);
	LintFinding *finding = g_new0(LintFinding, 1);
	va_list arguments;

	va_start(arguments, format);
	finding->what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	finding->rule = lint_rule_find(rule);
	finding->subject = g_strdup(place->subject ? place->subject : "");
	finding->file = place->file ? g_build_filename(directory, place->file, NULL)
	                            : g_strdup(lint->stack->ini_name);
	finding->line = place->line;
	g_assert(finding->rule);
	if (is_noted(lint->findings, finding))
		finding_free(finding);
	else
		g_ptr_array_add(lint->findings, finding);
}

LintPlace lint_section(const Lint *lint, const char *section, const char *subject)
{
	LintPlace place = { .subject = subject };

	place.line = ini_section(lint->stack->ini, section)->line;
	return place;
}

/* Returns: (transfer full) (nullable): what compose makes of the project. */
static json_t *read_project(const Lint *lint, const LintFiles *files, bool is_moved, GError **error)
{
	g_autoptr(ComposeProject) project = compose_project_new(files->inputs, error);
	g_autoptr(GPtrArray) environment =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	const Stack *stack = lint->stack;

	if (!project)
		return NULL;
	for (guint i = 0; is_moved && i < stack->ports->len; i++) {
		const StackPort *port = stack->ports->pdata[i];
		char *text =
			g_strdup_printf("%s=%u", port->variable, lint_moved_port(port->number));
		g_ptr_array_add(environment, g_bytes_new_take(text, strlen(text) + 1));
	}
	for (guint i = 0; is_moved && i < stack->keys->len; i++) {
		const StackKey *key = stack->keys->pdata[i];
		char *text = g_strdup_printf("%s=" LINT_CANARY, key->name);
		g_ptr_array_add(environment, g_bytes_new_take(text, strlen(text) + 1));
	}
	project->environment = environment;
	return compose_config(project, error);
}

/* Returns: false when no project can be judged here. */
static bool judge_files(Lint *lint, const char *profile, const LintPlace *place,
                        const LintFiles *files, LintReport *report)
{
	g_autoptr(GError) cause = NULL;
	g_autoptr(json_t) config = read_project(lint, files, false, &cause);
	g_autoptr(json_t) moved = config ? read_project(lint, files, true, NULL) : NULL;

	if (config) {
		const LintProject it = { lint,  profile, json_text_or(files->inputs, "project", ""),
			                 files, config,  moved };
		lint_project(&it);
		report->projects++;
		return true;
	}

	g_autofree char *message = fault_message(cause);
	if (fault_status(cause) != STATUS_CONFIG) {
		report->unmade = g_steal_pointer(&message);
		return false;
	}
	lint_note(lint, "compose", place, "%s", message);
	return true;
}

static bool judge_step(Lint *lint, const StackStep *step, const char *profile,
                       const char *directory, LintReport *report)
{
	g_auto(LintFiles) files = { 0 };
	g_autoptr(GError) cause = NULL;
	g_autofree char *section = g_strconcat("step ", step->id, NULL);
	const LintPlace place = lint_section(lint, section, step->id);

	if (lint_files_write(lint, profile, step, directory, &files, &cause))
		return judge_files(lint, profile, &place, &files, report);
	lint_note(lint, "compose", &place, "%s", cause->message);
	return true;
}

/* Each compose step, as each of its profiles has it. */
static void judge_projects(Lint *lint, const char *scratch, LintReport *report)
{
	const Stack *stack = lint->stack;
	guint count = MAX(stack->profiles->len, 1);

	for (guint i = 0; i < stack->steps->len * count; i++) {
		const StackStep *step = stack->steps->pdata[i / count];
		const StackProfile *profile =
			stack->profiles->len ? stack->profiles->pdata[i % count] : NULL;
		const char *name = profile ? profile->name : "";
		g_autofree char *directory = g_strdup_printf("%s/%u", scratch, i);

		if (g_str_equal(step->kind, "compose") && stack_in_profile(step->profiles, name) &&
		    !judge_step(lint, step, name, directory, report))
			return;
	}
}

static bool is_about(const LintFinding *finding, const char *rule, const char *subjects)
{
	g_auto(GStrv) words = ini_list(subjects ? subjects : "");

	return g_strcmp0(rule, finding->rule->name) == 0 &&
	       (!*words || g_strv_contains((const char *const *)words, finding->subject));
}

/* Lets pass what [exception NAME] speaks of.  Returns: whether there is something. */
static bool let_pass(const Lint *lint, const char *section)
{
	const char *rule = ini_value(lint->stack->ini, section, "rule");
	const char *subjects = ini_value(lint->stack->ini, section, "on");
	bool has_passed = false;

	for (guint i = 0; i < lint->findings->len; i++) {
		LintFinding *finding = lint->findings->pdata[i];
		if (finding->reason || !is_about(finding, rule, subjects))
			continue;
		finding->reason = g_strdup(ini_value(lint->stack->ini, section, "reason"));
		has_passed = true;
	}
	return has_passed;
}

/* @is_whole: all was judged, so what lets nothing pass has nothing to do. */
static void apply_exceptions(Lint *lint, bool is_whole)
{
	const GPtrArray *sections = ini_sections(lint->stack->ini);

	for (guint i = 0; i < sections->len; i++) {
		const char *section = sections->pdata[i];
		const char *name = section + strlen(EXCEPTION);

		if (!g_str_has_prefix(section, EXCEPTION))
			continue;
		const LintPlace place = lint_section(lint, section, name);
		const char *rule = ini_value(lint->stack->ini, section, "rule");
		if (!lint_rule_find(rule))
			lint_note(lint, "exception", &place, "there is no rule \"%s\"", rule);
		else if (!let_pass(lint, section) && is_whole)
			lint_note(lint, "exception", &place, "nothing breaks the rule %s there",
			          rule);
	}
}

static gint compare(gconstpointer a, gconstpointer b)
{
	const LintFinding *left = *(LintFinding *const *)a;
	const LintFinding *right = *(LintFinding *const *)b;
	int order = strcmp(left->file, right->file);

	if (order == 0)
		order = (left->line > right->line) - (left->line < right->line);
	if (order == 0)
		order = strcmp(left->rule->name, right->rule->name);
	return order ? order : strcmp(left->subject, right->subject);
}

LintReport *lint_stack(const StackBundle *bundle, bool has_compose, GError **error)
{
	g_autofree char *scratch = g_build_filename(g_get_tmp_dir(), "slipway-lint-XXXXXX", NULL);
	g_autoptr(LintReport) report = g_new0(LintReport, 1);
	Lint lint = { .bundle = bundle, .stack = stacks_definition(bundle) };

	report->findings = lint.findings = g_ptr_array_new_with_free_func(finding_free);
	report->images = lint.images = g_ptr_array_new_with_free_func(g_free);
	if (!g_mkdtemp_full(scratch, 0700)) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "cannot make a directory %s", scratch);
		return NULL;
	}
	lint_definition(&lint);
	if (has_compose)
		judge_projects(&lint, scratch, report);
	else
		report->unmade = g_strdup("left out by --no-compose");
	if (!tree_remove(scratch, error))
		return NULL;

	apply_exceptions(&lint, !report->unmade);
	for (guint i = 0; i < lint.findings->len; i++)
		report->failed += !((const LintFinding *)lint.findings->pdata[i])->reason;
	g_ptr_array_sort(lint.findings, compare);
	return g_steal_pointer(&report);
}
