/* installer/command_uninstall.c - "slipway uninstall"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"
#include "base/fault.h"
#include "installer/deploy_state.h"
#include "installer/receipt.h"
#include "installer/session.h"
#include "installer/timeline.h"

static gboolean is_key_removed;
static gboolean is_model_removed;

const GOptionEntry command_uninstall_options[] = {
	{ "keys", 0, 0, G_OPTION_ARG_NONE, &is_key_removed,
	  "remove the generated keys of the stack too", NULL },
	{ "models", 0, 0, G_OPTION_ARG_NONE, &is_model_removed,
	  "remove the models that were pulled for the stack too", NULL },
	{ 0 },
};

/* What stays because it is the user's or this program's own, with the reason. */
static json_t *kept_list(const Txn *txn)
{
	const Paths *paths = txn->app->paths;
	json_t *kept = json_array();

	json_array_append_new(kept, json_pack("{s:s, s:s}", "path", paths->state, "why",
	                                      "logs and state of slipway"));
	if (txn->is_key_kept)
		json_array_append_new(kept, json_pack("{s:s, s:s}", "path", paths->data, "why",
		                                      "keystore; --keys removes generated keys"));
	return kept;
}

/* Paths that a package manager changes by itself: caches, logs, its database. */
static json_t *side_effects(const Txn *txn)
{
	json_t *list = json_array();

	for (guint i = 0; i < txn->steps->len; i++) {
		const TxnStep *step = txn->steps->pdata[i];
		json_t *paths = json_object_get(step->result, "managers_side_effects");
		if (paths)
			json_array_extend(list, paths);
	}

	return list;
}

static bool forget_deployments(const Txn *txn, GError **error)
{
	return !txn->stack || deploy_forget(txn->app->paths->state, txn->stack, error);
}

bool uninstall_run(Txn *txn, GError **error)
{
	App *app = txn->app;

	session_put(app, "kept", kept_list(txn));
	session_put(app, "side_effects", side_effects(txn));
	if (!session_acquire_undo(txn, error))
		return false;

	cancel_suspend(true);
	bool is_done = txn_undo_all(txn, error) && forget_deployments(txn, error) &&
	               txn_commit(txn, error);
	cancel_suspend(false);
	if (!is_done)
		return false;

	session_put(app, "changed", json_true());
	session_report_left(txn->app, txn->left);
	return true;
}

static bool has_kind(const json_t *steps, const char *kind)
{
	for (gsize i = 0; i < json_array_size(steps); i++)
		if (g_str_equal(json_text_or(json_array_get(steps, i), "kind", ""), kind))
			return true;

	return false;
}

static void print_intent(App *app, const json_t *entry)
{
	const json_t *steps = json_object_get(entry, "steps");

	term_print(app->term, "Uninstalling %s from %s takes back:\n",
	           json_text_or(entry, "title", "it"), json_text_or(entry, "prefix", "?"));
	for (gsize i = json_array_size(steps); i-- > 0;)
		term_print(app->term, "  %s\n",
		           json_text_or(json_array_get(steps, i), "text", "?"));
	if (!is_key_removed && has_kind(steps, "key"))
		term_print(app->term,
		           "Keys stay in the keystore; --keys removes the generated ones.\n");
	if (!is_model_removed && has_kind(steps, "model"))
		term_print(app->term,
		           "Models stay where Ollama keeps them; --models removes them.\n");
}

bool uninstall_now(App *app, const char *name, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);
	const json_t *entry = receipt ? receipt_stack(receipt, name) : NULL;

	if (!receipt)
		return false;
	if (!entry) {
		g_autofree char *nearest = receipt_nearest_stack(receipt, name);

		session_put(app, "changed", json_false());
		term_print(app->term, "%s is not installed; nothing to do%s\n", name,
		           *nearest ? nearest : ".");
		return true;
	}

	print_intent(app, entry);
	if (!session_confirm(app, "Take it back?", error))
		return false;

	g_autoptr(Lock) lock = session_begin(app, "uninstall", error);
	g_autoptr(HostState) host = lock ? host_new(app, NULL, error) : NULL;
	if (!host || !session_settle(app, host_get(host), error))
		return false;

	TxnKept keeps = { .has_keys = !is_key_removed, .has_models = !is_model_removed };
	g_autoptr(Txn) txn = txn_begin_uninstall(app, host_get(host), name, keeps, error);
	if (!txn || !uninstall_run(txn, error))
		return false;

	term_print(app->term, "%s was uninstalled.\n", json_text_or(entry, "title", name));
	return true;
}

bool command_uninstall(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	return timeline_open(app, "uninstall", argv, error) &&
	       timeline_close(app, uninstall_now(app, argv[0], error), error);
}
