/* installer/undo_block.c - the primitive that takes a fenced block out of a person's file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "installer/block.h"
#include "installer/recipe.h"
#include "installer/undo_parts.h"

#define FILE_MAX_BYTES ((gsize)1024 * 1024)

static bool is_ours(const char *text, const BlockPlace *place, const char *sha256)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text + place->start, place->end - place->start);
	g_autofree char *digest = file_digest_bytes(bytes);

	return g_str_equal(digest, sha256);
}

/* What a file that we made is without the block: nothing. */
static bool put_rest(const char *path, const char *rest, bool is_created, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(rest, strlen(rest));
	struct stat st = { .st_mode = 0644 };

	if (is_created && *rest == '\0')
		return file_remove(path, error);
	(void)lstat(path, &st);
	return undo_put_back(path, bytes, st.st_mode & 0777, error);
}

bool undo_block_remove(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	const char *name = path ? json_need_text(part, "name", error) : NULL;
	const char *sha256 = name ? json_need_text(part, "sha256", error) : NULL;
	BlockPlace place = { 0 };

	if (!sha256 || !undo_clear_stage(path, error))
		return false;
	if (!file_exists(path))
		return true;

	g_autoptr(GBytes) bytes =
		undo_is_of_type(path, S_IFREG) ? file_read(path, FILE_MAX_BYTES, NULL) : NULL;
	g_autofree char *text = bytes ? recipe_text(bytes) : g_strdup("");
	bool is_text = bytes && strlen(text) == g_bytes_get_size(bytes);
	BlockState state = is_text ? block_find(text, name, &place) : BLOCK_TORN;

	if (state == BLOCK_NONE)
		return true;
	if (state == BLOCK_TORN || !is_ours(text, &place, sha256)) {
		undo_leave(undo, path, "the block in it changed since it was written");
		return true;
	}

	g_autofree char *rest = block_take(text, &place, json_flag(part, "glued"));
	return put_rest(path, rest, json_flag(part, "created"), error);
}
