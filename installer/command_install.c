/* installer/command_install.c - "slipway plan" and "slipway install"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/policy.h"
#include "installer/preflight.h"
#include "installer/receipt.h"
#include "installer/session.h"
#include "installer/timeline.h"

static gboolean is_exit_detailed;
static gboolean is_script_asked;

const GOptionEntry command_plan_options[] = {
	{ "detailed-exitcode", 0, 0, G_OPTION_ARG_NONE, &is_exit_detailed,
	  "exit with 4 when there is something to do", NULL },
	{ 0 },
};

const GOptionEntry command_install_options[] = {
	{ "print-root-script", 0, 0, G_OPTION_ARG_NONE, &is_script_asked,
	  "print what needs root, as a script for somebody who is root; change nothing", NULL },
	{ 0 },
};

/* What plan and install look at before anything is changed. */
typedef struct {
	StackBundle *bundle;
	Facts *facts;
	HostState *host;
	Plan *plan;
} Preparation;

static void preparation_clear(Preparation *preparation)
{
	stacks_bundle_free(preparation->bundle);
	facts_free(preparation->facts);
	host_free(preparation->host);
	plan_free(preparation->plan);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Preparation, preparation_clear)

/* Ports are tried only where some are to be chosen. */
static Facts *read_facts(const App *app, const Stack *stack, const json_t *receipt)
{
	FactsRequest request = { 0 };
	g_autofree guint16 *ports = plan_port_candidates(stack, &request.port_count);

	request.ports = ports;
	if (!plan_chooses_ports(stack, app->settings, receipt))
		request.port_count = 0;
	return facts_read(&request);
}

static bool prepare(App *app, const char *word, Preparation *into, GError **error)
{
	g_autoptr(json_t) receipt = receipt_load(app->paths->state, error);

	if (!receipt)
		return false;
	into->bundle = stacks_open(word, error);
	if (!into->bundle)
		return false;

	into->facts = read_facts(app, stacks_definition(into->bundle), receipt);
	into->host = host_new(app, into->facts, error);
	if (!into->host)
		return false;

	PlanRequest wanted = { .settings = app->settings,
		               .paths = app->paths,
		               .bundle = into->bundle,
		               .facts = into->facts,
		               .receipt = receipt };
	into->plan = plan_make(&wanted, error);
	if (!into->plan || !plan_probe(into->plan, host_get(into->host), error))
		return false;

	plan_hold_sources(into->plan);
	return true;
}

static bool was_deferred(const Plan *plan, const char *id)
{
	const json_t *deferred = json_object_get(plan->receipt, "deferred");
	gsize i = 0;
	json_t *record = NULL;

	json_array_foreach(deferred, i,
	                   record) if (g_strcmp0(json_text(record, "id"), id) == 0) return true;

	return false;
}

/* Steps that an earlier run put off stay put off until "resume" asks their sources again: a run
 * with nothing else to do opens no connection. */
static void keep_deferred(Plan *plan)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (plan_item_is_due(item) && was_deferred(plan, item->step->id))
			plan_defer(plan, item->step->id, "put off by an earlier run");
	}
}

/* Another profile is a change even where all of it is there already. */
static bool is_same_profile(const Plan *plan)
{
	return g_strcmp0(json_text(plan->receipt, "profile"), plan->profile) == 0;
}

static bool is_up_to_date(const Plan *plan)
{
	for (guint i = 0; i < plan->items->len; i++) {
		const PlanItem *item = plan->items->pdata[i];
		if (plan_item_is_due(item) && !was_deferred(plan, item->step->id))
			return false;
	}

	return plan->receipt != NULL && is_same_profile(plan);
}

static void describe(App *app, const Plan *plan)
{
	session_put(app, "stack", json_string(plan->stack));
	session_put(app, "profile", json_string(plan->profile));
	session_put(app, "prefix", json_string(plan->prefix));
	session_put(app, "ports", json_incref(plan->ports));
	session_put(app, "port_taken", plan->clash ? json_string(plan->clash) : json_null());
	session_put(app, "steps", plan_describe(plan));
	session_put(app, "due", json_integer(plan_count_due(plan)));
	session_put(app, "deferred", json_integer(plan_count_deferred(plan)));
}

