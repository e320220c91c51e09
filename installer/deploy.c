/* installer/deploy.c - a new version takes the place of the old one, without a pause, or is taken back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy.h"

#include <string.h>

#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "installer/deploy_keep.h"
#include "installer/deploy_settle.h"
#include "installer/deploy_target.h"
#include "installer/deploy_traffic.h"
#include "installer/document.h"
#include "installer/engine_pull.h"
#include "installer/lifecycle_trouble.h"

/** One deployment while it goes on. */
typedef struct {
	Deploy *it;
	const DeployOrder *order;
	json_t *steps; /* of the traffic */
	gint64 start_us;
	const char *phase; /* that goes on, or failed */
} Change;

static void on_bytes(guint64 done_bytes, guint64 total_bytes, gpointer data)
{
	const Deploy *it = data;

	progress_set_bytes(it->progress, "image", done_bytes, total_bytes);
}

/* Before anything is begun. */
static bool load_image(Deploy *it, DeployColour *colour, GError **error)
{
	g_autofree char *image = g_strdup(colour->image);
	g_autofree char *id = g_strdup(colour->id);

	if (colour->digest)
		return true;
	deploy_show(it, "image", PROGRESS_RUNNING, -1, NULL);
	g_autoptr(EnginePull) pull = engine_pull_new(on_bytes, it);
	g_autoptr(GError) cause = NULL;
	bool is_loaded = engine_pull(it->project->compose->engine, image, pull, &cause);
	g_autofree char *digest = is_loaded ? deploy_image_id(it, image, &cause) : NULL;

	deploy_show(it, "image", digest ? PROGRESS_DONE : PROGRESS_FAILED, -1, NULL);
	if (digest)
		deploy_colour_set(colour, image, digest, id);
	else if (cause)
		g_propagate_prefixed_error(error, g_steal_pointer(&cause), "image %s: ", image);
	else
		fault_set(error, STATUS_UNAVAILABLE, NULL, "the engine has not loaded the image %s",
		          image);
	return digest != NULL;
}

static bool is_rollback(const DeployOrder *order)
{
	return g_str_equal(order->action, "rollback");
}

static bool back_up(Change *change, GError **error)
{
	return deploy_backup(change->it, change->order->id, error);
}

static bool start(Change *change, GError **error)
{
	Deploy *it = change->it;
	guint to = change->order->to;
	DeployColour colours[STACK_COLOURS] = { it->state.colours[0], it->state.colours[1] };

	colours[to] = change->order->colour;
	return deploy_write_variables(it, it->state.active, colours, error) &&
	       deploy_start(it, to, it->tunables.health_s, error);
}

static bool verify(Change *change, GError **error)
{
	const DeployColour *colour = &change->order->colour;

	return deploy_verify(change->it, change->order->to, colour->digest, colour->id, error) &&
	       deploy_await_proxy(change->it, change->order->to, change->it->tunables.health_s,
	                          error);
}

static bool lead_traffic(Change *change, GError **error)
{
	return deploy_traffic(change->it, change->order->to, change->steps, error);
}

/* The state decides: what the variables say is put right by it. */
static bool commit(Change *change, GError **error)
{
	Deploy *it = change->it;
	const DeployColour *colour = &change->order->colour;
	guint to = change->order->to;

	if (!cancel_check(error))
		return false;
	deploy_colour_set(&it->state.colours[to], colour->image, colour->digest, colour->id);
	it->state.active = to;
	it->state.has_previous = true;
	it->state.unfinished->is_committed = true;
	return deploy_write_variables(it, to, it->state.colours, error) && deploy_save(it, error);
}

/* In their order; a phase without a row shows its own.  A rollback wants to be quick. */
static const struct {
	const char *name, *row;
	bool (*run)(Change *change, GError **error);
	bool is_for_new; /* not of a rollback */
} phase_table[] = {
	{ "backup", "backup", back_up, true }, { "start", "start", start, false },
	{ "verify", "verify", verify, false }, { "traffic", NULL, lead_traffic, false },
	{ "commit", NULL, commit, false },
};

static bool go_through(Change *change, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(phase_table); i++) {
		const char *row = phase_table[i].row;

		if (phase_table[i].is_for_new && is_rollback(change->order))
			continue;
		change->phase = phase_table[i].name;
		log_line("deploy", "%s", change->phase);
		if (row)
			deploy_show(change->it, row, PROGRESS_RUNNING, -1, NULL);
		bool is_done = cancel_check(error) && phase_table[i].run(change, error);
		if (row)
			deploy_show(change->it, row, is_done ? PROGRESS_DONE : PROGRESS_FAILED, -1,
			            NULL);
		if (!is_done)
			return false;
	}
	return true;
}

static json_t *describe(const Change *change, const char *result)
{
	const DeployOrder *order = change->order;
	gint64 spent_us = g_get_monotonic_time() - change->start_us;
	json_t *record = deploy_describe_run(order->id, order->action, deploy_other(order->to),
	                                     &order->colour, result);

	json_object_set(record, "steps", change->steps);
	json_object_set_new(record, "duration_s",
	                    json_integer((json_int_t)(spent_us / G_USEC_PER_SEC)));
	if (!is_rollback(order)) {
		g_autofree char *backup = deploy_backup_path(change->it, order->id);
		json_put(record, "backup", backup);
	}
	return record;
}

