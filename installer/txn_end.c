/* installer/txn_end.c - how a transaction ends: committed, or taken back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/tree.h"
#include "installer/history.h"
#include "installer/receipt.h"
#include "installer/timeline.h"
#include "installer/txn.h"
#include "installer/undo.h"

bool txn_place_stack(Txn *txn, GError **error)
{
	Plan *plan = txn->plan;
	const char *origin = json_text_or(plan->identity, "origin", "");
	g_autofree char *parent = g_path_get_dirname(plan->stack_dir);

	if (file_exists(plan->stack_dir))
		return true;

	g_autoptr(StackBundle) bundle =
		stacks_open(g_str_equal(origin, "embedded") ? plan->stack : origin, error);
	if (!bundle)
		return false;
	if (g_strcmp0(stacks_digest(bundle), json_text(plan->identity, "digest")) != 0) {
		fault_set(error, STATUS_FOREIGN, "Run \"slipway rollback\", then install again.",
		          "the definition of %s changed since the run began", plan->stack);
		return false;
	}

	return file_make_dirs(parent, 0700, NULL, error) &&
	       stacks_unpack(bundle, plan->stack_dir, error);
}

static bool is_key_primitive(const json_t *primitive)
{
	const char *name = json_text_or(primitive, "do", "");

	return g_str_equal(name, "key_delete") || g_str_equal(name, "keystore_delete");
}

static bool has_to_stay(const Txn *txn, const json_t *primitive)
{
	bool is_model = g_str_equal(json_text_or(primitive, "do", ""), "model_delete");

	return (txn->is_key_kept && is_key_primitive(primitive)) ||
	       (txn->is_model_kept && is_model);
}

/* The recipe, less what has to stay. */
static json_t *recipe_to_run(const Txn *txn, const TxnStep *step)
{
	const json_t *undo = txn_step_undo(step);
	json_t *recipe = json_array();
	gsize i = 0;
	json_t *primitive = NULL;

	json_array_foreach(undo, i, primitive) if (!has_to_stay(txn, primitive))
		json_array_append(recipe, primitive);

	return recipe;
}

bool txn_undo_step(Txn *txn, TxnStep *step, GError **error)
{
	g_autoptr(json_t) recipe = recipe_to_run(txn, step);
	UndoReport report = { .left = txn->left };

	if (!txn_record(txn, step->id, TXN_STEP_UNDOING, NULL, error))
		return false;

	log_line("undo", "%s", step->id);
	if (!undo_run(recipe, txn->host, txn->dir, &report, error)) {
		g_prefix_error(error, "taking back step %s: ", step->id);
		return false;
	}

	return txn_record(txn, step->id, TXN_STEP_UNDONE, NULL, error);
}

/* What was undone before is undone once more: beside a step whose undoing failed, a directory was not
 * empty, and stayed. */
static bool has_something_to_undo(const TxnStep *step)
{
	return step->state != TXN_STEP_NONE && step->state != TXN_STEP_DEFERRED;
}

static void show_undo_board(Txn *txn)
{
	txn->progress = progress_new(txn->app->term, "Taking back");
	for (guint i = txn->steps->len; i-- > 0;) {
		const TxnStep *step = txn->steps->pdata[i];
		const PlanItem *item = txn->plan ? plan_find(txn->plan, step->id) : NULL;
		const json_t *record = receipt_step(txn->entry, step->id);

		const char *text = item ? item->step->text : json_text_or(record, "text", step->id);

		if (has_something_to_undo(step)) {
			progress_add(txn->progress, step->id, text, 1);
			timeline_add(txn->app->timeline, step->id, text, NULL);
		}
	}
}

static void show_undo(const Txn *txn, const TxnStep *step, ProgressState state, const char *detail)
{
	progress_set(txn->progress, step->id, state, -1, detail);
	timeline_set_undo(txn->app->timeline, step->id, state, detail);
}

bool txn_undo_all(Txn *txn, GError **error)
{
	g_autoptr(GError) first = NULL;

	show_undo_board(txn);
	for (guint i = txn->steps->len; i-- > 0;) {
		TxnStep *step = txn->steps->pdata[i];
		g_autoptr(GError) cause = NULL;

		if (!has_something_to_undo(step))
			continue;
		show_undo(txn, step, PROGRESS_RUNNING, "taking back");
		bool is_undone = txn_undo_step(txn, step, &cause);
		show_undo(txn, step, is_undone ? PROGRESS_UNDONE : PROGRESS_FAILED,
		          cause ? cause->message : NULL);
		if (!is_undone && !first)
			first = g_steal_pointer(&cause);
	}

	undo_report_settle(&(UndoReport){ .left = txn->left });
	g_clear_pointer(&txn->progress, progress_free);
	if (!first)
		return true;

	fault_set(error, STATUS_INCOMPLETE, "Mend that, then run \"slipway rollback\" again.", "%s",
	          first->message);
	return false;
}

