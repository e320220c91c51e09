/* installer/lifecycle_backup.c - a directory with the data of a project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/lifecycle_backup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"

#define MANIFEST "manifest.json"
#define MANIFEST_MAX_BYTES ((gsize)1024 * 1024)

void backup_free(Backup *backup)
{
	if (!backup)
		return;
	g_free(backup->directory);
	g_ptr_array_unref(backup->volumes);
	g_free(backup);
}

static char *file_of(const char *directory, const Volume *volume)
{
	g_autofree char *name = g_strconcat(volume->name, ".tar", NULL);

	return g_build_filename(directory, name, NULL);
}

static bool save_all(const LifeProject *project, const char *helper, const GPtrArray *volumes,
                     const char *directory, json_t *list, GError **error)
{
	for (guint i = 0; i < volumes->len; i++) {
		const Volume *volume = volumes->pdata[i];
		g_autofree char *path = file_of(directory, volume);
		VolumeFile file = { 0 };

		if (!volume_save(project, helper, volume, path, &file, error))
			return false;
		json_t *entry = volume_to_json(volume);
		json_object_set_new(entry, "size_bytes", json_integer((json_int_t)file.size_bytes));
		json_put(entry, "sha256", file.sha256);
		g_free(file.sha256);
		json_array_append_new(list, entry);
	}
	return true;
}

static bool write_manifest(const Lifecycle *life, const LifeProject *project, const char *directory,
                           bool is_live, json_t *volumes, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *created = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	g_autoptr(json_t) manifest =
		json_pack("{s:i, s:s, s:s, s:s?, s:s, s:s, s:b, s:O}", "schema", BACKUP_SCHEMA,
	                  "stack", life->name, "title", life->title, "version",
	                  json_text(life->entry, "version"), "project", project->compose->project,
	                  "created", created, "is_live", is_live, "volumes", volumes);
	g_autofree char *text = json_pretty(manifest);
	g_autofree char *path = g_build_filename(directory, MANIFEST, NULL);

	return file_write(path, text, strlen(text), 0600, error);
}

static bool has_key(const GPtrArray *volumes, const char *key)
{
	for (guint i = 0; i < volumes->len; i++)
		if (g_str_equal(((const Volume *)volumes->pdata[i])->key, key))
			return true;
	return false;
}

/* Returns: (transfer full): the project's volumes, or those of @only. */
static GPtrArray *choose(const LifeProject *project, char *const *only, GError **error)
{
	g_autoptr(GPtrArray) volumes = volumes_list(project, error);

	for (char *const *key = only; volumes && key && *key; key++) {
		if (has_key(volumes, *key))
			continue;
		fault_set(error, STATUS_CONFIG, NULL, "there is no volume %s", *key);
		return NULL;
	}
	for (guint i = volumes && only ? volumes->len : 0; i-- > 0;) {
		const Volume *volume = volumes->pdata[i];
		if (!g_strv_contains((const char *const *)only, volume->key))
			g_ptr_array_remove_index(volumes, i);
	}
	return g_steal_pointer(&volumes);
}

static bool fill(const Lifecycle *life, const LifeProject *project, char *const *only,
                 const char *directory, bool is_live, GError **error)
{
	g_autoptr(GPtrArray) volumes = choose(project, only, error);
	g_autofree char *helper =
		volumes && volumes->len > 0 ? helper_make(project, volumes, error) : NULL;
	g_autoptr(json_t) list = json_array();

	if (!volumes || (volumes->len > 0 && !helper))
		return false;

	bool is_saved = save_all(project, helper, volumes, directory, list, error);
	cancel_suspend(true);
	bool is_removed = !helper || helper_remove(project, helper, is_saved ? error : NULL);
	cancel_suspend(false);
	return is_saved && is_removed &&
	       write_manifest(life, project, directory, is_live, list, error);
}

bool backup_write(const Lifecycle *life, const LifeProject *project, char *const *only,
                  const char *directory, bool is_live, GError **error)
{
	g_autofree char *part = g_strconcat(directory, ".slipway-part", NULL);

	/* What a killed run left has this name, and nothing else does. */
	if (!tree_remove(part, error))
		return false;
	if (mkdir(part, 0700) != 0) {
		fault_set_errno(error, errno, "cannot create %s", part);
		return false;
	}
	if (fill(life, project, only, part, is_live, error) && file_sync_dir(part, error) &&
	    file_rename(part, directory, error))
		return true;
	if (!tree_remove(part, NULL))
		g_prefix_error(error, "(what there is of it stays in %s) ", part);
	return false;
}