/* A record that cannot be written is told of, but nothing is taken back for it. */
static void record(const Change *change, const char *result, bool is_good)
{
	json_t *entry = describe(change, result);
	g_autoptr(GError) error = NULL;

	if (!is_good)
		json_put(entry, "failed", change->phase);
	session_put(change->it->life->app, "deployment", entry);
	if (!deploy_record(change->it->directory, change->order->id, entry, &error)) {
		g_autofree char *why = fault_message(error);
		term_warn(change->it->life->app->term, "The audit log lacks this: %s.", why);
	}
}

/* What is a failure of the new version is 1; what says more stays. */
static ExitStatus status_of(const GError *cause)
{
	ExitStatus status = fault_status(cause);

	return cancel_signal() != 0 || status == STATUS_IO || status == STATUS_DENIED
	               ? status
	               : STATUS_FAILED;
}

static void leave(const Change *change, const char *message, GError **error)
{
	g_autofree char *hint =
		g_strdup_printf("Look at it; then \"slipway deploy %s --rollback\" takes it back.",
	                        change->it->life->name);

	record(change, "left", false);
	fault_set(error, STATUS_INCOMPLETE, hint, "%s; everything was left as it is", message);
}

/* Says in one message what failed, what that means, and what comes next. */
static void take_back(Change *change, const GError *cause, GError **error)
{
	Deploy *it = change->it;
	g_autofree char *message = fault_message(cause);
	ExitStatus status = status_of(cause);
	bool is_signal = cancel_signal() != 0;
	g_autoptr(GError) second = NULL;

	log_line("deploy", "failed at %s: %s", change->phase, message);
	if (!is_signal && !g_str_equal(change->phase, "backup"))
		trouble_tell_of(it->life, it->project, it->services[change->order->to]);
	if (change->order->keeps_failure && !is_signal) {
		leave(change, message, error);
		return;
	}

	progress_add(it->progress, "back", "lead all traffic back", 5);
	deploy_show(it, "back", PROGRESS_RUNNING, -1, NULL);
	cancel_suspend(true);
	bool is_back = deploy_settle(it, &second);
	cancel_suspend(false);
	deploy_show(it, "back", is_back ? PROGRESS_DONE : PROGRESS_FAILED, -1, NULL);
	record(change, is_back ? "rolled_back" : "rollback_failed", false);
	if (is_back && deploy_end(it, &second)) {
		fault_set(error, status, fault_hint(cause),
		          "%s; all traffic is with %s (%s), and the new version is stopped",
		          message, stack_colours[it->state.active],
		          it->state.colours[it->state.active].image);
		return;
	}
	g_autofree char *why = fault_message(second);
	g_autofree char *hint = g_strdup_printf(
		"Mend that, then \"slipway deploy %s --rollback\" takes it back.", it->life->name);
	fault_set(error, STATUS_INCOMPLETE, hint, "%s; taking it back failed too: %s", message,
	          why);
}

/* The old colour ends, and the receipt gets to know the new one. */
static bool finish(Change *change, GError **error)
{
	Deploy *it = change->it;

	deploy_show(it, "finish", PROGRESS_RUNNING, -1, NULL);
	cancel_suspend(true);
	bool is_done = deploy_settle(it, error) && deploy_tell_receipt(it, error);
	record(change, "deployed", is_done);
	is_done = is_done && deploy_end(it, error);
	cancel_suspend(false);
	deploy_show(it, "finish", is_done ? PROGRESS_DONE : PROGRESS_FAILED, -1, NULL);
	deploy_prune(it);
	if (!is_done)
		g_prefix_error(error, "%s has all traffic, but not all was tidied up: ",
		               stack_colours[it->state.active]);
	return is_done;
}

static bool change_all(Change *change, GError **error)
{
	Deploy *it = change->it;
	const DeployOrder *order = change->order;
	g_autoptr(GError) cause = NULL;

	deploy_state_begin(&it->state, order->action, order->id, order->colour.image, order->to);
	if (!deploy_save(it, error))
		return false;
	if (go_through(change, &cause))
		return finish(change, error);
	deploy_reread(it);
	take_back(change, cause, error);
	return false;
}

static Progress *make_board(const Deploy *it, const DeployOrder *order)
{
	g_autofree char *title = g_strdup_printf("%s: %s to %s", it->life->title,
	                                         order->colour.image, stack_colours[order->to]);
	Progress *board = progress_new(it->life->app->term, title);
	const DeployTunables *tunables = &it->tunables;

	if (!order->colour.digest)
		progress_add(board, "image", "load the image", 60);
	if (!is_rollback(order))
		progress_add(board, "backup", "keep the data", 10);
	progress_add(board, "start", "start the new version", 30);
	progress_add(board, "verify", "try it", 5);
	for (guint i = 0; i < tunables->step_count; i++) {
		g_autofree char *row = deploy_traffic_row(tunables->steps[i]);
		g_autofree char *text = g_strdup_printf("%u %% of the traffic", tunables->steps[i]);
		progress_add(board, row, text, tunables->step_s);
	}
	progress_add(board, "finish", "let the old version end", 5);
	return board;
}

bool deploy_run(Deploy *it, const DeployOrder *order, GError **error)
{
	g_autoptr(json_t) steps = json_array();
	DeployOrder own = *order;
	Change change = { it, &own, steps, g_get_monotonic_time(), NULL };

	own.colour = (DeployColour){ 0 };
	deploy_colour_set(&own.colour, order->colour.image, order->colour.digest, order->colour.id);
	it->progress = make_board(it, order);
	bool is_done = load_image(it, &own.colour, error) && change_all(&change, error);
	g_clear_pointer(&it->progress, progress_free);
	deploy_colour_set(&own.colour, NULL, NULL, NULL);
	return is_done;
}
