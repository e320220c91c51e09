/* installer/compose_pull.c - images that a project lacks, loaded by the engine before compose starts it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/compose_pull.h"

#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "installer/engine.h"
#include "installer/engine_pull.h"

/** All images of one project, one after another. */
typedef struct {
	const ComposeProject *project;
	guint64 done_bytes;  /* of those before */
	guint64 image_bytes; /* of the one that is loaded now */
} Loading;

static void on_bytes(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	Loading *it = data;

	it->image_bytes = total_bytes;
	if (it->project->on_bytes)
		it->project->on_bytes(it->done_bytes + done_bytes, it->done_bytes + total_bytes,
		                      it->project->data);
}

/* Returns: whether the engine has it under that name. */
static bool is_there(const ComposeProject *project, const char *image)
{
	g_autofree char *name = g_uri_escape_string(image, "/:@", FALSE);
	g_autofree char *path = g_strdup_printf("/images/%s/json", name);
	g_autoptr(json_t) answer = engine_get(project->engine, path, NULL);

	return answer != NULL;
}

static bool load(Loading *it, const char *image, GError **error)
{
	g_autoptr(EnginePull) pull = engine_pull_new(on_bytes, it);
	g_autoptr(GError) cause = NULL;
	bool is_done = engine_pull(it->project->engine, image, pull, &cause);

	log_line("pull", "%s: %s", image, is_done ? "loaded" : cause->message);
	it->done_bytes += it->image_bytes;
	it->image_bytes = 0;
	if (is_done || (fault_status(cause) != STATUS_DEADLINE && cancel_signal() == 0))
		return true;

	g_propagate_prefixed_error(error, g_steal_pointer(&cause), "image %s: ", image);
	return false;
}

/* Services of compose's own profiles are not started. */
static bool is_pulled(const json_t *service)
{
	const char *policy = json_text_or(service, "pull_policy", "missing");

	return json_text(service, "image") && !json_object_get(service, "build") &&
	       json_array_size(json_object_get(service, "profiles")) == 0 &&
	       !g_str_equal(policy, "never");
}

bool compose_pull_missing(const ComposeProject *project, GError **error)
{
	g_autoptr(json_t) config = compose_config(project, NULL);
	Loading it = { .project = project };
	const char *name = NULL;
	json_t *service = NULL;

	json_object_foreach(json_object_get(config, "services"), name, service)
	{
		const char *image = json_text(service, "image");

		if (is_pulled(service) && !is_there(project, image) && !load(&it, image, error))
			return false;
	}
	return true;
}