static bool check_volume(const char *directory, const json_t *entry, const Volume *volume,
                         GError **error)
{
	g_autofree char *path = file_of(directory, volume);
	g_autofree char *digest = file_digest(path, error);

	if (!digest)
		return false;
	if (g_strcmp0(digest, json_text(entry, "sha256")) == 0)
		return true;
	fault_set(error, STATUS_UNTRUSTED, NULL,
	          "%s is not what was backed up: its digest differs; nothing was changed", path);
	return false;
}

static bool read_volumes(const json_t *manifest, Backup *backup, GError **error)
{
	const json_t *list = json_object_get(manifest, "volumes");

	for (gsize i = 0; i < json_array_size(list); i++) {
		Volume *volume = volume_from_json(json_array_get(list, i));
		if (!volume) {
			fault_set(error, STATUS_DATA, NULL, "%s/" MANIFEST " names no good volume",
			          backup->directory);
			return false;
		}
		g_ptr_array_add(backup->volumes, volume);
		if (!check_volume(backup->directory, json_array_get(list, i), volume, error))
			return false;
	}
	return true;
}

static bool is_of(const Lifecycle *life, const json_t *manifest, GError **error)
{
	const LifeProject *project = life->projects->pdata[0];
	const char *name = json_text_or(manifest, "project", "?");

	if (json_integer_value(json_object_get(manifest, "schema")) != BACKUP_SCHEMA) {
		fault_set(error, STATUS_DATA, NULL, "this is no backup of ours, or of a later one");
		return false;
	}
	if (g_str_equal(json_text_or(manifest, "stack", ""), life->name) &&
	    g_str_equal(name, project->compose->project))
		return true;
	fault_set(error, STATUS_CONFIG, NULL, "this is a backup of %s (project %s)",
	          json_text_or(manifest, "stack", "?"), name);
	return false;
}

Backup *backup_open(const Lifecycle *life, const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, MANIFEST, NULL);
	g_autoptr(json_t) manifest = json_read(path, MANIFEST_MAX_BYTES, error);
	g_autoptr(Backup) backup = g_new0(Backup, 1);

	backup->directory = g_strdup(directory);
	backup->volumes = g_ptr_array_new_with_free_func(volume_free);
	if (!manifest || !is_of(life, manifest, error) || !read_volumes(manifest, backup, error)) {
		g_prefix_error(error, "%s: ", directory);
		return NULL;
	}
	return g_steal_pointer(&backup);
}

/* One that is there keeps what compose wrote onto it. */
static const Volume *as_it_is(const GPtrArray *present, const Volume *volume)
{
	for (guint i = 0; i < present->len; i++) {
		const Volume *one = present->pdata[i];
		if (g_str_equal(one->name, volume->name))
			return one;
	}
	return volume;
}

static bool renew_all(const Backup *backup, const LifeProject *project, GError **error)
{
	g_autoptr(GPtrArray) present = volumes_list(project, error);

	if (!present)
		return false;
	for (guint i = 0; i < backup->volumes->len; i++)
		if (!volume_renew(project, as_it_is(present, backup->volumes->pdata[i]), error))
			return false;
	return true;
}

static bool load_all(const Backup *backup, const LifeProject *project, const char *helper,
                     GError **error)
{
	for (guint i = 0; i < backup->volumes->len; i++) {
		const Volume *volume = backup->volumes->pdata[i];
		g_autofree char *path = file_of(backup->directory, volume);

		if (!volume_load(project, helper, volume, path, error))
			return false;
	}
	return true;
}

bool backup_load(const Backup *backup, const LifeProject *project, GError **error)
{
	g_autofree char *helper = NULL;

	if (backup->volumes->len == 0)
		return true;
	if (!renew_all(backup, project, error))
		return false;
	helper = helper_make(project, backup->volumes, error);
	if (!helper)
		return false;

	bool is_loaded = load_all(backup, project, helper, error);
	cancel_suspend(true);
	bool is_removed = helper_remove(project, helper, is_loaded ? error : NULL);
	cancel_suspend(false);
	return is_loaded && is_removed;
}
