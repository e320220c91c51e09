/* installer/undo_trees.c - primitives that take back whole trees
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/undo.h"
#include "installer/undo_parts.h"

/* A listing of 50,000 entries has about 10 MiB. */
#define LISTING_MAX_BYTES ((gsize)64 * 1024 * 1024)
#define TOKEN_MAX_BYTES 64

static bool token_is_valid(const char *token)
{
	gsize length = strlen(token);

	return length >= 1 && length <= TOKEN_MAX_BYTES &&
	       strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
	               length;
}

static const char *need_token(const json_t *part, GError **error)
{
	const char *token = json_need_text(part, "token", error);

	if (!token || token_is_valid(token))
		return token;

	fault_set(error, STATUS_FOREIGN, NULL, "an undo recipe has a malformed token");
	return NULL;
}

/* A directory of a lower layer, as in a container, cannot be renamed.  One that was renamed, but whose parent
 * could not be synchronized, has its new name all the same. */
bool undo_drop_tree(const char *path, const char *token, GError **error)
{
	g_autofree char *fresh = g_strdup_printf("%s.%s.new", path, token);

	if (!tree_remove(fresh, error))
		return false;
	if (!file_exists(path))
		return true;
	bool is_renamed = file_rename(path, fresh, NULL) || !file_exists(path);
	return is_renamed ? tree_remove(fresh, error) : undo_drop_marked(path, error);
}

static bool take_away(const Undo *undo, const char *path, const char *token, GError **error)
{
	g_autofree char *fresh = g_strdup_printf("%s.%s.new", path, token);
	g_autofree char *found = undo_tree_token(path);

	if (!file_exists(path) || g_strcmp0(found, token) == 0)
		return undo_drop_tree(path, token, error);
	if (!tree_remove(fresh, error))
		return false;
	if (!found && rmdir(path) == 0)
		return true; /* killed between the mark and the empty directory */

	if (undo)
		undo_leave(undo, path, "does not carry the mark of this step");
	return true;
}

/* A tree that was finished is taken apart by its listing, edits of a person kept; it is removed
 * as a whole only while there is none.  Without @undo nobody is told of another tree there. */
static bool take_tree(const Undo *undo, const json_t *part, const char *path, GError **error)
{
	const char *token = need_token(part, error);
	const char *unless = json_text(part, "unless");

	return token && ((unless && file_exists(unless)) || take_away(undo, path, token, error));
}

bool undo_remove_tree(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_tree_path(part, error);

	return path && take_tree(json_text(part, "unless") ? NULL : undo, part, path, error);
}

bool undo_restore_tree(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_tree_path(part, error);
	const char *backup = path ? undo_need_backup(part, error) : NULL;

	if (!backup || !take_tree(NULL, part, path, error))
		return false;

	g_autofree char *beside = g_strdup_printf("%s.%s.old", path, json_text(part, "token"));
	const char *from = file_exists(backup) ? backup : beside;
	if (!file_exists(from))
		return true; /* there was none, or it was not moved yet, or is back already */
	if (!file_exists(path))
		return file_rename(from, path, error);

	undo_leave(undo, from, "the older tree; edits of a person are in its place");
	return true;
}

/* A listing is a file that somebody could have changed. */
static bool check_listing(json_t *listing, const char *name, GError **error)
{
	const char *entry = NULL;
	json_t *value = NULL;

	json_object_foreach(listing, entry, value)
	{
		g_autofree char *rooted = g_strconcat("/", entry, NULL);
		g_autofree char *canonical = g_canonicalize_filename(rooted, "/");
		if (*entry == '/' || !g_str_equal(rooted, canonical)) {
			fault_set(error, STATUS_FOREIGN, NULL, "%s: bad entry", name);
			return false;
		}
	}

	return true;
}

static bool remove_parts(const Undo *undo, const char *path, const char *name, GError **error)
{
	g_autoptr(json_t) listing = json_read(name, LISTING_MAX_BYTES, error);
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);

	if (!listing || !check_listing(listing, name, error) ||
	    !tree_remove_listed(path, listing, kept, error))
		return false;

	for (guint i = 0; i < kept->len; i++)
		undo_leave(undo, kept->pdata[i], "changed or added since");
	return true;
}

bool undo_remove_listed(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_tree_path(part, error);
	const char *name = path ? undo_need_path(part, "listing", error) : NULL;

	if (!name)
		return false;
	if (!strstr(name, "/listings/"))
		return undo_refuse(error, name, "which is not a listing");
	if (!file_exists(name))
		return true;
	if (file_exists(path) && !undo_is_of_type(path, S_IFDIR))
		undo_leave(undo, path, "is no longer a directory");
	else if (file_exists(path) && !remove_parts(undo, path, name, error))
		return false;

	return file_remove(name, error);
}
