/* installer/command_deploy.c - "slipway deploy"
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/deploy.h"
#include "installer/deploy_settle.h"
#include "installer/host.h"
#include "installer/session.h"

static gboolean is_rollback;
static gboolean is_kept;
static gboolean is_dry;

const GOptionEntry command_deploy_options[] = {
	{ "rollback", 0, 0, G_OPTION_ARG_NONE, &is_rollback,
	  "go back to the version before; or take an interrupted deployment back", NULL },
	{ "no-rollback", 0, 0, G_OPTION_ARG_NONE, &is_kept,
	  "leave a deployment that fails as it is, to be looked at", NULL },
	{ "dry-run", 0, 0, G_OPTION_ARG_NONE, &is_dry, "show what would be done; change nothing",
	  NULL },
	{ 0 },
};

static bool fail_usage(GError **error, const char *why)
{
	fault_set(error, STATUS_USAGE, "See \"slipway help deploy\".", "%s", why);
	return false;
}

static bool check_usage(int argc, char **argv, GError **error)
{
	if (is_rollback == (argc > 1))
		return fail_usage(error, argc > 1 ? "--rollback takes no IMAGE"
		                                  : "either an IMAGE or --rollback is needed");
	if (is_rollback && is_kept)
		return fail_usage(error, "--rollback and --no-rollback exclude one another");
	if (is_rollback || deploy_image_is_fixed(argv[1]))
		return true;

	fault_set(error, STATUS_USAGE,
	          "Name a version, such as localagent:1.2.3 or localagent@sha256:...",
	          "%s names no version: without a tag, or with \"latest\", it may be any image",
	          argv[1]);
	return false;
}

/* What was never committed is taken back by recovering alone. */
static bool is_recovery_all(const Deploy *it)
{
	return is_rollback && it->state.unfinished && !it->state.unfinished->is_committed;
}

static bool say_nothing_to_do(const Deploy *it)
{
	const DeployState *state = &it->state;

	session_put(it->life->app, "changed", json_false());
	term_print(it->life->app->term, "%s has the traffic already, with %s; nothing to do.\n",
	           stack_colours[state->active], state->colours[state->active].image);
	return true;
}

/* @is_due: set to whether something is to be done; it was shown then. */
static bool look_first(App *app, const char *name, const DeployWish *wish, bool *is_due,
                       GError **error)
{
	g_autoptr(Deploy) it = deploy_open(app, name, error);
	g_auto(DeployOrder) order = { 0 };

	*is_due = false;
	if (!it)
		return false;
	if (is_recovery_all(it)) {
		*is_due = true;
		term_print(app->term,
		           "Taking the deployment %s, which did not end, back: all traffic to %s "
		           "(%s).\n",
		           it->state.unfinished->id, stack_colours[it->state.active],
		           it->state.colours[it->state.active].image);
		return true;
	}
	if (!deploy_order_make(it, wish, &order, error))
		return false;
	if (!order.is_needed)
		return say_nothing_to_do(it);
	if (!deploy_check(it, error))
		return false;
	*is_due = true;
	deploy_describe(it, &order);
	return true;
}

static void tell(const Deploy *it)
{
	const DeployState *state = &it->state;

	session_put(it->life->app, "changed", json_true());
	session_put(it->life->app, "active", json_string(stack_colours[state->active]));
	term_print(it->life->app->term, "%s has all traffic, with %s.\n",
	           stack_colours[state->active], state->colours[state->active].image);
	if (state->has_previous)
		term_print(it->life->app->term,
		           "\"slipway deploy %s --rollback\" goes back to %s.\n", it->life->name,
		           state->colours[deploy_other(state->active)].image);
}

/* The state is read again behind the lock. */
static bool run_locked(App *app, const char *name, const DeployWish *wish, GError **error)
{
	g_autoptr(Lock) lock = session_begin(app, "deploy", error);
	g_autoptr(Deploy) it = lock ? deploy_open(app, name, error) : NULL;
	g_autoptr(HostState) host = it ? host_new(app, NULL, error) : NULL;
	g_auto(DeployOrder) order = { 0 };
	bool was_committed = false;

	if (!host)
		return false;
	it->host = host_get(host);
	bool is_all = is_recovery_all(it);
	if (!deploy_recover(it, &was_committed, error))
		return false;
	if (!is_all && !deploy_order_make(it, wish, &order, error))
		return false;
	if (!is_all && !order.is_needed && !was_committed)
		return say_nothing_to_do(it);
	if (!is_all && order.is_needed && !deploy_run(it, &order, error))
		return false;
	tell(it);
	return true;
}

bool command_deploy(App *app, int argc, char **argv, GError **error)
{
	const DeployWish wish = { .image = argc > 1 ? argv[1] : NULL, .keeps_failure = is_kept };
	bool is_due = false;

	if (!check_usage(argc, argv, error) || !look_first(app, argv[0], &wish, &is_due, error))
		return false;
	if (is_dry)
		session_put(app, "changed", json_false());
	if (is_dry || !is_due)
		return true;
	return session_confirm(app, "Do that?", error) && run_locked(app, argv[0], &wish, error);
}
