/* installer/txn.c - begin, record, and read back a transaction
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/txn.h"

#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/tree.h"
#include "installer/receipt.h"
#include "installer/undo.h"

#define JOURNAL_FORMAT 1

static const char *const state_names[] = {
	[TXN_STEP_NONE] = "none",       [TXN_STEP_INTENT] = "intent",
	[TXN_STEP_DONE] = "done",       [TXN_STEP_DEFERRED] = "deferred",
	[TXN_STEP_UNDOING] = "undoing", [TXN_STEP_UNDONE] = "undone",
};

static void txn_step_free(gpointer data)
{
	TxnStep *step = data;

	g_free(step->id);
	json_decref(step->undo);
	json_decref(step->result);
	g_free(step);
}

void txn_free(Txn *txn)
{
	if (!txn)
		return;

	g_free(txn->command);
	g_free(txn->stack);
	g_free(txn->id);
	g_free(txn->dir);
	g_free(txn->token);
	journal_free(txn->journal);
	g_clear_pointer(&txn->steps, g_ptr_array_unref);
	g_clear_pointer(&txn->left, g_ptr_array_unref);
	progress_free(txn->progress);
	json_decref(txn->entry);
	g_free(txn);
}

TxnStep *txn_find_step(const Txn *txn, const char *id)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		TxnStep *step = txn->steps->pdata[i];
		if (g_str_equal(step->id, id))
			return step;
	}

	return NULL;
}

json_t *txn_step_undo(const TxnStep *step)
{
	json_t *own = json_object_get(step->result, "undo");

	return own ? own : step->undo;
}

/* What a step record says, kept in memory: a step that begins again moves to the end. */
static void follow(Txn *txn, const char *id, TxnStepState state, const json_t *record)
{
	TxnStep *step = txn_find_step(txn, id);

	if (!step) {
		step = g_new0(TxnStep, 1);
		step->id = g_strdup(id);
		g_ptr_array_add(txn->steps, step);
	}

	step->state = state;
	if (state == TXN_STEP_INTENT) {
		json_decref(step->undo);
		step->undo = json_incref(json_object_get(record, "undo"));
		json_decref(step->result);
		step->result = NULL;
	}
	if (state == TXN_STEP_DONE) {
		json_decref(step->result);
		step->result = json_incref(json_object_get(record, "result"));
	}
}

bool txn_record(Txn *txn, const char *id, TxnStepState state, json_t *extra, GError **error)
{
	json_t *record =
		json_pack("{s:s, s:s, s:s}", "type", "step", "id", id, "state", state_names[state]);

	if (extra)
		json_object_update(record, extra);
	follow(txn, id, state, record);
	json_decref(extra);
	return journal_append(txn->journal, record, error);
}

void txn_follow_intent(Txn *txn, const char *id, json_t *undo)
{
	g_autoptr(json_t) record = json_pack("{s:O}", "undo", undo);

	follow(txn, id, TXN_STEP_INTENT, record);
}

static Txn *txn_new(App *app, const StepHost *host)
{
	Txn *txn = g_new0(Txn, 1);

	txn->app = app;
	txn->host = host;
	txn->steps = g_ptr_array_new_with_free_func(txn_step_free);
	txn->left = g_ptr_array_new_with_free_func(g_free);
	return txn;
}

static bool write_header(Txn *txn, const char *stack, GError **error)
{
	txn->stack = g_strdup(stack);
	json_t *header =
		json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:I}", "type", "header", "format",
	                  JOURNAL_FORMAT, "tool", VERSION, "command", txn->command, "stack", stack,
	                  "token", txn->token, "uid", (json_int_t)getuid());

	return journal_append(txn->journal, header, error);
}

