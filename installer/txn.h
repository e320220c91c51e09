/* installer/txn.h - one transaction: begin, apply, verify, commit; or back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/progress.h"
#include "installer/command.h"
#include "installer/journal.h"
#include "installer/plan.h"

/** How far a step came, as its last journal record says. */
typedef enum {
	TXN_STEP_NONE,
	TXN_STEP_INTENT,
	TXN_STEP_DONE,
	TXN_STEP_DEFERRED,
	TXN_STEP_UNDOING,
	TXN_STEP_UNDONE,
} TxnStepState;

typedef struct {
	char *id;
	TxnStepState state;
	json_t *undo;   /* (nullable): the recipe, written before the step ran */
	json_t *result; /* (nullable): what apply returned */
} TxnStep;

/** A running or found transaction.  Only the scheduler's thread touches it, but for the journal. */
typedef struct {
	App *app;
	const StepHost *host;
	Plan *plan;    /* (transfer none) (nullable): an uninstallation has none */
	char *command; /* "install", "uninstall" */
	char *stack;   /* (nullable): NULL when its header was cut off */
	char *id;
	char *dir; /* state/txn/ID */
	char *token;
	Journal *journal;
	GPtrArray *steps; /* (element-type TxnStep): in the order in which they began */
	GPtrArray *left;  /* (element-type utf8): what an undo left in place, and why */
	Progress *progress;
	json_t *entry; /* (nullable): uninstall: the stack's entry of the receipt */
	bool has_commit;
	bool is_rolling_back;
	json_int_t generation; /* of the commit record */
	bool is_key_kept;      /* uninstall: keys and keystore stay */
	bool is_model_kept;    /* uninstall: models that were pulled stay */
	bool has_heir;         /* uninstall: another stack goes on using the packages */
} Txn;

void txn_free(Txn *txn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Txn, txn_free)

/** Makes the transaction's directory and its journal with header and plan.  From here on a kill
 *  leaves something to resume or roll back.  The state lock is held. */
Txn *txn_begin(App *app, const StepHost *host, Plan *plan,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What an uninstallation leaves, unless it is named: data of the user. */
typedef struct {
	bool has_keys;
	bool has_models;
} TxnKept;

/** The same for taking a stack away. */
Txn *txn_begin_uninstall(App *app, const StepHost *host, const char *stack, TxnKept kept,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): the directory of a transaction that did not end, NULL if
 *  there is none.  Directories without a journal are removed. */
char *txn_find_unfinished(const char *state_dir);

/** Opens a transaction that did not end.  Its plan (for an install) is owned by @plan.
 *  Errors: FOREIGN (damaged, another user's, a later format). */
Txn *txn_open(App *app, const StepHost *host, const char *dir, Plan **plan,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Puts the stack's files into their place, if they are not there. */
bool txn_place_stack(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Runs what is due and not done, side by side (installer/scheduler.c). */
bool txn_apply(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes the receipt, then the commit record, then swaps the receipt in and cleans up. */
bool txn_commit(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Adds to @left (element-type utf8) the paths in @state_dir that no run needs any more. */
void txn_find_leftovers(const char *state_dir, const json_t *receipt, GPtrArray *left);

/** Removes from @state_dir what no run needs any more, and what the steps of the receipt replaced: at
 *  the end of each run, and what a run left that was killed behind its end (installer/txn_sweep.c). */
bool txn_sweep(const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Swaps the receipt of a transaction with a commit record in and cleans up.  Idempotent. */
bool txn_finish(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes every begun step back, last first, and ends the transaction.  Not interrupted by signals.
 *  Returns: false with INCOMPLETE set when a part failed: the journal stays, call it again. */
bool txn_roll_back(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes every begun step back, last first, and goes on after a failure: INCOMPLETE. */
bool txn_undo_all(Txn *txn, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Takes one step back: UNDOING, the recipe, UNDONE. */
bool txn_undo_step(Txn *txn, TxnStep *step, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes one record about a step and follows it in @txn->steps. */
bool txn_record(Txn *txn, const char *id, TxnStepState state, json_t *extra, GError **error);

/** Follows an intent that a step's thread has written itself. */
void txn_follow_intent(Txn *txn, const char *id, json_t *undo);

/** Returns: (transfer none) (nullable). */
TxnStep *txn_find_step(const Txn *txn, const char *id);

/** Returns: the effective recipe of a step: what apply said, else what was written before. */
json_t *txn_step_undo(const TxnStep *step);
