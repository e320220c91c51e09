/* installer/step_link.c - step kind "link": a symbolic link of this user's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/recipe.h"

static const char *const keys[] = { NULL };

/** What the step is to do; (transfer none). */
typedef struct {
	const char *path, *target;
} Link;

static bool read_link(const StepRun *run, Link *wanted, GError **error)
{
	wanted->path = recipe_input(run, "path", error);
	wanted->target = wanted->path ? recipe_input(run, "target", error) : NULL;
	return wanted->target != NULL;
}

static bool is_there(const Link *wanted)
{
	g_autofree char *found = g_file_read_link(wanted->path, NULL);

	return g_strcmp0(found, wanted->target) == 0;
}

static bool probe_link(const StepRun *run, Probe *probe, GError **error)
{
	Link wanted;

	if (!read_link(run, &wanted, error))
		return false;
	if (!file_exists(wanted.path))
		*probe = PROBE_ABSENT;
	else if (is_there(&wanted))
		*probe = PROBE_OURS;
	else
		*probe = run->receipt ? PROBE_EDITED : PROBE_FOREIGN;
	return true;
}

static json_t *prepare_link(const StepRun *run, GError **error)
{
	Link wanted;

	if (!read_link(run, &wanted, error))
		return NULL;

	g_autofree char *parent = g_path_get_dirname(wanted.path);
	json_t *recipe = json_array();
	recipe_add_missing_dirs(recipe, parent);
	recipe_add(recipe, "unlink_link", "path", wanted.path, "target", wanted.target, NULL);
	return recipe;
}

static json_t *apply_link(const StepRun *run, GError **error)
{
	Link wanted;

	if (!read_link(run, &wanted, error))
		return NULL;

	g_autofree char *parent = g_path_get_dirname(wanted.path);
	if (!file_make_dirs(parent, 0700, NULL, error))
		return NULL;
	/* A run before this one may have been killed here. */
	if (!is_there(&wanted) && symlink(wanted.target, wanted.path) != 0) {
		fault_set_errno(error, errno, "cannot make the link %s", wanted.path);
		return NULL;
	}
	return file_sync_dir(parent, error) ? json_pack("{s:s}", "path", wanted.path) : NULL;
}

const StepKind step_kind_link = {
	.name = "link",
	.verb = "link",
	.keys = keys,
	.weight = 1,
	.keeps_foreign = true,
	.probe = probe_link,
	.prepare = prepare_link,
	.apply = apply_link,
};
