/* installer/session.c - lock, log, confirmation, and how a run ends
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/session.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "installer/package_manager.h"
#include "installer/policy.h"
#include "installer/privilege.h"
#include "installer/receipt.h"
#include "installer/timeline.h"
#include "installer/verify.h"

/* Less than this is left: full.  Source: our own bound, a few files of a checkout. */
#define FULL_BYTES (G_GUINT64_CONSTANT(1) << 20)

/* Who can write a journal there decides what a rollback removes. */
static bool check_state(const char *state, GError **error)
{
	struct stat st = { 0 };

	if (lstat(state, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;

	fault_set(error, STATUS_DENIED, "Make it a directory of yours that only you can write.",
	          "%s is a link, or others can write into it", state);
	return false;
}

Lock *session_begin(App *app, const char *command, GError **error)
{
	const char *state = app->paths->state;
	g_autofree char *lock_path = g_build_filename(state, "lock", NULL);
	g_autofree char *log_dir = g_build_filename(state, "log", NULL);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
	g_autofree char *name = g_strdup_printf("%s-%s.log", when, command);

	cancel_set_deadline(settings_seconds(app->settings, "timeout"));
	if (!file_make_dirs(state, 0700, NULL, error) || !check_state(state, error))
		return NULL;

	g_autoptr(Lock) lock = lock_take(
		lock_path, command, settings_seconds(app->settings, "lock-timeout") * 1000, error);
	if (!lock || !file_make_dirs(log_dir, 0700, NULL, error) || !log_open(log_dir, name, error))
		return NULL;

	session_put(app, "log", json_string(log_path()));
	return g_steal_pointer(&lock);
}

bool session_confirm(App *app, const char *question, GError **error)
{
	if (settings_flag(app->settings, "yes"))
		return true;

	if (!term_can_ask(app->term)) {
		fault_set(error, STATUS_USAGE,
		          "Look at the plan, then run the same command with --yes.",
		          "nobody can be asked here (no terminal, or CI is set)");
		return false;
	}
	if (term_confirm(app->term, question, false))
		return true;

	fault_set(error, STATUS_FAILED, NULL, "not confirmed; nothing was changed");
	return false;
}

bool session_acquire(App *app, StepHost *host, const Plan *plan, GError **error)
{
	g_autoptr(GPtrArray) commands = policy_root_commands(plan);

	host->is_privileged =
		privilege_acquire(app->term, (const char *const *)commands->pdata, error);
	return host->is_privileged;
}

/* The package manager's program is what needs root: any command of it stands for all.  Other primitives
 * name what root runs. */
static bool acquire_for(const Txn *txn, const json_t *undo, GError **error)
{
	static const char *const any[] = { "PACKAGE", NULL };
	gsize i = 0;
	json_t *primitive = NULL;

	json_array_foreach(undo, i, primitive)
	{
		bool is_manager = g_strcmp0(json_text(primitive, "do"), "packages_remove") == 0;
		g_auto(GStrv) lines =
			is_manager ? packages_commands(json_text_or(primitive, "manager", ""), any)
				   : json_to_strv(json_object_get(primitive, "as_root"));
		if (!privilege_acquire(txn->app->term, (const char *const *)lines, error))
			return false;
	}

	return true;
}

bool session_acquire_undo(Txn *txn, GError **error)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		const TxnStep *step = txn->steps->pdata[i];
		if (step->state != TXN_STEP_NONE && step->state != TXN_STEP_UNDONE &&
		    !acquire_for(txn, txn_step_undo(step), error))
			return false;
	}

	return true;
}

bool session_settle(App *app, const StepHost *host, GError **error)
{
	g_autofree char *dir = txn_find_unfinished(app->paths->state);
	g_autoptr(Plan) plan = NULL;

	if (!dir)
		return true;

	g_autoptr(Txn) txn = txn_open(app, host, dir, &plan, error);
	if (!txn)
		return false;

	if (txn->has_commit)
		return txn_finish(txn, error);
	if (g_str_equal(txn->command, "uninstall")) {
		fault_set(error, STATUS_BUSY, "Run \"slipway resume\" to finish it.",
		          "an earlier uninstall was interrupted");
		return false;
	}

	term_note(app->term, "An earlier run was interrupted; it is taken back first.");
	if (!session_confirm(app, "Take the interrupted run back?", error)) {
		g_prefix_error(error, "an earlier run was interrupted, and ");
		return false;
	}
	return session_acquire_undo(txn, error) && txn_roll_back(txn, error);
}

static json_t *left_in_place(const GPtrArray *left)
{
	json_t *list = json_array();

	for (guint i = 0; i < left->len; i++)
		json_array_append_new(list, json_string(left->pdata[i]));
	return list;
}

/* The statuses that say more than "failed"; they survive a complete rollback. */
static ExitStatus status_after_rollback(const GError *cause)
{
	ExitStatus status = fault_status(cause);

	return status == STATUS_INCOMPLETE || status == STATUS_OK ? STATUS_FAILED : status;
}