/* Before the journal goes: a run is in the journal or in the history.  No reason to fail. */
static void remember(const Txn *txn, const char *end)
{
	const json_t *identity = txn->plan ? txn->plan->identity : txn->entry;
	g_autoptr(GError) cause = NULL;

	if (!txn->stack) /* killed before it had begun */
		return;

	json_t *run = json_pack("{s:s, s:s, s:s, s:s}", "id", txn->id, "command", txn->command,
	                        "stack", txn->stack, "end", end);
	json_put(run, "version", json_text(identity, "version"));
	json_put(run, "origin", json_text(identity, "origin"));
	json_put(run, "tool", VERSION);
	if (!history_append(txn->app->paths->state, run, &cause))
		log_line("history", "%s", cause->message);
}

/* Ends the transaction: with its journal it stops being unfinished.  What nobody needs any more
 * goes after that, so that a kill before leaves all that a rollback takes, and one after it only
 * leaves files for the next sweep. */
static bool clean_up(Txn *txn, const char *end, GError **error)
{
	g_autofree char *journal = g_build_filename(txn->dir, "journal", NULL);

	g_clear_pointer(&txn->journal, journal_free); /* and its ballast: there is room again */
	remember(txn, end);
	return file_remove(journal, error) && txn_sweep(txn->app->paths->state, error);
}

/* What the receipt said of the stack before the run, once more: for a run that was taken back after
 * its commit. */
static bool restore_receipt(Txn *txn, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(txn->app->paths->state, error);

	if (!receipt)
		return false;

	json_t *stacks = json_object_get(receipt, "stacks");
	if (txn->plan->receipt)
		json_object_set(stacks, txn->plan->stack, txn->plan->receipt);
	else
		json_object_del(stacks, txn->plan->stack);
	return receipt_write(txn->app->paths->state, receipt, error) &&
	       receipt_switch(txn->app->paths->state,
	                      json_integer_value(json_object_get(receipt, "generation")), error);
}

/* Returns: (transfer none) (nullable): what the receipt says of a step of the run, or of the one that it
 * replaced. */
static json_t *record_before(const Txn *txn, const TxnStep *step)
{
	const PlanItem *item = txn->plan ? plan_find(txn->plan, step->id) : NULL;

	return item ? receipt_step_before(txn->plan->receipt, step->id, item->step->inputs) : NULL;
}

/* A project that was taken down is started again as the receipt has it, once its files are back. */
static bool start_again(const Txn *txn, GError **error)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		const json_t *record = record_before(txn, txn->steps->pdata[i]);
		g_autoptr(Step) step = record ? step_from_json(record, NULL) : NULL;
		if (!step || step->kind != &step_kind_compose ||
		    json_flag(json_object_get(record, "result"), "is_down"))
			continue;

		StepRun run = { .step = step,
			        .txn_dir = txn->dir,
			        .token = txn->token,
			        .receipt = record,
			        .host = txn->host };
		g_autoptr(json_t) result = step->kind->apply(&run, error);
		if (!result)
			return false;
	}

	return true;
}

bool txn_roll_back(Txn *txn, GError **error)
{
	journal_drop_ballast(txn->journal);
	if (!journal_append(txn->journal, json_pack("{s:s}", "type", "rollback"), error))
		return false;

	cancel_suspend(true);
	bool is_done = txn_undo_all(txn, error) && start_again(txn, error) &&
	               (!txn->has_commit || restore_receipt(txn, error)) &&
	               journal_append(txn->journal, json_pack("{s:s}", "type", "aborted"), error) &&
	               clean_up(txn, "taken back", error);
	cancel_suspend(false);
	return is_done;
}

/* The new recipe of a step behind the one of the run before, so that taking it back goes through
 * both. */
static json_t *merged_undo(const json_t *old, const TxnStep *step)
{
	json_t *undo = json_array();
	const json_t *own = txn_step_undo(step);

	if (json_is_array(json_object_get(old, "undo")))
		json_array_extend(undo, json_object_get(old, "undo"));
	for (gsize i = 0; i < json_array_size(own); i++) {
		json_t *primitive = json_copy(json_array_get(own, i));
		json_object_del(primitive, "volumes"); /* from here on they hold data */
		json_array_append_new(undo, primitive);
	}
	return undo;
}

static json_t *step_record(const Txn *txn, const TxnStep *step, const json_t *old)
{
	const PlanItem *item = plan_find(txn->plan, step->id);
	g_autofree char *digest = step_digest(item->step);
	json_t *inputs = json_copy(item->step->inputs);
	json_t *result = json_copy(step->result);

	json_object_del(inputs, "replaces"); /* it is gone now */
	json_object_del(result, "undo");
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", step->id, "kind",
	                 item->step->kind->name, "text", item->step->text, "digest", digest,
	                 "inputs", inputs, "undo", merged_undo(old, step), "result", result);
}

