/* installer/txn_sweep.c - takes away what no run needs any more
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/tree.h"
#include "installer/receipt.h"
#include "installer/txn.h"
#include "installer/undo.h"

static bool names_stack_dir(const json_t *entry, const char *path)
{
	return g_strcmp0(json_text(entry, "stack_dir"), path) == 0;
}

static bool names_txn(const json_t *entry, const char *id)
{
	gsize i = 0;
	json_t *other = NULL;

	json_array_foreach(json_object_get(entry, "txns"), i,
	                   other) if (g_strcmp0(json_string_value(other), id) == 0) return true;

	return false;
}

/* Whether a stack of the receipt needs @path. */
static bool is_needed(const json_t *receipt, const char *path)
{
	g_autofree char *name = g_path_get_basename(path);
	const char *stack = NULL;
	json_t *entry = NULL;

	json_object_foreach(json_object_get(receipt, "stacks"), stack,
	                    entry) if (names_stack_dir(entry, path) ||
	                               names_txn(entry, name)) return true;

	return false;
}

typedef bool (*IsKept)(const json_t *receipt, const char *path);

/* Adds to @left what lies in @folder, but what @is_kept says. */
static void look_for(const char *folder, IsKept is_kept, const json_t *receipt, GPtrArray *left)
{
	g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
	const char *name = NULL;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *child = g_build_filename(folder, name, NULL);
		if (!is_kept(receipt, child))
			g_ptr_array_add(left, g_steal_pointer(&child));
	}
}

static bool is_backups(const json_t *receipt G_GNUC_UNUSED, const char *path)
{
	return g_str_has_suffix(path, "/backup");
}

/* Not what a write that was killed left: base/file.c begins such names with a dot. */
static bool is_backup(const json_t *receipt G_GNUC_UNUSED, const char *path)
{
	return strrchr(path, '/')[1] != '.';
}

static bool has_journal(const char *path)
{
	g_autofree char *journal = g_build_filename(path, "journal", NULL);

	return file_exists(journal);
}

/* A run that a stack needs has left its backups; what else it worked with is of no use. */
static void look_into_txns(const char *folder, const json_t *receipt, GPtrArray *left)
{
	g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
	const char *name = NULL;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *child = g_build_filename(folder, name, NULL);
		g_autofree char *backups = g_build_filename(child, "backup", NULL);
		if (has_journal(child))
			continue;
		if (!is_needed(receipt, child)) {
			g_ptr_array_add(left, g_steal_pointer(&child));
			continue;
		}
		look_for(child, is_backups, receipt, left);
		look_for(backups, is_backup, receipt, left);
	}
}

static bool has_mark(const char *path)
{
	g_autofree char *token = undo_tree_token(path);

	return token != NULL;
}

/* What a step replaced and what nobody changed: it was kept as long as the run could be taken back.
 * A receipt can be edited: only a tree that carries our mark goes. */
static bool discard_replaced(const json_t *entry, GError **error)
{
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(json_object_get(entry, "steps"), i, step)
	{
		const json_t *result = json_object_get(step, "result");
		g_auto(GStrv) paths = json_to_strv(json_object_get(result, "discard"));
		for (char **path = paths; *path; path++) {
			if (has_mark(*path) && !undo_drop_marked(*path, error))
				return false;
			(void)rmdir(*path); /* killed between the mark and the empty directory */
		}
	}

	return true;
}

void txn_find_leftovers(const char *state_dir, const json_t *receipt, GPtrArray *left)
{
	g_autofree char *txns = g_build_filename(state_dir, "txn", NULL);
	g_autofree char *stacks = g_build_filename(state_dir, "stacks", NULL);
	g_autofree char *unfinished = txn_find_unfinished(state_dir);

	look_into_txns(txns, receipt, left);
	if (!unfinished) /* it may need a definition that no receipt names yet */
		look_for(stacks, is_needed, receipt, left);
}

bool txn_sweep(const char *state_dir, GError **error)
{
	static const char *const folders[] = { "txn", "stacks", "listings" };
	g_autoptr(json_t) receipt = receipt_load(state_dir, error);
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(g_free);
	const char *name = NULL;
	json_t *entry = NULL;

	if (!receipt)
		return false;

	txn_find_leftovers(state_dir, receipt, left);
	for (guint i = 0; i < left->len; i++)
		if (!tree_remove(left->pdata[i], error))
			return false;
	json_object_foreach(json_object_get(receipt, "stacks"), name,
	                    entry) if (!discard_replaced(entry, error)) return false;
	receipt_sweep(state_dir, receipt);
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *folder = g_build_filename(state_dir, folders[i], NULL);
		(void)rmdir(folder); /* it stays while something is in it */
	}
	return true;
}
