/* installer/command_test.c - "slipway test"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"
#include "base/fault.h"
#include "installer/lifecycle_test.h"
#include "installer/receipt.h"
#include "installer/session.h"

/** Running totals. */
typedef struct {
	guint passed, failed, skipped;
} Totals;

/* Whether all that the test needs was installed. */
static bool can_run(const Lifecycle *life, const json_t *test)
{
	const json_t *needs = json_object_get(test, "needs");

	for (gsize i = 0; i < json_array_size(needs); i++)
		if (!receipt_step(life->entry, json_string_value(json_array_get(needs, i))))
			return false;
	return true;
}

static void show(App *app, const char *verdict, const char *title, const char *why, gint64 us)
{
	TermStyle style = g_str_equal(verdict, "pass")   ? TERM_GOOD
	                  : g_str_equal(verdict, "fail") ? TERM_BAD
	                                                 : TERM_DIM;
	g_autofree char *styled = term_styled(app->term, style, verdict);

	term_print(app->term, "%s %s  %.2f s%s%s\n", styled, title, (double)us / G_USEC_PER_SEC,
	           why ? "\n     " : "", why ? why : "");
}

/* Returns: false when a signal came. */
static bool run_one(const Lifecycle *life, const json_t *test, Totals *totals, json_t *list,
                    GError **error)
{
	const char *name = json_text_or(test, "name", "");
	const char *title = json_text_or(test, "title", name);
	gint64 start_us = g_get_monotonic_time();
	bool is_due = can_run(life, test);
	g_autoptr(GError) cause = NULL;
	bool is_passed = is_due && life_test_run(test, life, &cause);
	const char *verdict = !is_due ? "skip" : is_passed ? "pass" : "fail";
	g_autofree char *why = cause ? fault_message(cause) : NULL;
	gint64 us = g_get_monotonic_time() - start_us;

	if (!cancel_check(error))
		return false;
	totals->skipped += !is_due;
	totals->passed += is_passed;
	totals->failed += is_due && !is_passed;
	show(life->app, verdict, title, why, us);
	g_autoptr(json_t) event =
		json_pack("{s:s, s:s, s:s, s:s?, s:I}", "name", name, "title", title, "verdict",
	                  verdict, "why", why, "elapsed_ms", (json_int_t)(us / 1000));
	json_array_append(list, event);
	json_put(event, "event", "test");
	term_event(life->app->term, event);
	return true;
}

bool command_test(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_autoptr(Lifecycle) life = lifecycle_open(app, argv[0], error);
	const json_t *tests = life ? json_object_get(life->entry, "tests") : NULL;
	json_t *list = json_array();
	Totals totals = { 0 };

	session_put(app, "tests", list);
	if (!life)
		return false;
	if (!tests) {
		fault_set(error, STATUS_CONFIG, "Run \"slipway install\" for it again.",
		          "%s was installed by a slipway that kept no tests", argv[0]);
		return false;
	}
	for (gsize i = 0; i < json_array_size(tests); i++)
		if (!run_one(life, json_array_get(tests, i), &totals, list, error))
			return false;

	term_print(app->term, "%u passed, %u failed, %u skipped.\n", totals.passed, totals.failed,
	           totals.skipped);
	if (totals.failed > 0)
		fault_set(error, STATUS_FAILED, NULL, "%u of the tests of %s failed", totals.failed,
		          life->title);
	return totals.failed == 0;
}