/* Returns: whether a step of this run goes on with what the record @id was about. */
static bool is_replaced(const Txn *txn, const char *id)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		const TxnStep *step = txn->steps->pdata[i];
		const PlanItem *item = plan_find(txn->plan, step->id);
		if (item && step->state == TXN_STEP_DONE &&
		    g_strcmp0(json_text(item->step->inputs, "replaces"), id) == 0)
			return true;
	}

	return false;
}

/* The steps of the receipt: those of earlier runs in their order, then those of this one. */
static json_t *merged_steps(const Txn *txn)
{
	const json_t *before = json_object_get(txn->plan->receipt, "steps");
	json_t *steps = json_array();
	gsize i = 0;
	json_t *old = NULL;

	json_array_foreach(before, i, old)
	{
		const char *id = json_text_or(old, "id", "");
		const TxnStep *step = txn_find_step(txn, id);
		bool is_new = step && step->state == TXN_STEP_DONE;
		if (is_new)
			json_array_append_new(steps, step_record(txn, step, old));
		else if (!is_replaced(txn, id))
			json_array_append(steps, old);
	}
	for (guint j = 0; j < txn->steps->len; j++) {
		const TxnStep *step = txn->steps->pdata[j];
		if (step->state == TXN_STEP_DONE && !receipt_step(txn->plan->receipt, step->id))
			json_array_append_new(steps,
			                      step_record(txn, step, record_before(txn, step)));
	}

	return steps;
}

static json_t *deferred_list(const Plan *plan)
{
	json_t *list = json_array();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (item->deferred)
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:s}", "id", item->step->id, "text",
			                        item->step->text, "why", item->deferred));
	}

	return list;
}

static bool has_backup(const Txn *txn)
{
	g_autofree char *path = g_build_filename(txn->dir, "backup", NULL);
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);

	return directory && g_dir_read_name(directory);
}

static json_t *make_entry(const Txn *txn)
{
	const Plan *plan = txn->plan;
	json_t *old_txns = json_object_get(plan->receipt, "txns");
	json_t *txns = old_txns ? json_copy(old_txns) : json_array();
	json_t *entry = plan->receipt ? json_copy(plan->receipt) : json_object();

	if (has_backup(txn))
		json_array_append_new(txns, json_string(txn->id));
	json_object_update(entry, plan->identity);
	json_put(entry, "title", plan->title);
	json_put(entry, "profile", plan->profile);
	json_put(entry, "prefix", plan->prefix);
	json_put(entry, "stack_dir", plan->stack_dir);
	json_object_set_new(entry, "txns", txns);
	json_object_set_new(entry, "deferred", deferred_list(plan));
	json_object_set(entry, "tests", plan->tests);
	json_object_set_new(entry, "steps", merged_steps(txn));
	return entry;
}

static bool write_commit(Txn *txn, json_t *receipt, GError **error)
{
	if (!receipt_write(txn->app->paths->state, receipt, error))
		return false;

	txn->generation = json_integer_value(json_object_get(receipt, "generation"));
	json_t *record = json_pack("{s:s, s:I}", "type", "commit", "generation", txn->generation);
	if (!journal_append(txn->journal, record, error))
		return false;

	txn->has_commit = true;
	return true;
}

static void hand_over(json_t *heir, json_t *step)
{
	json_t *own = receipt_step(heir, json_text_or(step, "id", ""));

	if (own)
		json_array_extend(json_object_get(own, "undo"), json_object_get(step, "undo"));
	else
		json_array_insert(json_object_get(heir, "steps"), 0, step);
}

/* Packages that another installed stack relies on are handed over to it, not removed; so is the
 * repository that they came from. */
static void hand_over_packages(json_t *receipt, const Txn *txn)
{
	json_t *packages = receipt_step(txn->entry, "packages");
	json_t *repository = receipt_step(txn->entry, "repository");
	json_t *heir = receipt_other_stack(receipt, txn->stack ? txn->stack : "");

	if (!packages || !heir)
		return;

	hand_over(heir, packages);
	if (repository)
		hand_over(heir, repository);
	json_array_extend(json_object_get(heir, "txns"), json_object_get(txn->entry, "txns"));
}

bool txn_commit(Txn *txn, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(txn->app->paths->state, error);

	if (!receipt)
		return false;

	json_t *stacks = json_object_get(receipt, "stacks");
	if (txn->plan) {
		json_object_set_new(stacks, txn->plan->stack, make_entry(txn));
	} else {
		/* Nothing to lose where it is gone: a kill behind the commit record. */
		(void)json_object_del(stacks, txn->stack ? txn->stack : "");
		hand_over_packages(receipt, txn);
	}

	return write_commit(txn, receipt, error) && txn_finish(txn, error);
}

bool txn_finish(Txn *txn, GError **error)
{
	return receipt_switch(txn->app->paths->state, txn->generation, error) &&
	       clean_up(txn, "done", error);
}
