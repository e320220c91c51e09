/* installer/undo_parts.c - what the primitives share: which paths a recipe may name
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/undo_parts.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/paths.h"

void undo_leave(const Undo *undo, const char *path, const char *why)
{
	g_ptr_array_add(undo->left, g_strdup_printf("%s: %s", path, why));
}

bool undo_refuse(GError **error, const char *path, const char *why)
{
	fault_set(error, STATUS_FOREIGN, NULL, "an undo recipe names \"%s\", %s", path, why);
	return false;
}

static bool has_two_components(const char *path)
{
	const char *second = strchr(path + 1, '/');

	return second && second[1] != '\0';
}

bool undo_holds_home(const char *path)
{
	g_autofree char *home = g_canonicalize_filename(g_get_home_dir(), "/");

	return paths_is_below(home, path);
}

/* The path of a primitive: absolute, canonical, never a top-level directory. */
const char *undo_need_path(const json_t *part, const char *key, GError **error)
{
	const char *path = json_need_text(part, key, error);

	if (!path)
		return NULL;

	g_autofree char *canonical = g_canonicalize_filename(path, "/");
	if (path[0] == '/' && path[1] != '/' && g_str_equal(path, canonical) &&
	    has_two_components(path))
		return path;

	undo_refuse(error, path, "which is not a path that slipway makes");
	return NULL;
}

const char *undo_need_tree_path(const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);

	if (!path || !undo_holds_home(path))
		return path;

	undo_refuse(error, path, "which holds the home directory");
	return NULL;
}

/* Backups lie in the directory "backup" of a transaction, nowhere else. */
const char *undo_need_backup(const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "backup", error);
	g_autofree char *directory = path ? g_path_get_dirname(path) : NULL;

	if (!path || g_str_has_suffix(directory, "/backup"))
		return path;

	undo_refuse(error, path, "which is not a backup");
	return NULL;
}

bool undo_is_of_type(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}
