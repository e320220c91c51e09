/* installer/service_step.c - the part of a step that is a service: its file, its link, its life
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/service_step.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/recipe.h"
#include "installer/service.h"
#include "installer/step_file.h"

static GBytes *render_file(const StepRun *run, GError **error)
{
	char *text = service_render(json_object_get(run->step->inputs, "service"));

	if (text)
		return g_bytes_new_take(text, strlen(text));
	fault_set(error, STATUS_DATA, NULL, "the description of a service is damaged");
	return NULL;
}

static const StepKind file_kind = { .name = "service", .render = render_file };

/* The service's file, as a step of its own. */
typedef struct {
	Step step;
	StepRun run;
	json_t *receipt;
} FileStep;

static void file_step_clear(FileStep *file)
{
	json_decref(file->step.inputs);
	json_decref(file->receipt);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileStep, file_step_clear)

static bool file_step_init(FileStep *file, const StepRun *run, const json_t *service)
{
	const json_t *record = json_object_get(json_object_get(run->receipt, "result"), "file");
	const char *path = json_text(service, "file");
	g_autofree char *mode = g_strdup_printf("%04o", service_file_mode(service));

	if (!path)
		return false;
	file->step.id = run->step->id;
	file->step.kind = &file_kind;
	file->step.inputs = json_pack("{s:s, s:s, s:O}", "path", path, "mode", mode, "service",
	                              (json_t *)(guintptr)service);
	file->receipt = json_pack("{s:O*, s:O*}", "result", record, "undo",
	                          json_object_get(run->receipt, "undo"));
	file->run = *run;
	file->run.step = &file->step;
	file->run.receipt = file->receipt;
	return true;
}

/* What a person disabled stays so; what was there before is not ours to take away. */
static bool wants_link(const StepRun *run, const json_t *service)
{
	const char *link = json_text(service, "link");

	return link && !file_exists(link) &&
	       !json_object_get(json_object_get(run->receipt, "result"), "service");
}

static json_t *part_of(const char *verb, const json_t *service)
{
	return json_pack("{s:s, s:O}", "do", verb, "service", (json_t *)(guintptr)service);
}

void service_step_begin(const StepRun *run G_GNUC_UNUSED, const json_t *service, json_t *recipe)
{
	g_autofree char *directory = g_path_get_dirname(json_text_or(service, "log", "/"));
	json_t *part = part_of("service_resume", service);

	recipe_add_missing_dirs(recipe, directory);
	json_object_set_new(part, "was_running", json_boolean(service_is_running(service)));
	json_array_append_new(recipe, part);
}

static bool prepare_file(FileStep *file, json_t *recipe, GError **error)
{
	Probe probe = PROBE_ABSENT;

	if (!step_file_probe(&file->run, &probe, error))
		return false;
	if (probe == PROBE_FOREIGN) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "not ours, and in the way: %s",
		          json_text_or(file->step.inputs, "path", "?"));
		return false;
	}
	if (!probe_is_due(probe))
		return true;

	g_autoptr(json_t) parts = step_file_prepare(&file->run, error);
	return parts && json_array_extend(recipe, parts) == 0;
}

bool service_step_end(const StepRun *run, const json_t *service, json_t *recipe, GError **error)
{
	g_auto(FileStep) file = { 0 };

	if (file_step_init(&file, run, service) && !prepare_file(&file, recipe, error))
		return false;
	if (wants_link(run, service)) {
		const char *link = json_text(service, "link");
		g_autofree char *directory = g_path_get_dirname(link);
		recipe_add_missing_dirs(recipe, directory);
		recipe_add(recipe, "unlink_link", "path", link, "target",
		           json_text_or(service, "target", ""), NULL);
	}
	json_array_append_new(recipe, part_of("service_stop", service));
	return true;
}

static bool make_link(const json_t *service, GError **error)
{
	const char *link = json_text(service, "link");
	g_autofree char *directory = g_path_get_dirname(link);

	if (!file_make_dirs(directory, 0755, NULL, error))
		return false;
	if (symlink(json_text_or(service, "target", ""), link) == 0)
		return file_sync_dir(directory, error);

	fault_set_errno(error, errno, "cannot make the link %s", link);
	return false;
}

/* Returns: (transfer full): what the receipt keeps of the file; NULL with an error set. */
static json_t *apply_file(FileStep *file, GError **error)
{
	Probe probe = PROBE_ABSENT;
	json_t *record = json_object_get(file->receipt, "result");

	if (!step_file_probe(&file->run, &probe, error))
		return NULL;
	if (probe_is_due(probe))
		return step_file_apply(&file->run, error);
	if (record)
		return json_incref(record);

	/* Written by a run that was killed after it. */
	const char *path = json_text_or(file->step.inputs, "path", "/");
	g_autofree char *digest = file_digest(path, error);
	return digest ? json_pack("{s:s, s:s}", "path", path, "sha256", digest) : NULL;
}

json_t *service_step_apply(const StepRun *run, const json_t *service, GError **error)
{
	g_auto(FileStep) file = { 0 };
	g_autoptr(json_t) result = json_object();

	if (file_step_init(&file, run, service)) {
		json_t *record = apply_file(&file, error);
		if (!record)
			return NULL;
		json_object_set_new(result, "file", record);
	}
	if ((wants_link(run, service) && !make_link(service, error)) ||
	    !service_start(service, error))
		return NULL;

	g_autofree char *note = service_note(service);
	json_object_set(result, "service", (json_t *)(guintptr)service);
	json_put(result, "note", note);
	return g_steal_pointer(&result);
}
