/* installer/undo.c - executes recipes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/undo.h"

#include "base/fault.h"
#include "base/file.h"
#include "installer/handover.h"
#include "installer/package_manager.h"
#include "installer/repository.h"
#include "installer/undo_parts.h"

static bool packages_remove(const Undo *undo, const json_t *part, GError **error)
{
	return packages_undo(part, undo->host, undo->txn_dir, undo->left, error);
}

static bool compose_down(const Undo *undo, const json_t *part, GError **error)
{
	return compose_undo(part, undo->host, undo->txn_dir, undo->left, error);
}

static bool handover_remove(const Undo *undo G_GNUC_UNUSED, const json_t *part, GError **error)
{
	return undo_need_path(part, "generated", error) && handover_undo(part, error);
}

static bool repository_remove(const Undo *undo, const json_t *part, GError **error)
{
	return undo_need_path(part, "key_path", error) &&
	       undo_need_path(part, "source_path", error) &&
	       repository_undo(part, undo->left, error);
}

static bool noop(const Undo *undo, const json_t *part, GError **error)
{
	const char *text = json_need_text(part, "text", error);

	if (text)
		g_ptr_array_add(undo->left, g_strdup(text));
	return text != NULL;
}

typedef struct {
	const char *name;
	bool (*run)(const Undo *undo, const json_t *part, GError **error);
} Primitive;

static const Primitive primitive_table[] = {
	{ "unlink_if_hash", undo_unlink_if_hash },
	{ "restore_backup", undo_restore_backup },
	{ "unlink_link", undo_unlink_link },
	{ "rmdir_if_empty", undo_rmdir_if_empty },
	{ "remove_tree", undo_remove_tree },
	{ "restore_tree", undo_restore_tree },
	{ "remove_listed", undo_remove_listed },
	{ "packages_remove", packages_remove },
	{ "key_delete", undo_key_delete },
	{ "keystore_delete", undo_keystore_delete },
	{ "compose_down", compose_down },
	{ "noop", noop },
	{ "handover_remove", handover_remove },
	{ "service_stop", undo_service_stop },
	{ "service_resume", undo_service_resume },
	{ "model_delete", undo_model_delete },
	{ "repository_remove", repository_remove },
	{ "block_remove", undo_block_remove },
	{ "sysctl_restore", undo_sysctl_restore },
	{ "group_leave", undo_group_leave },
	{ "desktop_restore", undo_desktop_restore },
	{ "unlink", undo_unlink },
};

static const Primitive *find_primitive(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(primitive_table); i++)
		if (g_str_equal(primitive_table[i].name, name))
			return &primitive_table[i];

	return NULL;
}

bool undo_is_known(const char *name)
{
	return find_primitive(name) != NULL;
}

static bool check_recipe(const json_t *recipe, GError **error)
{
	gsize i = 0;
	json_t *part = NULL;

	if (!json_is_array(recipe)) {
		fault_set(error, STATUS_FOREIGN, NULL, "an undo recipe is not a list");
		return false;
	}
	json_array_foreach(recipe, i, part)
	{
		const char *name = json_text_or(part, "do", "(none)");
		if (undo_is_known(name))
			continue;
		fault_set(error, STATUS_FOREIGN,
		          "Use the version of slipway that wrote it, or a later one.",
		          "an undo recipe has the unknown action \"%s\"", name);
		return false;
	}

	return true;
}

bool undo_run(const json_t *recipe, const StepHost *host, const char *txn_dir, UndoReport *report,
              GError **error)
{
	g_return_val_if_fail(recipe && report && report->left, false);

	Undo undo = { .host = host, .txn_dir = txn_dir, .left = report->left };
	bool is_done = true;

	if (!check_recipe(recipe, error))
		return false;

	for (gsize i = json_array_size(recipe); i-- > 0;) {
		const json_t *part = json_array_get(recipe, i);
		g_autoptr(GError) failure = NULL;

		if (find_primitive(json_text(part, "do"))->run(&undo, part, &failure))
			continue;
		if (is_done)
			g_propagate_error(error, g_steal_pointer(&failure));
		else
			undo_leave(&undo, json_text_or(part, "path", "?"), failure->message);
		is_done = false;
	}

	return is_done;
}

static bool is_gone(const char *line)
{
	const char *end = g_strrstr(line, ": ");

	if (line[0] != '/' || !end)
		return false;

	g_autofree char *path = g_strndup(line, (gsize)(end - line));
	return !file_exists(path);
}

void undo_report_settle(UndoReport *report)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < report->left->len;) {
		const char *line = report->left->pdata[i];
		if (is_gone(line) || !g_hash_table_add(seen, g_strdup(line)))
			g_ptr_array_remove_index(report->left, i);
		else
			i++;
	}
}
