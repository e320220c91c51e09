/* installer/edit.c - small anchored edits of other people's files
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/edit.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"

#define FILE_MAX_BYTES ((gsize)4 * 1024 * 1024)

typedef struct {
	const char *root;
	const char *name;  /* of the edit file */
	GHashTable *texts; /* path in the tree -> GString: the file as edited so far */
	char **lines;      /* of the edit file */
	guint next;        /* index into lines */
	guint number;      /* of the edit, from 1 */
	const char *path;  /* (nullable): what "file:" said last */
} Editor;

static bool fail_syntax(const Editor *editor, GError **error, const char *why)
{
	fault_set(error, STATUS_CONFIG, NULL, "%s:%u: %s", editor->name, editor->next, why);
	return false;
}

static bool fail_match(const Editor *editor, GError **error, const char *why)
{
	fault_set(error, STATUS_DATA,
	          "The upstream code is not the one that this edit was written for.",
	          "edit %u of %s: %s: %s", editor->number, editor->name, editor->path, why);
	return false;
}

/* Whether no component on the way leads out of the tree: ".." or a symlink. */
static bool path_stays_inside(const char *root, const char *path)
{
	g_autofree char *rooted = g_strconcat("/", path, NULL);
	g_autofree char *canonical = g_canonicalize_filename(rooted, "/");

	if (!g_str_equal(rooted, canonical) || !*path || *path == '/' ||
	    g_str_has_prefix(path, ".git/"))
		return false;

	g_autofree char *parent = g_path_get_dirname(path);
	g_auto(GStrv) parts = g_strsplit(parent, "/", -1);
	g_autofree char *at = g_strdup(root);
	for (char **part = parts; *part; part++) {
		struct stat st;
		char *below = g_build_filename(at, *part, NULL);
		g_free(at);
		at = below;
		if (lstat(at, &st) == 0 && !S_ISDIR(st.st_mode))
			return false;
	}

	return true;
}

static GString *load(const Editor *editor, GError **error)
{
	GString *known = g_hash_table_lookup(editor->texts, editor->path);
	if (known)
		return known;

	g_autofree char *path = g_build_filename(editor->root, editor->path, NULL);
	struct stat st;
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		fail_match(editor, error, "there is no such file");
		return NULL;
	}

	g_autoptr(GBytes) bytes = file_read(path, FILE_MAX_BYTES, error);
	if (!bytes)
		return NULL;

	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(bytes, &size_bytes);
	known = g_string_new_len(data, (gssize)size_bytes);
	g_hash_table_insert(editor->texts, g_strdup(editor->path), known);
	return known;
}

/* The offset of the next place at or behind @from where @find stands as whole lines; -1: none. */
static gssize find_lines(const GString *text, const char *find, gsize from)
{
	gsize length = strlen(find);

	for (const char *at = text->str + from; (at = strstr(at, find)); at++) {
		bool starts = at == text->str || at[-1] == '\n';
		if (starts && (at[length] == '\n' || at[length] == '\0'))
			return at - text->str;
	}

	return -1;
}

static bool edit_one(Editor *editor, const char *find, const char *replace, GError **error)
{
	GString *text = load(editor, error);
	if (!text)
		return false;

	gssize at = find_lines(text, find, 0);
	if (at < 0)
		return fail_match(editor, error, "the lines to find are not there");
	if (find_lines(text, find, (gsize)at + 1) >= 0)
		return fail_match(editor, error, "the lines to find stand there more than once");

	gsize length = strlen(find);
	if (!*replace && text->str[(gsize)at + length] == '\n')
		length++;
	g_string_erase(text, at, (gssize)length);
	g_string_insert(text, at, replace);
	return true;
}

/* Takes lines until the one that is @end, joined. */
static char *take_until(Editor *editor, const char *end, GError **error)
{
	g_autoptr(GString) block = g_string_new(NULL);
	guint first = editor->next;

	for (; editor->lines[editor->next]; editor->next++) {
		const char *line = editor->lines[editor->next];
		if (g_str_equal(line, end)) {
			editor->next++;
			return g_string_free(g_steal_pointer(&block), FALSE);
		}
		if (editor->next > first)
			g_string_append_c(block, '\n');
		g_string_append(block, line);
	}

	g_autofree char *why = g_strdup_printf("\"%s\" is missing", end);
	fail_syntax(editor, error, why);
	return NULL;
}

static bool take_edit(Editor *editor, GError **error)
{
	editor->number++;
	if (!editor->path)
		return fail_syntax(editor, error, "\"--- find\" before \"file:\"");

	g_autofree char *find = take_until(editor, "--- replace", error);
	g_autofree char *replace = find ? take_until(editor, "--- end", error) : NULL;
	if (!replace)
		return false;
	if (!*find)
		return fail_syntax(editor, error, "nothing to find");

	return edit_one(editor, find, replace, error);
}

static bool take_line(Editor *editor, GError **error)
{
	char *line = editor->lines[editor->next++];

	if (g_str_equal(line, "--- find"))
		return take_edit(editor, error);
	if (!*line || *line == '#')
		return true;
	if (!g_str_has_prefix(line, "file:"))
		return fail_syntax(editor, error, "expected \"file:\" or \"--- find\"");

	editor->path = g_strstrip(line + strlen("file:"));
	return path_stays_inside(editor->root, editor->path) ||
	       fail_syntax(editor, error, "the path leaves the tree");
}

static bool write_all(const Editor *editor, GError **error)
{
	GHashTableIter iter;
	gpointer key = NULL;
	gpointer value = NULL;

	g_hash_table_iter_init(&iter, editor->texts);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const GString *text = value;
		g_autofree char *path = g_build_filename(editor->root, key, NULL);
		struct stat st;
		if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
			fault_set(error, STATUS_IO, NULL, "%s is gone", path);
			return false;
		}
		if (!file_write(path, text->str, text->len, st.st_mode & 0777, error))
			return false;
	}

	return true;
}

static void text_free(gpointer data)
{
	g_string_free(data, TRUE);
}

bool edit_apply(const char *root, GBytes *edits, const char *name, GError **error)
{
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(edits, &size_bytes);
	g_autofree char *text = g_strndup(data ? data : "", size_bytes);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GHashTable) texts =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, text_free);
	Editor editor = { .root = root, .name = name, .texts = texts, .lines = lines };

	if (strlen(text) != size_bytes)
		return fail_syntax(&editor, error, "a NUL byte");
	while (lines[editor.next])
		if (!take_line(&editor, error))
			return false;
	if (editor.number == 0)
		return fail_syntax(&editor, error, "no edit in it");

	return write_all(&editor, error);
}