static bool open_journal(Txn *txn, GError **error)
{
	g_autofree char *random = g_uuid_string_random(); /* a name, no secret: it is shown */
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y%m%dT%H%M%SZ");

	txn->token = g_strndup(random, 8);
	txn->id = g_strdup_printf("%s-%s", when, txn->token);
	txn->dir = g_build_filename(txn->app->paths->state, "txn", txn->id, NULL);

	g_autofree char *backup = g_build_filename(txn->dir, "backup", NULL);
	g_autofree char *path = g_build_filename(txn->dir, "journal", NULL);
	g_autofree char *listings = g_build_filename(txn->app->paths->state, "listings", NULL);
	if (!file_make_dirs(backup, 0700, NULL, error) ||
	    !file_make_dirs(listings, 0700, NULL, error))
		return false;

	txn->journal = journal_create(path, error);
	return txn->journal != NULL;
}

/* A run that could not begin leaves nothing. */
static void abandon(Txn *txn)
{
	g_autofree char *parent = g_path_get_dirname(txn->dir);
	g_autofree char *listings = g_build_filename(txn->app->paths->state, "listings", NULL);

	g_clear_pointer(&txn->journal, journal_free);
	if (!tree_remove(txn->dir, NULL))
		return;
	(void)rmdir(parent); /* it stays while something is in it */
	(void)rmdir(listings);
}

/* @plan: (transfer full): the second record. */
static bool begin(Txn *txn, const char *stack, json_t *plan, GError **error)
{
	g_autoptr(json_t) record = plan;

	if (open_journal(txn, error) && write_header(txn, stack, error) &&
	    journal_append(txn->journal, g_steal_pointer(&record), error))
		return true;

	abandon(txn);
	return false;
}

Txn *txn_begin(App *app, const StepHost *host, Plan *plan, GError **error)
{
	g_autoptr(Txn) txn = txn_new(app, host);

	txn->plan = plan;
	txn->command = g_strdup("install");
	json_t *record = json_pack("{s:s, s:o}", "type", "plan", "plan", plan_to_json(plan));
	return begin(txn, plan->stack, record, error) ? g_steal_pointer(&txn) : NULL;
}

/* Loads the steps of a receipt's entry as steps that are done, so that a rollback of them is an
 * uninstallation. */
static void load_entry(Txn *txn)
{
	const json_t *steps = json_object_get(txn->entry, "steps");
	gsize i = 0;
	json_t *step = NULL;

	json_array_foreach(steps, i, step)
	{
		const char *id = json_text_or(step, "id", "");
		bool is_kept = txn->has_heir &&
		               (g_str_equal(id, "packages") || g_str_equal(id, "repository"));
		follow(txn, id, TXN_STEP_INTENT, step);
		follow(txn, id, TXN_STEP_DONE, step);
		if (is_kept)
			txn_find_step(txn, id)->state = TXN_STEP_NONE;
	}
}

Txn *txn_begin_uninstall(App *app, const StepHost *host, const char *stack, TxnKept kept,
                         GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);
	g_autoptr(Txn) txn = txn_new(app, host);

	if (!receipt)
		return NULL;

	txn->command = g_strdup("uninstall");
	txn->entry = json_incref(receipt_stack(receipt, stack));
	txn->is_key_kept = kept.has_keys;
	txn->is_model_kept = kept.has_models;
	txn->has_heir = receipt_other_stack(receipt, stack) != NULL;
	json_t *record = json_pack("{s:s, s:s, s:O, s:b, s:b, s:b}", "type", "plan", "stack", stack,
	                           "entry", txn->entry, "keep_keys", kept.has_keys, "drop_models",
	                           !kept.has_models, "has_heir", txn->has_heir);
	load_entry(txn);
	return begin(txn, stack, record, error) ? g_steal_pointer(&txn) : NULL;
}

char *txn_find_unfinished(const char *state_dir)
{
	g_autofree char *path = g_build_filename(state_dir, "txn", NULL);
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		g_autofree char *journal = g_build_filename(child, "journal", NULL);
		if (file_exists(journal))
			return g_steal_pointer(&child);
	}

	return NULL;
}

