/* installer/undo_files.c - primitives that take back files, links and directories
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/undo_parts.h"

#define BACKUP_MAX_BYTES ((gsize)64 * 1024 * 1024)

/* Says whether @path holds what we wrote.  Leaves it, and says so, if somebody changed it. */
static bool is_untouched(const Undo *undo, const char *path, const char *sha256, bool *is_ours,
                         GError **error)
{
	*is_ours = false;
	if (!undo_is_of_type(path, S_IFREG)) {
		undo_leave(undo, path, "is no longer the file that was written");
		return true;
	}

	g_autofree char *found = file_digest(path, error);
	if (!found)
		return false;

	*is_ours = g_str_equal(found, sha256);
	if (!*is_ours)
		undo_leave(undo, path, "changed since it was written");
	return true;
}

bool undo_unlink_if_hash(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	const char *sha256 = path ? json_need_text(part, "sha256", error) : NULL;
	bool is_ours = false;

	if (!sha256)
		return false;
	if (!file_exists(path))
		return true;

	return is_untouched(undo, path, sha256, &is_ours, error) &&
	       (!is_ours || file_remove(path, error));
}

bool undo_unlink(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);

	if (!path)
		return false;
	if (undo_is_of_type(path, S_IFREG) || !file_exists(path))
		return file_remove(path, error);

	undo_leave(undo, path, "is no longer the file that was written");
	return true;
}

/* Where what goes to @path is written. */
static char *stage_of(const char *path)
{
	return g_strdup_printf("%s.slipway-undo", path);
}

bool undo_clear_stage(const char *path, GError **error)
{
	g_autofree char *stage = stage_of(path);

	return tree_remove(stage, error);
}

bool undo_put_back(const char *path, GBytes *bytes, mode_t mode, GError **error)
{
	g_autofree char *stage = stage_of(path);
	g_autofree char *inside = g_build_filename(stage, "file", NULL);
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(bytes, &size_bytes);

	return file_make_dirs(stage, 0700, NULL, error) &&
	       file_write(inside, data, size_bytes, mode, error) &&
	       file_rename(inside, path, error) && tree_remove(stage, error);
}

/* A backup is named by its own digest; one that does not match is not put anywhere. */
static GBytes *read_backup(const char *backup, GError **error)
{
	g_autoptr(GBytes) bytes = file_read(backup, BACKUP_MAX_BYTES, error);
	if (!bytes)
		return NULL;

	g_autofree char *digest = file_digest_bytes(bytes);
	g_autofree char *name = g_path_get_basename(backup);
	if (g_str_equal(digest, name))
		return g_steal_pointer(&bytes);

	fault_set(error, STATUS_UNTRUSTED, NULL, "the backup %s is damaged", backup);
	return NULL;
}

static bool restore_file(const Undo *undo, const json_t *part, const char *path, GError **error)
{
	const char *backup = undo_need_backup(part, error);
	json_int_t mode = json_integer_value(json_object_get(part, "mode"));

	if (!backup)
		return false;
	if (!file_exists(backup)) {
		undo_leave(undo, path, "the copy of what was there before is gone");
		return true;
	}

	g_autoptr(GBytes) bytes = read_backup(backup, error);
	return bytes && undo_put_back(path, bytes, (mode_t)(mode & 0777), error);
}

bool undo_restore_backup(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	const char *sha256 = path ? json_need_text(part, "sha256", error) : NULL;
	const char *backup = sha256 ? json_need_text(part, "backup", error) : NULL;
	bool is_ours = false;

	if (!backup)
		return false;
	if (!undo_clear_stage(path, error)) /* of a run that was killed after the rename */
		return false;
	if (!file_exists(path))
		return true; /* a person removed it since: that is an edit too */

	g_autofree char *before = g_path_get_basename(backup);
	g_autofree char *now =
		undo_is_of_type(path, S_IFREG) ? file_digest(path, error) : g_strdup("");
	if (!now)
		return false;
	if (g_str_equal(now, before))
		return true;

	return is_untouched(undo, path, sha256, &is_ours, error) &&
	       (!is_ours || restore_file(undo, part, path, error));
}

bool undo_unlink_link(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	const char *target = path ? json_need_text(part, "target", error) : NULL;

	if (!target)
		return false;
	if (!file_exists(path))
		return true;

	g_autofree char *found = g_file_read_link(path, NULL);
	if (g_strcmp0(found, target) == 0)
		return file_remove(path, error);

	undo_leave(undo, path, "is no longer the link that was made");
	return true;
}

bool undo_rmdir_if_empty(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = json_need_text(part, "path", error);

	if (!path)
		return false;

	g_autofree char *canonical = g_canonicalize_filename(path, "/");
	if (!g_str_equal(path, canonical) || undo_holds_home(path))
		return undo_refuse(error, path, "which is not a directory that slipway makes");
	if (rmdir(path) == 0) {
		g_autofree char *parent = g_path_get_dirname(path);
		return file_sync_dir(parent, error);
	}
	if (errno == ENOENT)
		return true;

	int errnum = errno;
	if (errnum == ENOTEMPTY || errnum == EEXIST || errnum == EBUSY || errnum == ENOTDIR) {
		undo_leave(undo, path, errnum == EBUSY ? "is in use" : "is not empty");
		return true;
	}
	fault_set_errno(error, errnum, "cannot remove the directory %s", path);
	return false;
}
