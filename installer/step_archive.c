/* installer/step_archive.c - step kind "archive": a program that its makers publish as an archive
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/process.h"
#include "installer/owned_tree.h"
#include "installer/recipe.h"
#include "installer/sums.h"
#include "payload/archive_download.h"

#define DEFAULT_MAX_BYTES ((guint64)4 << 30)

static const char *const keys[] = { "!url",    "sha256", "sums",  "!path",
	                            "program", "max",    "strip", NULL };

static char *wanted_digest(const StepRun *run, const char *url, GError **error)
{
	const char *fixed = json_text(run->step->inputs, "sha256");
	const char *sums = json_text(run->step->inputs, "sums");

	if (fixed && file_is_digest(fixed))
		return g_strdup(fixed);
	if (fixed || !sums) {
		fault_set(error, STATUS_CONFIG, NULL,
		          "step %s needs sha256 (64 hex digits) or sums", run->step->id);
		return NULL;
	}

	g_autofree char *path = g_strndup(url, strcspn(url, "?#"));
	g_autofree char *name = g_path_get_basename(path);
	g_auto(GStrv) lists = step_places(run->step, sums);
	return sums_digest((const char *const *)lists, name, error);
}

static bool read_number(const StepRun *run, const char *key, guint64 maximum, guint64 *number,
                        GError **error)
{
	const char *text = json_text(run->step->inputs, key);

	if (!text || g_ascii_string_to_unsigned(text, 10, 0, maximum, number, NULL))
		return true;

	fault_set(error, STATUS_CONFIG, NULL,
	          "step %s: %s = \"%s\" is not a number up to %" G_GUINT64_FORMAT, run->step->id,
	          key, text, maximum);
	return false;
}

/* Loads and unpacks in one pass; there is no copy of the archive on the disk. */
static bool load(const StepRun *run, const char *path, GError **error)
{
	const char *place = recipe_input(run, "url", error);
	guint64 max_bytes = DEFAULT_MAX_BYTES;
	guint64 strip = 0;

	if (!place || !read_number(run, "max", DEFAULT_MAX_BYTES * 16, &max_bytes, error) ||
	    !read_number(run, "strip", 16, &strip, error))
		return false;

	g_auto(GStrv) urls = step_places(run->step, place);
	g_autofree char *digest = wanted_digest(run, place, error);
	g_autofree char *staged = digest ? owned_tree_stage(run, path, error) : NULL;
	if (!staged)
		return false;

	ArchiveDownload wanted = {
		.urls = (const char *const *)urls,
		.sha256 = digest,
		.max_bytes = max_bytes,
		.limits = { .strip_components = (guint)strip, .has_symlinks = true },
		.on_progress = recipe_report_bytes,
		.data = (gpointer)(guintptr)run,
	};
	return archive_download(&wanted, 1, staged, error) &&
	       owned_tree_place(run, path, staged, error);
}

/* A program that somebody else has installed already does as well. */
static bool probe_archive(const StepRun *run, Probe *probe, GError **error)
{
	const char *path = recipe_input(run, "path", error);
	const char *program = json_text(run->step->inputs, "program");

	if (!path)
		return false;

	*probe = owned_tree_probe(run, path);
	if (*probe == PROBE_ABSENT && program) {
		g_autofree char *found = process_find(program);
		*probe = found ? PROBE_OURS : PROBE_ABSENT;
	}
	return true;
}

static json_t *prepare_archive(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	return path ? owned_tree_recipe(run, path) : NULL;
}

static json_t *apply_archive(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path)
		return NULL;
	if (!owned_tree_is_complete(run, path) && !load(run, path, error))
		return NULL;
	return owned_tree_result(run, path, error);
}

const StepKind step_kind_archive = {
	.name = "archive",
	.verb = "unpack into",
	.keys = keys,
	.weight = 60,
	.probe = probe_archive,
	.prepare = prepare_archive,
	.apply = apply_archive,
};
