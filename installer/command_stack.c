/* installer/command_stack.c - "slipway stack new" and "slipway stack lint": a stack of one's own
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/session.h"
#include "installer/stack_lint.h"
#include "installer/stack_new.h"

static gboolean has_no_compose;

const GOptionEntry command_stack_lint_options[] = {
	{ "no-compose", 0, 0, G_OPTION_ARG_NONE, &has_no_compose,
	  "judge stack.ini alone, where there is no docker compose", NULL },
	{ 0 },
};

bool command_stack_new(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *name = argv[0];
	g_autofree char *directory = g_canonicalize_filename(name, NULL);
	json_t *files = json_array();

	session_put(app, "files", files);
	if (!stack_new(name, directory, error))
		return false;
	for (gsize i = 0; i < new_stack_count; i++)
		json_array_append_new(files, json_string(new_stack_table[i].path));
	session_put(app, "stack", json_string(name));
	session_put(app, "directory", json_string(directory));
	term_print(app->term, "wrote the stack %s into %s\n", name, directory);
	term_note(app->term,
	          "\"slipway stack lint ./%s\" judges it, \"slipway install ./%s\" installs it.",
	          name, name);
	return true;
}

static char *place_of(const LintFinding *finding)
{
	return finding->line > 0 ? g_strdup_printf("%s:%u", finding->file, finding->line)
	                         : g_strdup(finding->file);
}

static void print_finding(Term *term, const LintFinding *finding)
{
	g_autofree char *place = place_of(finding);
	g_autofree char *rule =
		term_styled(term, finding->reason ? TERM_DIM : TERM_BAD, finding->rule->name);

	term_print(term, "%s: %s: %s\n", place, rule, finding->what);
	if (finding->reason)
		term_print(term, "    let pass: %s\n", finding->reason);
	else
		term_print(term, "    %s. %s\n", finding->rule->why, finding->rule->remedy);
}

static json_t *describe(const LintReport *report)
{
	json_t *list = json_array();

	for (guint i = 0; i < report->findings->len; i++) {
		const LintFinding *it = report->findings->pdata[i];
		json_t *object =
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s?}", "rule",
		                  it->rule->name, "subject", it->subject, "file", it->file, "what",
		                  it->what, "why", it->rule->why, "remedy", it->rule->remedy,
		                  "is_excepted", it->reason != NULL, "reason", it->reason);
		json_object_set_new(object, "line",
		                    it->line > 0 ? json_integer(it->line) : json_null());
		json_array_append_new(list, object);
	}
	return list;
}

static void show(App *app, const char *name, const LintReport *report)
{
	guint passed = report->findings->len - report->failed;

	for (guint i = 0; i < report->findings->len; i++)
		print_finding(app->term, report->findings->pdata[i]);
	term_print(app->term, "%s%s: %u %s, %u let pass by exceptions; %u compose %s judged.\n",
	           report->findings->len ? "\n" : "", name, report->failed,
	           report->failed == 1 ? "finding" : "findings", passed, report->projects,
	           report->projects == 1 ? "project" : "projects");
	if (report->unmade)
		term_print(app->term, "The compose files were not judged: %s.\n", report->unmade);
	session_put(app, "stack", json_string(name));
	session_put(app, "findings", describe(report));
	session_put(app, "failed", json_integer(report->failed));
	session_put(app, "excepted", json_integer(passed));
	session_put(app, "compose_projects", json_integer(report->projects));
	session_put(app, "compose_not_judged",
	            report->unmade ? json_string(report->unmade) : json_null());
}

bool command_stack_lint(App *app, int argc, char **argv, GError **error)
{
	g_autoptr(StackBundle) bundle = stacks_open(argc > 0 ? argv[0] : "./", error);
	g_autoptr(LintReport) report = bundle ? lint_stack(bundle, !has_no_compose, error) : NULL;

	if (!report)
		return false;

	const char *name = stacks_definition(bundle)->name;
	show(app, name, report);
	if (report->failed > 0) {
		fault_set(error, STATUS_FAILED, NULL, "%s: %u %s", name, report->failed,
		          report->failed == 1 ? "finding" : "findings");
		return false;
	}
	if (report->unmade && !has_no_compose) {
		fault_set(error, STATUS_UNAVAILABLE,
		          "Install docker and its compose plugin, or say --no-compose.",
		          "the compose files of %s were not judged: %s", name, report->unmade);
		return false;
	}
	return true;
}