static bool refuse(GError **error, const char *dir, const char *why)
{
	fault_set(error, STATUS_FOREIGN,
	          "Nothing was changed. Use the account and the version of slipway that began it.",
	          "the interrupted run in %s %s", dir, why);
	return false;
}

static bool read_header(Txn *txn, const json_t *record, GError **error)
{
	if (g_strcmp0(json_text(record, "type"), "header") != 0)
		return refuse(error, txn->dir, "has no header");
	if (json_integer_value(json_object_get(record, "format")) > JOURNAL_FORMAT)
		return refuse(error, txn->dir, "was begun by a later version");
	if (json_integer_value(json_object_get(record, "uid")) != (json_int_t)getuid())
		return refuse(error, txn->dir, "belongs to another user");

	txn->command = g_strdup(json_text_or(record, "command", ""));
	txn->stack = g_strdup(json_text(record, "stack"));
	txn->token = g_strdup(json_text_or(record, "token", ""));
	return true;
}

static bool read_plan(Txn *txn, const json_t *record, Plan **plan, GError **error)
{
	if (g_str_equal(txn->command, "uninstall")) {
		txn->entry = json_incref(json_object_get(record, "entry"));
		txn->is_key_kept = json_flag(record, "keep_keys");
		txn->is_model_kept = !json_flag(record, "drop_models");
		txn->has_heir = json_flag(record, "has_heir");
		load_entry(txn);
		return true;
	}

	*plan = plan_from_json(json_object_get(record, "plan"), error);
	txn->plan = *plan;
	return *plan != NULL;
}

static bool recipe_is_known(const json_t *undo)
{
	gsize i = 0;
	json_t *primitive = NULL;

	json_array_foreach(undo, i, primitive) if (!undo_is_known(json_text_or(primitive, "do",
	                                                                       ""))) return false;

	return true;
}

static bool read_step(Txn *txn, const json_t *record, GError **error)
{
	const char *id = json_text(record, "id");
	const char *word = json_text_or(record, "state", "");
	gsize state = 0;

	while (state < G_N_ELEMENTS(state_names) && !g_str_equal(state_names[state], word))
		state++;
	if (!id || state == G_N_ELEMENTS(state_names) ||
	    !recipe_is_known(json_object_get(record, "undo")))
		return refuse(error, txn->dir, "has a record that this version does not know");

	follow(txn, id, (TxnStepState)state, record);
	return true;
}

static bool read_record(Txn *txn, const json_t *record, Plan **plan, GError **error)
{
	const char *type = json_text_or(record, "type", "");

	if (g_str_equal(type, "plan"))
		return read_plan(txn, record, plan, error);
	if (g_str_equal(type, "step"))
		return read_step(txn, record, error);
	if (g_str_equal(type, "commit")) {
		txn->has_commit = true;
		txn->generation = json_integer_value(json_object_get(record, "generation"));
		return true;
	}

	txn->is_rolling_back |= g_str_equal(type, "rollback");
	return g_str_equal(type, "aborted") || g_str_equal(type, "rollback") ||
	       refuse(error, txn->dir, "has a record that this version does not know");
}

Txn *txn_open(App *app, const StepHost *host, const char *dir, Plan **plan, GError **error)
{
	g_autoptr(Txn) txn = txn_new(app, host);
	g_autoptr(json_t) records = NULL;
	g_autofree char *path = g_build_filename(dir, "journal", NULL);

	txn->dir = g_strdup(dir);
	txn->id = g_path_get_basename(dir);
	txn->journal = journal_resume(path, &records, error);
	if (!txn->journal)
		return NULL;

	/* Killed before the first record was whole: nothing has happened yet. */
	if (json_array_size(records) == 0) {
		txn->command = g_strdup("install");
		return g_steal_pointer(&txn);
	}

	if (!read_header(txn, json_array_get(records, 0), error))
		return NULL;
	for (gsize i = 1; i < json_array_size(records); i++)
		if (!read_record(txn, json_array_get(records, i), plan, error))
			return NULL;

	return g_steal_pointer(&txn);
}
