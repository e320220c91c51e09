/* installer/step_file.c - step kinds "file" and "wrapper": one file, compared three ways
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/step_file.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/recipe.h"
#include "installer/template.h"
#include "installer/undo.h"

/* What a person edited is never replaced: a changed definition is written beside it, once. */
#define OFFER_SUFFIX ".slipway-new"

static const char *const keys[] = { "!path", "!@from", "mode", "template", "mutable", NULL };

typedef struct {
	const char *path;
	char *base;    /* (nullable): digest of what we wrote last */
	char *current; /* (nullable): digest of what is there; "" for what is no regular file */
	char *wanted;  /* (nullable): digest of what the definition says; NULL: not at hand */
	Probe probe;
} Judgement;

static void judgement_clear(Judgement *judgement)
{
	g_free(judgement->base);
	g_free(judgement->current);
	g_free(judgement->wanted);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judgement, judgement_clear)

static GBytes *render(const StepRun *run, GError **error)
{
	if (run->step->kind->render)
		return run->step->kind->render(run, error);

	const char *member = recipe_input(run, "from", error);
	g_autoptr(GBytes) bytes = member ? recipe_member(run, member, error) : NULL;

	if (!bytes || !g_str_equal(json_text_or(run->step->inputs, "template", "no"), "yes"))
		return g_steal_pointer(&bytes);

	gsize size_bytes = g_bytes_get_size(bytes);
	g_autofree char *text = recipe_text(bytes);
	if (strlen(text) != size_bytes) {
		fault_set(error, STATUS_CONFIG, NULL, "the template %s has a NUL byte", member);
		return NULL;
	}

	char *expanded = template_expand(text, json_object_get(run->step->inputs, "vars"), error);
	if (expanded)
		return g_bytes_new_take(expanded, strlen(expanded));

	g_prefix_error(error, "%s: ", member);
	return NULL;
}

/* The digest that the receipt has: of the result or, after a crash, of the recipe. */
static char *recorded_digest(const StepRun *run, const char *path)
{
	const json_t *undo = json_object_get(run->receipt, "undo");
	const char *digest = json_text(json_object_get(run->receipt, "result"), "sha256");

	for (gsize i = json_array_size(undo); i-- > 0 && !digest;) {
		const json_t *part = json_array_get(undo, i);
		if (g_str_equal(json_text_or(part, "path", ""), path))
			digest = json_text(part, "sha256");
	}

	return g_strdup(digest);
}

static const char *offered_digest(const StepRun *run)
{
	return json_text(json_object_get(run->receipt, "result"), "offered");
}

/* Without reading anything where the receipt has the same step. */
static char *wanted_digest(const StepRun *run, const char *base)
{
	const char *offered = offered_digest(run);

	if (base && recipe_is_recorded(run))
		return g_strdup(offered ? offered : base);

	g_autoptr(GBytes) bytes = render(run, NULL);
	return bytes ? file_digest_bytes(bytes) : NULL;
}

static char *current_digest(const char *path, GError **error)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return g_strdup("");

	return file_digest(path, error);
}

/* What it becomes is no business of ours: see "slipway deploy". */
static bool is_mutable(const StepRun *run)
{
	return g_str_equal(json_text_or(run->step->inputs, "mutable", "no"), "yes");
}

/* The table of facts/reliability: base, current, wanted. */
static void judge_present(const StepRun *run, Judgement *it)
{
	bool is_untouched = it->base && g_str_equal(it->current, it->base);
	bool is_changed = g_strcmp0(it->wanted, it->base) != 0;
	bool is_offered = it->wanted && g_strcmp0(it->wanted, offered_digest(run)) == 0;

	if (g_strcmp0(it->current, it->wanted) == 0)
		it->probe = PROBE_OURS;
	else if (!it->base)
		it->probe = PROBE_FOREIGN;
	else if (is_untouched)
		it->probe = is_changed ? PROBE_PARTIAL : PROBE_OURS;
	else if (!is_changed || is_offered)
		it->probe = is_mutable(run) ? PROBE_OURS : PROBE_EDITED;
	else
		it->probe = PROBE_BESIDE;
}

static bool judge(const StepRun *run, Judgement *it, GError **error)
{
	it->path = recipe_input(run, "path", error);
	if (!it->path)
		return false;

	it->base = recorded_digest(run, it->path);
	if (!file_exists(it->path)) {
		it->probe = it->base ? PROBE_EDITED : PROBE_ABSENT;
		return true;
	}

	it->current = current_digest(it->path, error);
	if (!it->current)
		return false;

	it->wanted = wanted_digest(run, it->base);
	judge_present(run, it);
	return true;
}

bool step_file_probe(const StepRun *run, Probe *probe, GError **error)
{
	g_auto(Judgement) it = { 0 };

	if (!judge(run, &it, error))
		return false;

	*probe = it.probe;
	return true;
}

