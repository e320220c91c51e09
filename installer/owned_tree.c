/* installer/owned_tree.c - a directory tree that one step makes, and replaces as a whole
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/owned_tree.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/recipe.h"
#include "installer/undo.h"

#define LISTING_NAME "files.json"
#define LISTING_MAX_BYTES ((gsize)64 * 1024 * 1024)
/* A digest in hex and a line break. */
#define COMPLETE_MAX_BYTES 80

static char *beside_path(const StepRun *run, const char *path)
{
	return g_strdup_printf("%s.%s.old", path, run->token);
}

static char *backup_path(const StepRun *run)
{
	g_autofree char *name = g_strdup_printf("%s-%s", run->step->id, run->token);

	return recipe_backup(run, name);
}

/* STATE/listings/ID-TOKEN: a marked directory, so that it can be removed whatever is in it. */
static char *listing_dir(const StepRun *run)
{
	const char *state = json_text(json_object_get(run->step->inputs, "vars"), "state");
	g_autofree char *name = g_strdup_printf("%s-%s", run->step->id, run->token);

	return g_build_filename(state ? state : run->txn_dir, "listings", name, NULL);
}

bool owned_tree_is_complete(const StepRun *run, const char *path)
{
	g_autofree char *name = g_build_filename(path, OWNED_TREE_COMPLETE, NULL);
	g_autofree char *digest = step_digest(run->step);
	g_autofree char *token = undo_tree_token(path);
	g_autoptr(GBytes) bytes = token ? file_read(name, COMPLETE_MAX_BYTES, NULL) : NULL;

	if (!bytes)
		return false;

	g_autofree char *found = recipe_text(bytes);
	return g_str_equal(g_strchomp(found), digest);
}

Probe owned_tree_probe(const StepRun *run, const char *path)
{
	const json_t *result = json_object_get(run->receipt, "result");
	const char *listing = json_text(result, "listing");

	if (!file_exists(path))
		return PROBE_ABSENT;

	g_autofree char *token = undo_tree_token(path);
	if (!token)
		return PROBE_FOREIGN;

	bool is_whole = listing && file_exists(listing) && recipe_is_recorded(run) &&
	                owned_tree_is_complete(run, path);
	return is_whole ? PROBE_OURS : PROBE_PARTIAL;
}

json_t *owned_tree_recipe(const StepRun *run, const char *path)
{
	json_t *recipe = json_array();
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *stage = recipe_stage(run, path);
	g_autofree char *directory = listing_dir(run);
	g_autofree char *listings = g_path_get_dirname(directory);
	g_autofree char *listing = g_build_filename(directory, LISTING_NAME, NULL);
	g_autofree char *backup = backup_path(run);
	const char *verb = file_exists(path) ? "restore_tree" : "remove_tree";

	recipe_add_missing_dirs(recipe, parent);
	recipe_add_missing_dirs(recipe, listings);
	recipe_add(recipe, "remove_tree", "path", directory, "token", run->token, "unless", listing,
	           NULL);
	recipe_add(recipe, verb, "path", path, "backup", backup, "token", run->token, "unless",
	           listing, NULL);
	recipe_add(recipe, "remove_listed", "path", path, "listing", listing, NULL);
	recipe_add(recipe, "remove_tree", "path", stage, "token", run->token, NULL);
	return recipe;
}

char *owned_tree_stage(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *stage = recipe_stage(run, path);

	if (!file_make_dirs(parent, 0755, NULL, error) ||
	    !undo_drop_tree(stage, run->token, error) || !undo_mark_tree(stage, run->token, error))
		return NULL;

	return g_build_filename(stage, "tree", NULL);
}

/* Whether a person changed or added something since the receipt's listing was made. */
static bool is_edited(const StepRun *run, const char *path)
{
	const char *name = json_text(json_object_get(run->receipt, "result"), "listing");
	g_autoptr(json_t) listing = name ? json_read(name, LISTING_MAX_BYTES, NULL) : NULL;
	g_autoptr(json_t) now = listing ? tree_list(path, NULL) : NULL;
	const char *entry = NULL;
	json_t *value = NULL;

	json_object_foreach(
		now, entry,
		value) if (!json_equal(value, json_object_get(listing, entry))) return true;

	return false;
}

/* Our half-built tree of this very run is dropped; an older tree goes to the transaction's backups,
 * or stays beside the new one when that is another file system or a person has worked in it. */
static bool move_aside(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *token = undo_tree_token(path);

	if (!file_exists(path) || g_strcmp0(token, run->token) == 0)
		return undo_drop_tree(path, run->token, error);
	if (!token) {
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s is in the way", path);
		return false;
	}

	g_autofree char *backup = backup_path(run);
	g_autofree char *backups = g_path_get_dirname(backup);
	g_autofree char *beside = beside_path(run, path);
	if (!file_make_dirs(backups, 0700, NULL, error))
		return false;

	return (!is_edited(run, path) && file_rename(path, backup, NULL)) ||
	       file_rename(path, beside, error);
}

static bool write_line(const char *directory, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	return file_write(path, line, strlen(line), 0644, error);
}

bool owned_tree_finish(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *digest = step_digest(run->step);

	return tree_sync(path, error) && write_line(path, OWNED_TREE_COMPLETE, digest, error);
}

bool owned_tree_place(const StepRun *run, const char *path, const char *staged, GError **error)
{
	return write_line(staged, UNDO_MARK, run->token, error) &&
	       owned_tree_finish(run, staged, error) && move_aside(run, path, error) &&
	       file_rename(staged, path, error);
}

bool owned_tree_begin(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);

	return file_make_dirs(parent, 0755, NULL, error) && move_aside(run, path, error) &&
	       undo_mark_tree(path, run->token, error);
}

static char *write_listing(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *directory = listing_dir(run);
	g_autofree char *parent = g_path_get_dirname(directory);
	g_autofree char *name = g_build_filename(directory, LISTING_NAME, NULL);
	g_autoptr(json_t) listing = tree_list(path, error);

	if (!listing || !file_make_dirs(parent, 0700, NULL, error) ||
	    !undo_drop_tree(directory, run->token, error) ||
	    !undo_mark_tree(directory, run->token, error))
		return NULL;

	g_autofree char *text = json_pretty(listing);
	if (!file_write(name, text, strlen(text), 0600, error))
		return NULL;

	return g_steal_pointer(&name);
}

json_t *owned_tree_result(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *stage = recipe_stage(run, path);
	g_autofree char *listing = write_listing(run, path, error);

	/* Here, so that a run that was killed right after the tree was placed does it too. */
	if (!listing || !undo_drop_tree(stage, run->token, error))
		return NULL;

	g_autofree char *backup = backup_path(run);
	g_autofree char *beside = beside_path(run, path);
	json_t *result = json_pack("{s:s, s:s}", "path", path, "listing", listing);
	if (file_exists(backup))
		json_object_set_new(result, "discard", json_pack("[s]", backup));
	else if (file_exists(beside))
		json_object_set_new(result, is_edited(run, beside) ? "kept" : "discard",
		                    json_pack("[s]", beside));
	return result;
}
