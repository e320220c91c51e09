/* installer/plan_shell.c - the step that puts the directory of commands on a shell's PATH
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "installer/plan_private.h"

#define STEP_ID "shell-path"

static char *shell_name(void)
{
	const char *shell = g_getenv("SHELL");
	const struct passwd *user = shell && *shell ? NULL : getpwuid(geteuid());

	if (user)
		shell = user->pw_shell;
	return g_path_get_basename(shell && *shell ? shell : "/bin/sh");
}

static char *below_home(const PlanRequest *request, const char *name)
{
	return g_build_filename(request->paths->home, name, NULL);
}

/* The file that this shell reads when it starts, for a person at a terminal. */
static char *start_file(const PlanRequest *request, const char *shell)
{
	const char *zdotdir = g_getenv("ZDOTDIR");
	bool is_mac = g_strcmp0(request->facts->system.name, "Darwin") == 0;

	if (g_str_equal(shell, "zsh") && zdotdir && g_path_is_absolute(zdotdir))
		return g_build_filename(zdotdir, ".zshrc", NULL);
	if (g_str_equal(shell, "zsh"))
		return below_home(request, ".zshrc");
	if (g_str_equal(shell, "fish"))
		return below_home(request, ".config/fish/conf.d/slipway.fish");
	if (g_str_equal(shell, "bash"))
		return below_home(request, is_mac ? ".bash_profile" : ".bashrc");
	return below_home(request, ".profile");
}

/* People keep such files elsewhere, behind a link: that one is written, not the link replaced. */
static char *real_file(char *path)
{
	char *real = realpath(path, NULL);
	char *found = real ? g_strdup(real) : g_strdup(path);

	free(real);
	g_free(path);
	return found;
}

static char *lines_for(const char *shell, const char *directory)
{
	if (g_str_equal(shell, "fish"))
		return g_strdup_printf("contains -- %s $PATH; or set -gx PATH %s $PATH\n",
		                       directory, directory);
	return g_strdup_printf(
		"case \":$PATH:\" in *\":%s:\"*) ;; *) export PATH=\"%s:$PATH\" ;; esac\n",
		directory, directory);
}

static bool is_on_path(const char *directory)
{
	g_auto(GStrv) on_path = g_strsplit(g_getenv("PATH") ? g_getenv("PATH") : "", ":", -1);

	return g_strv_contains((const char *const *)on_path, directory);
}

/* Returns: (transfer none) (nullable): the step that puts a command there. */
static const Step *find_command(const Plan *plan, const char *directory)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		const char *path = json_text(item->step->inputs, "path");
		g_autofree char *parent = path ? g_path_get_dirname(path) : NULL;

		if (item->step->kind == &step_kind_wrapper && g_strcmp0(parent, directory) == 0)
			return item->step;
	}

	return NULL;
}

/* What an earlier run did stays as it is, wherever a shell would look today. */
static json_t *make_inputs(const Plan *plan, const PlanRequest *request, const char *directory,
                           const json_t *record)
{
	const json_t *before = json_object_get(record, "inputs");
	g_autofree char *shell = shell_name();
	g_autofree char *path = json_text(before, "path") ? g_strdup(json_text(before, "path"))
	                                                  : real_file(start_file(request, shell));
	g_autofree char *lines = json_text(before, "lines") ? g_strdup(json_text(before, "lines"))
	                                                    : lines_for(shell, directory);

	return json_pack("{s:s, s:s, s:s}", "path", path, "name", plan->stack, "lines", lines);
}

Step *plan_build_shell_path(const Plan *plan, const PlanRequest *request, const json_t *record)
{
	const char *directory = settings_text(request->settings, "bin");
	const Step *command = find_command(plan, directory);
	bool is_wanted = record || (settings_flag(request->settings, "add-to-path") &&
	                            !is_on_path(directory));

	if (!command || !is_wanted)
		return NULL;

	Step *step = g_new0(Step, 1);
	step->id = g_strdup(STEP_ID);
	step->kind = &step_kind_block;
	step->why = g_strdup("--add-to-path");
	step->after = g_strdupv((char *[]){ command->id, NULL });
	step->inputs = make_inputs(plan, request, directory, record);
	step->commands = g_new0(char *, 1);
	step->sources = g_new0(char *, 1);
	step->weight = step->kind->weight;
	step->text = g_strdup_printf("put %s on the PATH, in %s", directory,
	                             json_text_or(step->inputs, "path", "?"));
	return step;
}