bool command_plan(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	g_auto(Preparation) it = { 0 };

	if (!prepare(app, argv[0], &it, error) ||
	    (!is_up_to_date(it.plan) && !plan_ask(it.plan, host_get(it.host), error)))
		return false;

	describe(app, it.plan);
	plan_print(it.plan, app->term);
	if (plan_count_due(it.plan) == 0)
		term_print(app->term, "\nNothing to do.\n");
	if (!is_exit_detailed || plan_count_due(it.plan) == 0)
		return true;

	fault_set(error, STATUS_PENDING, NULL, "%u steps have something to do",
	          plan_count_due(it.plan));
	return false;
}

/* Says that nothing changed; writes nothing, asks nobody. */
static void report_no_change(App *app, Plan *plan)
{
	guint deferred = 0;

	keep_deferred(plan);
	deferred = plan_count_deferred(plan);
	describe(app, plan);
	session_put(app, "changed", json_false());
	term_print(app->term, "%s is installed in %s; nothing changed.\n", plan->title,
	           plan->prefix);
	if (deferred > 0)
		term_print(app->term, "%u deferred %s: slipway resume\n", deferred,
		           deferred == 1 ? "step is left" : "steps are left");
}

static bool apply(App *app, Preparation *it, GError **error)
{
	StepHost *host = host_get(it->host);

	if (!session_acquire(app, host, it->plan, error))
		return false;

	g_autoptr(Txn) txn = txn_begin(app, host, it->plan, error);
	if (!txn || !session_run(txn, error))
		return false;

	describe(app, it->plan);
	session_summarize(txn);
	return true;
}

static bool install_prepared(App *app, Preparation *it, GError **error)
{
	guint timeout_ms = settings_seconds(app->settings, "network-timeout") * 1000;

	if (!plan_ask(it->plan, host_get(it->host), error))
		return false;
	if (it->plan->receipt && plan_count_due(it->plan) == 0 && is_same_profile(it->plan)) {
		report_no_change(app, it->plan);
		return true;
	}
	if (!policy_apply(app, it->plan, error) ||
	    !preflight_pass(app, it->bundle, it->plan, error) ||
	    !plan_probe_sources(it->plan, timeout_ms, settings_flag(app->settings, "defer"), error))
		return false;

	plan_print(it->plan, app->term);
	return session_confirm(app, "Go on?", error) && apply(app, it, error);
}

/* The lock and the log come only when there is something to do: a second run leaves no trace. */
static bool report_if_up_to_date(App *app, const char *word, bool *is_done, GError **error)
{
	g_auto(Preparation) it = { 0 };
	g_autofree char *unfinished = txn_find_unfinished(app->paths->state);

	*is_done = false;
	if (unfinished)
		return true;
	if (!prepare(app, word, &it, error))
		return false;

	*is_done = is_up_to_date(it.plan);
	if (*is_done)
		report_no_change(app, it.plan);
	return true;
}

bool install_now(App *app, const char *word, GError **error)
{
	g_auto(Preparation) it = { 0 };

	return prepare(app, word, &it, error) && install_prepared(app, &it, error);
}

static bool install(App *app, const char *word, GError **error)
{
	bool is_done = false;

	if (!report_if_up_to_date(app, word, &is_done, error))
		return false;
	if (is_done)
		return true;

	g_autoptr(Lock) lock = session_begin(app, "install", error);
	g_autoptr(HostState) host = lock ? host_new(app, NULL, error) : NULL;
	return host && session_settle(app, host_get(host), error) && install_now(app, word, error);
}

static bool print_script(App *app, const char *word, GError **error)
{
	g_auto(Preparation) it = { 0 };

	if (!prepare(app, word, &it, error))
		return false;

	g_autofree char *script = policy_root_script(it.plan);
	session_put(app, "root_script", json_string(script));
	session_put(app, "changed", json_false());
	term_print(app->term, "%s", script);
	return true;
}

static bool install_all(App *app, char **argv, GError **error)
{
	for (; *argv; argv++)
		if (is_script_asked ? !print_script(app, *argv, error)
		                    : !install(app, *argv, error))
			return false;

	return true;
}

bool command_install(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	return timeline_open(app, "install", argv, error) &&
	       timeline_close(app, install_all(app, argv, error), error);
}
