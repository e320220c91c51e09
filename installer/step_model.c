/* installer/step_model.c - step kind "model": a model that the local Ollama has
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/statvfs.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/http.h"
#include "base/paths.h"
#include "checks/check.h"
#include "installer/ollama_api.h"
#include "installer/recipe.h"

#define MANIFEST_MAX_BYTES ((gsize)16 * 1024 * 1024)
/* Where models are kept, unless OLLAMA_MODELS says: by our service, by Ollama's own, by a user's. */
#define OURS "/var/lib/slipway-ollama/.ollama"
#define THEIRS "/usr/share/ollama/.ollama"

static const char *const keys[] = { "!name", "host", "registry", NULL };

static const char *name_of(const StepRun *run)
{
	return json_text_or(run->step->inputs, "name", "");
}

static const char *url_of(const StepRun *run)
{
	return json_text_or(run->step->inputs, "at", "");
}

/* What the receipt says: a second run asks nobody. */
static bool probe_model(const StepRun *run, Probe *probe, GError **error)
{
	if (!recipe_input(run, "name", error))
		return false;

	*probe = recipe_is_recorded(run) ? PROBE_OURS : PROBE_ABSENT;
	return true;
}

/* A model that somebody has pulled already is used and stays. */
static bool ask_model(const StepRun *run, Probe *probe, GError **error)
{
	bool has_it = false;

	(void)error;
	if (ollama_has_model(url_of(run), name_of(run), &has_it, NULL) && has_it)
		*probe = PROBE_FOREIGN;
	return true;
}

static bool has_model(const StepRun *run, bool *has_it, GError **error)
{
	if (ollama_has_model(url_of(run), name_of(run), has_it, error))
		return true;

	g_prefix_error(error, "Ollama does not answer: ");
	return false;
}

static json_t *prepare_model(const StepRun *run, GError **error)
{
	json_t *recipe = json_array();
	bool has_it = false;

	if (!has_model(run, &has_it, error)) {
		json_decref(recipe);
		return NULL;
	}
	if (!has_it)
		recipe_add(recipe, "model_delete", "name", name_of(run), "at", url_of(run), NULL);
	return recipe;
}

static guint64 free_bytes(void)
{
	static const char *const places[] = { OURS, THEIRS };
	const char *named = g_getenv("OLLAMA_MODELS");
	g_autofree char *own = g_build_filename(g_get_home_dir(), ".ollama", NULL);
	const char *place = named && *named ? named : own;
	struct statvfs vfs = { 0 };

	for (gsize i = 0; place == own && i < G_N_ELEMENTS(places); i++)
		if (file_exists(places[i]))
			place = places[i];

	g_autofree char *existing = paths_existing_ancestor(place);
	return statvfs(existing, &vfs) == 0 ? (guint64)vfs.f_bavail * vfs.f_frsize : 0;
}

static bool read_size(const StepRun *run, guint64 *size_bytes, GError **error)
{
	const char *manifest = json_text(run->step->inputs, "manifest");

	if (!manifest)
		return true;

	g_auto(GStrv) places = step_places(run->step, manifest);
	g_autoptr(GBytes) bytes =
		http_get_from_places((const char *const *)places, MANIFEST_MAX_BYTES, error);
	if (bytes && ollama_manifest_size(bytes, size_bytes, error))
		return true;
	g_prefix_error(error, "%s: ", name_of(run));
	return false;
}

static guint64 number_of(const StepRun *run, const char *key)
{
	const json_t *machine = json_object_get(run->step->inputs, "machine");

	return (guint64)json_integer_value(json_object_get(machine, key));
}

/* Only here, where a model is about to be loaded, a program is run for it. */
static guint64 card_bytes(void)
{
	g_autoptr(Facts) facts = facts_read_cards();

	facts_ask_cards(facts);
	return check_card_bytes(facts);
}

/* Ollama itself looks at none of it before it loads. */
static bool check_room(const StepRun *run, OllamaRoom *room, GError **error)
{
	if (!read_size(run, &room->size_bytes, error))
		return false;

	room->disk_bytes = free_bytes();
	room->memory_bytes = number_of(run, "memory");
	room->video_bytes = MAX(number_of(run, "video"), card_bytes());
	OllamaFit fit = ollama_judge(room);
	if (fit == OLLAMA_FITS || fit == OLLAMA_SPLITS)
		return true;

	g_autofree char *phrase = ollama_fit_phrase(room);
	fault_set(
		error, STATUS_UNAVAILABLE,
		"Choose a smaller model: --set step.STEP.name=MODEL, or leave it out with --skip.",
		"%s does not fit: %s", name_of(run), phrase);
	return false;
}

/* What the server lists counts, not what it said while it pulled. */
static bool check_listed(const StepRun *run, GError **error)
{
	bool has_it = false;

	if (!has_model(run, &has_it, error))
		return false;
	if (!has_it)
		fault_set(error, STATUS_UNAVAILABLE, NULL,
		          "%s was pulled, and Ollama does not list it", name_of(run));
	return has_it;
}

static json_t *apply_model(const StepRun *run, GError **error)
{
	OllamaRoom room = { 0 };
	bool has_it = false;

	if (!has_model(run, &has_it, error))
		return NULL;
	if (!has_it && (!check_room(run, &room, error) ||
	                !ollama_pull_model(url_of(run), name_of(run), recipe_report_bytes,
	                                   (gpointer)(guintptr)run, error) ||
	                !check_listed(run, error)))
		return NULL;

	g_autofree char *note = has_it ? NULL : ollama_fit_phrase(&room);
	json_t *result = json_pack("{s:s, s:s, s:I}", "name", name_of(run), "url", url_of(run),
	                           "size_bytes", (json_int_t)room.size_bytes);
	json_put(result, "note", note);
	return result;
}

const StepKind step_kind_model = {
	.name = "model",
	.verb = "pull the model",
	.keys = keys,
	.weight = 120,
	.keeps_foreign = true,
	.is_put_off = true,
	.probe = probe_model,
	.ask = ask_model,
	.prepare = prepare_model,
	.apply = apply_model,
};
