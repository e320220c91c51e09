/* installer/verify.c - the stack's own tests, as commands
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/verify.h"

#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "installer/lifecycle_test.h"
#include "installer/lifecycle_trouble.h"
#include "installer/receipt.h"

/* A test stands only where all that it needs is there. */
static bool can_run(const Plan *plan, const json_t *test)
{
	const json_t *needs = json_object_get(test, "needs");
	gsize i = 0;
	json_t *id = NULL;

	json_array_foreach(needs, i, id)
	{
		const PlanItem *item = plan_find(plan, json_string_value(id));
		if (!item || item->deferred || item->probe == PROBE_FOREIGN)
			return false;
	}

	return true;
}

/* The step as the receipt will have it. */
static json_t *record_of(const Txn *txn, const PlanItem *item)
{
	const TxnStep *done = txn_find_step(txn, item->step->id);
	const json_t *before = receipt_step(txn->plan->receipt, item->step->id);
	json_t *result = done && done->result ? done->result : json_object_get(before, "result");

	return json_pack("{s:s, s:s, s:O, s:O*}", "id", item->step->id, "kind",
	                 item->step->kind->name, "inputs", item->step->inputs, "result", result);
}

/* The stack as it is about to be installed. */
static Lifecycle *life_of(const Txn *txn, GError **error)
{
	const Plan *plan = txn->plan;
	json_t *steps = json_array();

	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (!item->deferred)
			json_array_append_new(steps, record_of(txn, item));
	}
	json_t *entry = json_pack("{s:s, s:s, s:s, s:o}", "title", plan->title, "profile",
	                          plan->profile, "stack_dir", plan->stack_dir, "steps", steps);
	g_autoptr(json_t) receipt = json_pack("{s:{s:o}}", "stacks", plan->stack, entry);

	return lifecycle_of_receipt(txn->app, plan->stack, receipt, error);
}

static bool run_test(const json_t *test, const Lifecycle *life, GError **error)
{
	const char *name = json_text_or(test, "name", "");
	g_autoptr(GError) cause = NULL;
	bool is_passed = life_test_run(test, life, &cause);

	log_line("verify", "%s: %s", name, is_passed ? "passed" : cause->message);
	if (is_passed)
		return true;
	if (cancel_signal() != 0) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}

	fault_set(error, STATUS_UNVERIFIED, NULL, "installed, but the test \"%s\" failed: %s", name,
	          cause->message);
	return false;
}

bool verify_stack(Txn *txn, GError **error)
{
	g_autoptr(Lifecycle) life = life_of(txn, error);
	gsize i = 0;
	json_t *test = NULL;

	if (!life)
		return false;
	json_array_foreach(txn->plan->tests, i, test)
	{
		if (can_run(txn->plan, test) && !run_test(test, life, error))
			return false;
	}

	return true;
}

/* Whether what failed is a start, or a test of what was started. */
static bool is_about_containers(const Txn *txn, const GError *cause)
{
	for (guint i = 0; i < txn->steps->len; i++) {
		const TxnStep *step = txn->steps->pdata[i];
		const PlanItem *item = plan_find(txn->plan, step->id);

		if (item && item->step->kind == &step_kind_compose &&
		    step->state == TXN_STEP_INTENT)
			return true;
	}

	return fault_status(cause) == STATUS_UNVERIFIED;
}

void verify_tell_trouble(const Txn *txn, const GError *cause)
{
	bool is_asked = cancel_signal() == 0 && is_about_containers(txn, cause);
	g_autoptr(Lifecycle) life = is_asked ? life_of(txn, NULL) : NULL;

	for (guint i = 0; life && i < life->projects->len; i++)
		trouble_tell(life, life->projects->pdata[i], NULL);
}
