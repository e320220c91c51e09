/* installer/step_directory.c - step kind "directory": it is there
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/recipe.h"

static const char *const keys[] = { "!path", "mode", NULL };

static bool probe_directory(const StepRun *run, Probe *probe, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	struct stat st;

	if (!path)
		return false;

	if (!file_exists(path))
		*probe = PROBE_ABSENT;
	else
		*probe = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? PROBE_OURS : PROBE_FOREIGN;
	return true;
}

static json_t *prepare_directory(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path)
		return NULL;

	json_t *recipe = json_array();
	recipe_add_missing_dirs(recipe, path);
	return recipe;
}

/* The mode is that of the directory itself; its parents stay open to be passed through. */
static json_t *apply_directory(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	mode_t mode = 0;

	if (!path || !recipe_mode(run, 0755, &mode, error))
		return NULL;

	g_autofree char *parent = g_path_get_dirname(path);
	if (!file_make_dirs(parent, 0755, NULL, error) || !file_make_dirs(path, mode, NULL, error))
		return NULL;

	return json_pack("{s:s}", "path", path);
}

const StepKind step_kind_directory = {
	.name = "directory",
	.verb = "create",
	.keys = keys,
	.weight = 1,
	.probe = probe_directory,
	.prepare = prepare_directory,
	.apply = apply_directory,
};
