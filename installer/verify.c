/* installer/verify.c - the stack's own tests, as commands
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/verify.h"

#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/process.h"

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

static bool run_test(const json_t *test, GError **error)
{
	const char *name = json_text_or(test, "name", "");
	g_auto(GStrv) argv = json_to_strv(json_object_get(test, "argv"));
	g_autoptr(GError) cause = NULL;
	ProcessSpec spec = {
		.argv = (const char *const *)argv,
		.timeout_ms = (guint)json_integer_value(json_object_get(test, "timeout_s")) * 1000,
	};
	g_autofree char *out = process_capture(&spec, &cause);

	log_line("verify", "%s: %s", name, out ? "passed" : cause->message);
	if (out)
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
	gsize i = 0;
	json_t *test = NULL;

	json_array_foreach(txn->plan->tests, i, test) if (can_run(txn->plan, test) &&
	                                                  !run_test(test, error)) return false;

	return true;
}
