/* installer/undo_mark.c - the mark by which we know a tree that we made
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/undo.h"

/* A token has at most 64 bytes. */
#define MARK_MAX_BYTES 256

char *undo_tree_token(const char *path)
{
	g_autofree char *mark = g_build_filename(path, UNDO_MARK, NULL);
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || lstat(mark, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return NULL;

	g_autoptr(GBytes) bytes = file_read(mark, MARK_MAX_BYTES, NULL);
	if (!bytes || g_bytes_get_size(bytes) == 0)
		return NULL;

	return g_strstrip(g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)));
}

/* Whether the directory holds nothing but the mark. */
static bool is_fresh(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (dir && (name = g_dir_read_name(dir)))
		if (!g_str_equal(name, UNDO_MARK))
			return false;

	return dir != NULL;
}

bool undo_mark_tree(const char *path, const char *token, GError **error)
{
	if (file_exists(path)) {
		g_autofree char *found = undo_tree_token(path);
		if (g_strcmp0(found, token) == 0 && is_fresh(path))
			return true;
		fault_set(error, STATUS_CANNOT_CREATE, NULL, "%s is in the way", path);
		return false;
	}

	g_autofree char *fresh = g_strdup_printf("%s.%s.new", path, token);
	g_autofree char *mark = g_build_filename(fresh, UNDO_MARK, NULL);
	g_autofree char *line = g_strconcat(token, "\n", NULL);

	return tree_remove(fresh, error) && file_make_dirs(fresh, 0755, NULL, error) &&
	       file_write(mark, line, strlen(line), 0644, error) && file_rename(fresh, path, error);
}

bool undo_drop_marked(const char *path, GError **error)
{
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		if (!g_str_equal(name, UNDO_MARK) && !tree_remove(child, error))
			return false;
	}

	return tree_remove(path, error);
}
