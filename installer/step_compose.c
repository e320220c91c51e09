/* installer/step_compose.c - step kind "compose": a container project runs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/compose_start.h"
#include "installer/recipe.h"

static const char *const keys[] = {
	"!project", "!directory", "!*files", "env_file", "wait_s", NULL
};

/* Whether the containers are those that the receipt's run started, from files that still are the
 * same. */
static bool is_recorded(const StepRun *run, const ComposeProject *project,
                        const ComposeState *state)
{
	const json_t *result = json_object_get(run->receipt, "result");
	const json_t *services = json_object_get(result, "services");
	g_autofree char *digest = compose_digest(project);

	return digest && g_strcmp0(digest, json_text(result, "digest")) == 0 &&
	       json_equal(services, state->hashes) &&
	       handover_is_there(json_object_get(result, "handover"));
}

/* One that was installed with another profile, and stops. */
static bool is_retired(const StepRun *run)
{
	return json_flag(run->step->inputs, "is_retired");
}

/* As it was started: by this step, or by one that it goes on with. */
static ComposeProject *project_of(const StepRun *run, GError **error)
{
	const json_t *result = json_object_get(run->receipt, "result");

	return is_retired(run) ? compose_project_recorded(run->step->inputs, result, error)
	                       : compose_project_new(run->step->inputs, error);
}

static Probe judge(const StepRun *run, const ComposeProject *project, const ComposeState *state)
{
	bool is_new = json_text(run->step->inputs, "replaces") != NULL;

	if (state->containers == 0)
		return is_retired(run) ? PROBE_OURS : PROBE_ABSENT;
	if (state->foreign > 0)
		return PROBE_FOREIGN;
	if (is_retired(run) || is_new || state->settled < state->containers)
		return PROBE_PARTIAL;
	return is_recorded(run, project, state) ? PROBE_OURS : PROBE_PARTIAL;
}

static bool probe_compose(const StepRun *run, Probe *probe, GError **error)
{
	g_autoptr(ComposeProject) project = project_of(run, error);
	g_auto(ComposeState) state = { 0 };
	g_autoptr(GError) fault = NULL;

	if (!project)
		return false;
	if (!compose_ask(project, &state, &fault)) {
		*probe = PROBE_ABSENT; /* no engine yet: apply says so if there still is none */
		if (fault_status(fault) == STATUS_UNAVAILABLE)
			return true;
		g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	*probe = judge(run, project, &state);
	return true;
}

/* What takes a start back, with the volumes that it makes; the receipt keeps it without them. */
static json_t *undo_start(const ComposeProject *project, GError **error)
{
	json_t *volumes = compose_volumes(project, error);

	if (!volumes)
		return NULL;

	json_t *down = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "do", "compose_down", "project",
	                         project->project, "directory", project->directory, "files",
	                         json_from_strv((const char *const *)project->files), "earlier",
	                         json_from_strv((const char *const *)project->earlier), "volumes",
	                         volumes);
	json_put(down, "env_file", project->env_file);
	json_put(down, "engine", project->engine);
	return down;
}

/* Asks first whether anything can be started at all, so that a machine without an engine fails
 * before there is something to undo.  What was stopped is started by the receipt. */
static json_t *prepare_compose(const StepRun *run, GError **error)
{
	g_autoptr(ComposeProject) project = project_of(run, error);
	g_autoptr(json_t) recipe = json_array();
	json_t *down;

	if (!project || !compose_check(project, error))
		return NULL;
	if (is_retired(run))
		return g_steal_pointer(&recipe);
	if (!handover_prepare(run->step->inputs, recipe, error))
		return NULL;
	down = undo_start(project, error);
	return down && json_array_append_new(recipe, down) == 0 ? g_steal_pointer(&recipe) : NULL;
}

static void on_line(const char *line, gpointer data)
{
	const StepRun *run = data;

	recipe_report(run, -1, line);
}

static json_t *stop(const StepRun *run, GError **error)
{
	g_autoptr(ComposeProject) project = project_of(run, error);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *note = NULL;

	if (!project || !compose_take_down(project, false, left, error) ||
	    !handover_forget(run->step->inputs, error))
		return NULL;
	if (left->len > 0) {
		g_ptr_array_add(left, NULL);
		note = g_strjoinv("; ", (char **)left->pdata);
	}
	return json_pack("{s:s, s:s*, s:s*}", "project", project->project, "engine",
	                 project->engine, "note", note);
}

static json_t *apply_compose(const StepRun *run, GError **error)
{
	g_auto(Handover) handover = { 0 };
	g_autoptr(ComposeProject) project = compose_project_new(run->step->inputs, error);
	StepRun copy = *run;

	if (!project)
		return NULL;
	if (is_retired(run))
		return stop(run, error);
	project->on_line = on_line;
	project->on_bytes = recipe_report_bytes;
	project->data = &copy;
	if (!compose_start(run->step->inputs, NULL, run->host, project, &handover, error))
		return NULL;
	return compose_started(project, &handover, error);
}

const StepKind step_kind_compose = {
	.name = "compose",
	.verb = "start the compose project",
	.keys = keys,
	.weight = 60,
	.needs_programs = true,
	.probe = probe_compose,
	.prepare = prepare_compose,
	.apply = apply_compose,
};