/* A program that ran out of space only says that it failed; the file system says why. */
static bool is_disk_full(const char *path)
{
	g_autofree char *existing = paths_existing_ancestor(path);
	struct statvfs vfs = { 0 };

	return statvfs(existing, &vfs) == 0 && (guint64)vfs.f_bavail * vfs.f_frsize < FULL_BYTES;
}

/* Takes everything back and tells, in one message, what failed, what that means and what next. */
static void fail_and_roll_back(Txn *txn, const GError *cause, GError **error)
{
	g_autofree char *message = fault_message(cause);
	g_autoptr(GError) second = NULL;
	const char *hint = fault_hint(cause);
	ExitStatus status = status_after_rollback(cause);

	if (status == STATUS_FAILED && is_disk_full(txn->plan->prefix)) {
		status = STATUS_IO;
		hint = "The disk is full. Free some space, then run the command again.";
	}
	log_line("run", "failed: %s", message);
	verify_tell_trouble(txn, cause);
	if (settings_flag(txn->app->settings, "keep-partial")) {
		fault_set(
			error, STATUS_INCOMPLETE,
			"Run \"slipway resume\" to go on, or \"slipway rollback\" to take it back.",
			"%s; what was done is kept", message);
		return;
	}

	if (txn_roll_back(txn, &second)) {
		fault_set(error, status, hint, "%s; everything that this run did was taken back",
		          message);
		return;
	}

	g_autofree char *why = fault_message(second);
	fault_set(error, STATUS_INCOMPLETE, "Mend that, then run \"slipway rollback\".",
	          "%s; taking it back failed too: %s", message, why);
}

bool session_run(Txn *txn, GError **error)
{
	g_autoptr(GError) cause = NULL;
	bool is_done = txn_place_stack(txn, &cause) && txn_apply(txn, &cause) &&
	               cancel_check(&cause) && verify_stack(txn, &cause) && txn_commit(txn, &cause);

	if (!is_done && !txn->has_commit)
		fail_and_roll_back(txn, cause, error);
	else if (!is_done)
		g_propagate_prefixed_error(
			error, g_steal_pointer(&cause),
			"it is done, but the end of the run could not be written down: ");

	session_put(txn->app, "changed", json_boolean(is_done));
	session_put(txn->app, "left_in_place", left_in_place(txn->left));
	return is_done;
}

static void print_kept(const Plan *plan, Term *term)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (item->probe == PROBE_FOREIGN || item->probe == PROBE_EDITED)
			term_print(term, "Kept as it is: %s\n",
			           json_text_or(item->step->inputs, "path", item->step->id));
	}
}

/* The commands that are there now, and how to reach them. */
static void print_commands(const Plan *plan, Term *term)
{
	g_auto(GStrv) on_path = g_strsplit(g_getenv("PATH") ? g_getenv("PATH") : "", ":", -1);

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		const char *path = json_text(item->step->inputs, "path");
		if (item->step->kind != &step_kind_wrapper || item->deferred || !path)
			continue;

		g_autofree char *directory = g_path_get_dirname(path);
		term_print(term, "Command: %s\n", path);
		if (!g_strv_contains((const char *const *)on_path, directory))
			term_print(term, "It is not on your PATH yet%s: export PATH=\"%s:$PATH\"\n",
			           plan_find(plan, "shell-path") ? " in this shell" : "",
			           directory);
	}
}

void session_print_notes(const Txn *txn)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		const TxnStep *step = txn->steps->pdata[i];
		const char *note = json_text(step->result, "note");
		if (note)
			term_print(txn->app->term, "Note: %s\n", note);
	}
}

static void print_deferred(const Plan *plan, Term *term)
{
	if (plan_count_deferred(plan) == 0)
		return;

	term_print(term, "\nDeferred:\n");
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (item->deferred)
			term_print(term, "  %s: %s\n      %s\n", item->step->id, item->step->text,
			           item->deferred);
	}
	term_print(term, "Finish with: slipway resume\n");
}

void session_report_left(App *app, const GPtrArray *left)
{
	if (left->len > 0)
		term_note(app->term, "Left in place:");
	for (guint i = 0; i < left->len; i++)
		term_note(app->term, "  %s", (const char *)left->pdata[i]);
	session_put(app, "left_in_place", left_in_place(left));
}

void session_summarize(const Txn *txn)
{
	const Plan *plan = txn->plan;
	guint deferred = plan_count_deferred(plan);

	g_autofree char *took = timeline_summary(txn->app->timeline);
	if (took)
		term_note(txn->app->term, "%s", took);
	session_report_left(txn->app, txn->left);
	if (g_str_equal(plan->stack, RECEIPT_FIXES))
		term_print(txn->app->term, "\n%s is done.\n", plan->title);
	else
		term_print(txn->app->term, "\n%s is installed in %s%s\n", plan->title, plan->prefix,
		           deferred == 0 ? "." : ", but not all of it could be had:");
	print_kept(txn->plan, txn->app->term);
	print_commands(txn->plan, txn->app->term);
	session_print_notes(txn);
	print_deferred(txn->plan, txn->app->term);
}
