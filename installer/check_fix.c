/* installer/check_fix.c - "slipway check --fix"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/check_fix.h"

#include "base/fault.h"
#include "installer/policy.h"
#include "installer/receipt.h"
#include "installer/session.h"

static void put_fix(json_t *list, const PlanItem *item, const char *status)
{
	json_array_append_new(list,
	                      json_pack("{s:s, s:O, s:s, s:s}", "id", item->step->id, "checks",
	                                json_object_get(item->step->inputs, "checks"), "text",
	                                item->step->text, "status", status));
}

/* @status: of what is due. */
static void put_fixes(App *app, const Plan *plan, const char *status)
{
	json_t *list = json_array();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];

		put_fix(list, item, plan_item_is_due(item) ? status : "stands");
	}
	session_put(app, "fixes", list);
}

/* One that waits for a login or a restart, or that a person has changed since. */
static void print_standing(Term *term, const Plan *plan)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];

		if (item->probe == PROBE_OURS)
			term_print(term,
			           "\nDone already, and in effect from the next login on: %s\n",
			           item->step->text);
		else if (!plan_item_is_due(item))
			term_print(term, "\nKept, since somebody else wrote it: %s\n",
			           json_text_or(item->step->inputs, "path", item->step->id));
	}
}

static void print_due(Term *term, const Plan *plan)
{
	g_autoptr(GPtrArray) commands = policy_root_commands(plan);

	if (plan_count_due(plan) == 0)
		return;
	term_print(term, "\nThis can be mended now, and taken back later:\n");
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];

		if (plan_item_is_due(item))
			term_print(term, "  %s (%s)\n", item->step->text, item->step->why);
	}
	if (commands->pdata[0])
		term_print(term, "As root, exactly:\n");
	for (guint i = 0; commands->pdata[i]; i++)
		term_print(term, "  %s\n", (const char *)commands->pdata[i]);
}

static void show_left(App *app, const Plan *plan, const GPtrArray *findings)
{
	g_autoptr(GPtrArray) left = fix_left(plan, findings);
	json_t *list = json_array();

	if (left->len > 0)
		term_print(app->term, "\nThis is left to you:\n");
	for (guint i = 0; i < left->len; i++) {
		const CheckFinding *finding = left->pdata[i];

		term_print(app->term, "  %s: %s\n", finding->id, finding->remedy);
		json_array_append_new(list, json_pack("{s:s, s:s}", "id", finding->id, "remedy",
		                                      finding->remedy));
	}
	session_put(app, "left", list);
}

static void show_plan(App *app, const Plan *plan, const GPtrArray *findings)
{
	print_standing(app->term, plan);
	print_due(app->term, plan);
	show_left(app, plan, findings);
	put_fixes(app, plan, "offered");
	session_put(app, "changed", json_false());
	if (plan->items->len == 0)
		term_print(app->term, "\nThere is nothing that slipway can mend by itself.\n");
}

/* Returns: (transfer full): the plan with what is there; or NULL with an error set. */
static Plan *make_plan(App *app, const CheckNeeds *needs, const FindingsReport *report,
                       const StepHost *host, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);
	FixRequest request = { .facts = report->facts,
		               .needs = needs,
		               .findings = report->findings,
		               .paths = app->paths,
		               .receipt = receipt,
		               .is_user = settings_flag(app->settings, "user") };
	g_autoptr(Plan) plan = receipt ? fix_plan(&request) : NULL;

	return plan && plan_probe(plan, host, error) ? g_steal_pointer(&plan) : NULL;
}

static bool apply(App *app, StepHost *host, Plan *plan, GError **error)
{
	if (!session_acquire(app, host, plan, error) || !fix_write_definition(plan, error))
		return false;

	g_autoptr(Txn) txn = txn_begin(app, host, plan, error);
	if (!txn || !session_run(txn, error))
		return false;

	put_fixes(app, plan, "done");
	session_report_left(txn->app, txn->left);
	session_print_notes(txn);
	term_print(app->term, "Done. \"slipway check --fix --undo\" takes it back.\n");
	return true;
}

/* The plan once more, under the lock: what was shown may be done by now. */
static bool mend(App *app, const CheckNeeds *needs, const FindingsReport *report, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "check", error);
	g_autoptr(HostState) host = lock ? host_new(app, report->facts, error) : NULL;

	if (!host || !session_settle(app, host_get(host), error))
		return false;

	g_autoptr(Plan) plan = make_plan(app, needs, report, host_get(host), error);
	return plan && (plan_count_due(plan) == 0 || apply(app, host_get(host), plan, error));
}

static void print_script(App *app, const Plan *plan)
{
	g_autofree char *script = policy_root_script(plan);

	session_put(app, "root_script", json_string(script));
	term_print(app->term, "%s", script);
}

bool check_fix(App *app, const CheckNeeds *needs, const FindingsReport *report, FixMode mode,
               bool *is_changed, GError **error)
{
	StepHost none = { 0 };
	g_autoptr(Plan) plan = make_plan(app, needs, report, &none, error);

	*is_changed = false;
	if (!plan)
		return false;
	if (mode == FIX_SCRIPT) {
		print_script(app, plan);
		return true;
	}
	show_plan(app, plan, report->findings);
	if (mode == FIX_SHOW || plan_count_due(plan) == 0)
		return true;
	if (!policy_apply(app, plan, error) || !session_confirm(app, "Do it?", error) ||
	    !mend(app, needs, report, error))
		return false;
	*is_changed = true;
	return true;
}

bool check_fix_undo(App *app, GError **error)
{
	return uninstall_now(app, RECEIPT_FIXES, error);
}