static void add_restore(json_t *recipe, const StepRun *run, const Judgement *it, const char *wanted)
{
	g_autofree char *backup = recipe_backup(run, it->current);
	struct stat st = { .st_mode = 0644 };

	(void)lstat(it->path, &st);
	recipe_add(recipe, "restore_backup", "path", it->path, "backup", backup, "sha256", wanted,
	           NULL);
	json_t *part = json_array_get(recipe, json_array_size(recipe) - 1);
	json_object_set_new(part, "mode", json_integer(st.st_mode & 0777));
}

json_t *step_file_prepare(const StepRun *run, GError **error)
{
	g_auto(Judgement) it = { 0 };
	g_autoptr(GBytes) bytes = judge(run, &it, error) ? render(run, error) : NULL;

	if (!bytes)
		return NULL;

	json_t *recipe = json_array();
	g_autofree char *parent = g_path_get_dirname(it.path);
	bool is_offer = it.probe == PROBE_BESIDE;
	g_autofree char *offer = g_strconcat(it.path, OFFER_SUFFIX, NULL);
	g_autofree char *wanted = file_digest_bytes(bytes);
	g_autofree char *stage = recipe_stage(run, is_offer ? offer : it.path);

	recipe_add_missing_dirs(recipe, parent);
	if (it.probe == PROBE_PARTIAL)
		add_restore(recipe, run, &it, wanted);
	else if (is_mutable(run) && !is_offer)
		recipe_add(recipe, "unlink", "path", it.path, NULL);
	else
		recipe_add(recipe, "unlink_if_hash", "path", is_offer ? offer : it.path, "sha256",
		           wanted, NULL);
	recipe_add(recipe, "remove_tree", "path", stage, "token", run->token, NULL);
	return recipe;
}

bool step_file_write_staged(const StepRun *run, const char *path, GBytes *bytes, mode_t mode,
                            GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *stage = recipe_stage(run, path);
	g_autofree char *inside = g_build_filename(stage, "file", NULL);
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(bytes, &size_bytes);

	return file_make_dirs(parent, 0755, NULL, error) && tree_remove(stage, error) &&
	       undo_mark_tree(stage, run->token, error) &&
	       file_write(inside, data, size_bytes, mode, error) &&
	       file_rename(inside, path, error) && tree_remove(stage, error);
}

static bool write_backup(const StepRun *run, const Judgement *it, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(it->path, RECIPE_MEMBER_MAX_BYTES, error);
	g_autofree char *backup = recipe_backup(run, it->current);
	g_autofree char *directory = g_path_get_dirname(backup);

	if (!bytes || !file_make_dirs(directory, 0700, NULL, error))
		return false;

	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(bytes, &size_bytes);
	return file_write(backup, data, size_bytes, 0600, error);
}

/* The file stays as the person left it; what we would have written lies beside it. */
static json_t *apply_offer(const StepRun *run, const Judgement *it, GBytes *bytes, GError **error)
{
	g_autofree char *offer = g_strconcat(it->path, OFFER_SUFFIX, NULL);
	g_autofree char *digest = file_digest_bytes(bytes);

	if (!step_file_write_staged(run, offer, bytes, 0644, error))
		return NULL;

	return json_pack("{s:s, s:s, s:s, s:[s]}", "path", it->path, "sha256", it->base, "offered",
	                 digest, "kept", it->path);
}

static json_t *apply_whole(const StepRun *run, const Judgement *it, GBytes *bytes, GError **error)
{
	mode_t fallback = run->step->kind == &step_kind_wrapper ? 0755 : 0644;
	mode_t mode = 0;

	if (!recipe_mode(run, fallback, &mode, error) ||
	    (it->probe == PROBE_PARTIAL && !write_backup(run, it, error)) ||
	    !step_file_write_staged(run, it->path, bytes, mode, error))
		return NULL;

	g_autofree char *digest = file_digest_bytes(bytes);
	return json_pack("{s:s, s:s}", "path", it->path, "sha256", digest);
}

json_t *step_file_apply(const StepRun *run, GError **error)
{
	g_auto(Judgement) it = { 0 };
	g_autoptr(GBytes) bytes = judge(run, &it, error) ? render(run, error) : NULL;

	if (!bytes)
		return NULL;
	if (it.probe == PROBE_BESIDE)
		return apply_offer(run, &it, bytes, error);
	if (it.probe != PROBE_FOREIGN && it.probe != PROBE_EDITED)
		return apply_whole(run, &it, bytes, error);

	fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s was changed by somebody just now",
	          it.path);
	return NULL;
}

const StepKind step_kind_file = {
	.name = "file",
	.verb = "write",
	.keys = keys,
	.weight = 1,
	.keeps_foreign = true,
	.probe = step_file_probe,
	.prepare = step_file_prepare,
	.apply = step_file_apply,
};

const StepKind step_kind_wrapper = {
	.name = "wrapper",
	.verb = "write",
	.keys = keys,
	.weight = 1,
	.probe = step_file_probe,
	.prepare = step_file_prepare,
	.apply = step_file_apply,
};
