/* installer/command_recover.c - "slipway resume" and "slipway rollback"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/receipt.h"
#include "installer/session.h"
#include "installer/timeline.h"

/* A journal that was cut before its plan was whole: nothing was done yet. */
static bool is_empty(const Txn *txn)
{
	return !txn->plan && !txn->entry;
}

/* A step that was being put off when the run died: its undoing is finished, then it is due again. */
static bool settle_steps(Txn *txn, GError **error)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		TxnStep *step = txn->steps->pdata[i];
		if (step->state == TXN_STEP_UNDOING && !txn_undo_step(txn, step, error))
			return false;
	}

	return true;
}

/* What somebody has put where an interrupted step was at work is neither finished nor removed. */
static bool check_places(const Txn *txn, GError **error)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		const TxnStep *step = txn->steps->pdata[i];
		const PlanItem *item = plan_find(txn->plan, step->id);
		Probe probe = PROBE_ABSENT;

		if (step->state != TXN_STEP_INTENT || !item)
			continue;
		StepRun run = { .step = item->step,
			        .txn_dir = txn->dir,
			        .token = txn->token,
			        .receipt = item->record,
			        .host = txn->host };
		if (!item->step->kind->probe(&run, &probe, error))
			return false;
		if (probe != PROBE_FOREIGN && probe != PROBE_EDITED)
			continue;
		fault_set(error, STATUS_FOREIGN,
		          "Move it away and run \"slipway resume\" again; \"slipway rollback\" "
		          "leaves "
		          "it where it is.",
		          "since the run was interrupted, somebody else has put something in the "
		          "place of the step \"%s\"",
		          item->step->text);
		return false;
	}

	return true;
}

static bool resume_install(Txn *txn, StepHost *host, GError **error)
{
	if (!session_acquire(txn->app, host, txn->plan, error) || !settle_steps(txn, error) ||
	    !check_places(txn, error) || !session_run(txn, error))
		return false;

	session_summarize(txn);
	return true;
}

static bool resume_txn(App *app, StepHost *host, const char *dir, GError **error)
{
	g_autoptr(Plan) plan = NULL;
	g_autoptr(Txn) txn = txn_open(app, host, dir, &plan, error);

	if (!txn)
		return false;
	if (txn->has_commit)
		return txn_finish(txn, error);
	if (is_empty(txn)) {
		term_print(app->term,
		           "The interrupted run had not begun; nothing is left of it.\n");
		return txn_roll_back(txn, error);
	}
	if (!plan)
		return uninstall_run(txn, error);

	if (txn->is_rolling_back) {
		fault_set(error, STATUS_FOREIGN, "Run \"slipway rollback\".",
		          "that run was already being taken back");
		return false;
	}
	return resume_install(txn, host, error);
}

/* Installs what was put off, with the definition that was used then. */
static bool resume_deferred(App *app, const json_t *receipt, GError **error)
{
	const char *name = NULL;
	json_t *stack = NULL;
	bool has_any = false;

	json_object_foreach(json_object_get(receipt, "stacks"), name, stack)
	{
		if (json_array_size(json_object_get(stack, "deferred")) == 0)
			continue;
		has_any = true;
		if (!install_now(app, json_text_or(stack, "stack_dir", name), error))
			return false;
	}

	if (has_any)
		return true;
	term_print(app->term, "Nothing to resume.\n");
	return txn_sweep(app->paths->state, error);
}

static bool resume(App *app, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "resume", error);
	g_autoptr(HostState) host = lock ? host_new(app, NULL, error) : NULL;
	g_autofree char *dir = txn_find_unfinished(app->paths->state);

	if (!host)
		return false;
	if (dir)
		return resume_txn(app, host_get(host), dir, error);

	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);
	return receipt && resume_deferred(app, receipt, error);
}

static bool roll_back(App *app, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "rollback", error);
	g_autoptr(HostState) host = lock ? host_new(app, NULL, error) : NULL;
	g_autofree char *dir = txn_find_unfinished(app->paths->state);
	g_autoptr(Plan) plan = NULL;

	if (!host)
		return false;
	if (!dir) {
		session_put(app, "changed", json_false());
		term_print(app->term, "Nothing to take back: no run was interrupted.\n");
		return txn_sweep(app->paths->state, error);
	}

	g_autoptr(Txn) txn = txn_open(app, host_get(host), dir, &plan, error);
	if (!txn)
		return false;
	if (txn->entry) {
		fault_set(error, STATUS_FOREIGN, "Run \"slipway resume\" to finish it.",
		          "an uninstall can only be finished");
		return false;
	}
	if (!session_acquire_undo(txn, error) || !txn_roll_back(txn, error))
		return false;

	session_put(app, "changed", json_true());
	term_print(app->term, "The interrupted run was taken back.\n");
	session_report_left(txn->app, txn->left);
	return true;
}

bool command_resume(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	return timeline_open(app, "resume", argv, error) &&
	       timeline_close(app, resume(app, error), error);
}

bool command_rollback(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	return timeline_open(app, "rollback", argv, error) &&
	       timeline_close(app, roll_back(app, error), error);
}
