/* installer/step_desktop.c - step kind "desktop": settings of Docker Desktop, changed while it is stopped
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "installer/desktop.h"
#include "installer/recipe.h"
#include "installer/step_file.h"
#include "installer/undo_parts.h"

/* In the transaction's directory: Docker Desktop ran, and is to be started again. */
#define MARK "desktop-ran"
#define BACKUP "desktop-settings.json"

static const char *const keys[] = { NULL };

/** What the step is to do, and what is there. */
typedef struct {
	const char *path;
	const json_t *wanted;
	json_t *settings;
} DesktopLook;

static void look_clear(DesktopLook *look)
{
	json_decref(look->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DesktopLook, look_clear)

static bool look_at(const StepRun *run, DesktopLook *look, GError **error)
{
	look->path = recipe_input(run, "path", error);
	look->wanted = json_object_get(run->step->inputs, "wanted");
	look->settings = look->path ? desktop_read(look->path, error) : NULL;
	return look->settings != NULL;
}

/* What somebody has set otherwise since is offered once more. */
static bool probe_desktop(const StepRun *run, Probe *probe, GError **error)
{
	g_auto(DesktopLook) look = { 0 };

	if (!look_at(run, &look, error))
		return false;
	*probe = desktop_has(look.settings, look.wanted) ? PROBE_OURS : PROBE_PARTIAL;
	return true;
}

static json_t *prepare_desktop(const StepRun *run, GError **error)
{
	g_auto(DesktopLook) look = { 0 };

	if (!look_at(run, &look, error))
		return NULL;

	g_autofree char *stage = recipe_stage(run, look.path);
	json_t *recipe = json_pack("[{s:s, s:s, s:O, s:o}]", "do", "desktop_restore", "path",
	                           look.path, "wanted", look.wanted, "before",
	                           desktop_pick(look.settings, look.wanted));
	recipe_add(recipe, "remove_tree", "path", stage, "token", run->token, NULL);
	return recipe;
}

static char *mark_of(const char *txn_dir)
{
	return g_build_filename(txn_dir, MARK, NULL);
}

static bool is_marked(const char *txn_dir)
{
	g_autofree char *mark = mark_of(txn_dir);

	return file_exists(mark);
}

/* The mark first: who dies behind it leaves word that Docker Desktop ran.  One that nobody can stop runs on. */
static bool stop_marked(const char *txn_dir, GError **error)
{
	g_autofree char *mark = mark_of(txn_dir);
	g_autoptr(GError) cause = NULL;

	if (!desktop_is_running())
		return true;
	if (!file_write(mark, "", 0, 0600, error))
		return false;
	if (desktop_stop(&cause))
		return true;
	if (fault_status(cause) == STATUS_CANNOT_CREATE && !file_remove(mark, error))
		return false;
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static bool start_marked(const char *txn_dir, GError **error)
{
	g_autofree char *mark = mark_of(txn_dir);

	if (!is_marked(txn_dir))
		return true;
	return (desktop_is_running() || desktop_start(error)) && file_remove(mark, error);
}

/* The first backup stays: it has what was there before this run. */
static bool write_backup(const StepRun *run, const char *path, GError **error)
{
	g_autofree char *backup = recipe_backup(run, BACKUP);
	g_autofree char *directory = g_path_get_dirname(backup);
	g_autoptr(GBytes) bytes = NULL;
	gsize size_bytes = 0;

	if (file_exists(backup))
		return true;
	bytes = file_read(path, RECIPE_MEMBER_MAX_BYTES, error);
	if (!bytes || !file_make_dirs(directory, 0700, NULL, error))
		return false;

	const void *data = g_bytes_get_data(bytes, &size_bytes);
	return file_write(backup, data, size_bytes, 0600, error);
}

static bool change(const StepRun *run, GError **error)
{
	g_auto(DesktopLook) look = { 0 };
	struct stat st = { .st_mode = 0600 };

	if (!look_at(run, &look, error) || !write_backup(run, look.path, error))
		return false;

	(void)lstat(look.path, &st);
	desktop_patch(look.settings, look.wanted);
	g_autofree char *text = json_pretty(look.settings);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	return step_file_write_staged(run, look.path, bytes, st.st_mode & 0777, error);
}

/* Docker Desktop puts a setting that it does not take back to what it likes. */
static bool check_taken(const StepRun *run, GError **error)
{
	g_auto(DesktopLook) look = { 0 };

	if (!look_at(run, &look, error))
		return false;
	if (desktop_has(look.settings, look.wanted))
		return true;
	fault_set(error, STATUS_CANNOT_CREATE, "Change them in Docker Desktop's own window.",
	          "Docker Desktop did not keep the settings");
	return false;
}

static json_t *apply_desktop(const StepRun *run, GError **error)
{
	const char *path = recipe_input(run, "path", error);

	if (!path)
		return NULL;
	recipe_report(run, -1, "stopping Docker Desktop");
	if (!stop_marked(run->txn_dir, error) || !change(run, error))
		return NULL;
	recipe_report(run, -1, "starting Docker Desktop");
	if (!start_marked(run->txn_dir, error) || !check_taken(run, error))
		return NULL;

	g_autofree char *backup = recipe_backup(run, BACKUP);
	return json_pack("{s:s, s:s}", "path", path, "backup", backup);
}

static bool put_back(const char *path, json_t *settings, GError **error)
{
	g_autofree char *text = json_pretty(settings);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	struct stat st = { .st_mode = 0600 };

	(void)lstat(path, &st);
	return undo_put_back(path, bytes, st.st_mode & 0777, error);
}

/* @is_tried: only looks whether there is something to take back. */
static bool restore(const char *path, const json_t *part, bool is_tried, bool *is_changed,
                    GError **error)
{
	g_autoptr(json_t) settings = desktop_read(path, error);

	if (!settings)
		return false;
	*is_changed = desktop_unpatch(settings, json_object_get(part, "wanted"),
	                              json_object_get(part, "before"));
	return !*is_changed || is_tried || put_back(path, settings, error);
}

/* With the mark there it may be stopping just now, although it still answers: that has to end first.
 * Stopped, Docker Desktop has written down what it had in memory: it is read once more. */
static bool restore_stopped(const Undo *undo, const char *path, const json_t *part, GError **error)
{
	bool is_changed = false;

	return stop_marked(undo->txn_dir, error) && restore(path, part, false, &is_changed, error);
}

bool undo_desktop_restore(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	bool is_changed = false;

	if (!path || !undo_clear_stage(path, error))
		return false;
	if (!file_exists(path)) /* Docker Desktop is gone, or was reset */
		return true;
	if (!restore(path, part, true, &is_changed, error) ||
	    ((is_changed || is_marked(undo->txn_dir)) && !restore_stopped(undo, path, part, error)))
		return false;
	return start_marked(undo->txn_dir, error);
}

const StepKind step_kind_desktop = {
	.name = "desktop",
	.verb = "change",
	.keys = keys,
	.weight = 60,
	.probe = probe_desktop,
	.prepare = prepare_desktop,
	.apply = apply_desktop,
};
