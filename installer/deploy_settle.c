/* installer/deploy_settle.c - weights, files and containers become what the state says
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_settle.h"

#include "base/fault.h"
#include "base/log.h"
#include "installer/compose.h"
#include "installer/deploy_target.h"
#include "installer/deploy_traffic.h"

static bool is_running(const Deploy *it, guint colour)
{
	g_autofree char *how = NULL;

	(void)deploy_is_well(it, colour, &how, NULL);
	return how && g_str_has_prefix(how, "Up");
}

static bool give_all(Deploy *it, guint active, GError **error)
{
	guint weights[STACK_COLOURS] = { 0 };

	weights[active] = 100;
	return deploy_set_weights(it, weights, error) &&
	       haproxy_set_ready(&it->proxy, stack_colours[active], error);
}

bool deploy_settle(Deploy *it, GError **error)
{
	guint active = it->state.active;
	guint other = deploy_other(active);

	log_line("deploy", "all to %s", stack_colours[active]);
	if (!deploy_write_variables(it, active, it->state.colours, error))
		return false;
	if (!is_running(it, active) &&
	    (!deploy_start(it, active, it->tunables.rollback_s, error) ||
	     !deploy_await_proxy(it, active, it->tunables.rollback_s, error)))
		return false;
	return give_all(it, active, error) &&
	       (!is_running(it, other) || deploy_drain(it, other, error)) &&
	       deploy_stop(it, other, error);
}

bool deploy_end(Deploy *it, GError **error)
{
	deploy_state_end(&it->state);
	return deploy_save(it, error);
}

bool deploy_tell_receipt(Deploy *it, GError **error)
{
	g_auto(ComposeState) state = { 0 };

	if (!compose_ask(it->project->compose, &state, error))
		return false;

	/* Not the digest of the files: what a person changed in them is not applied to other services. */
	g_autoptr(json_t) result = json_pack("{s:O}", "services", state.hashes);
	return lifecycle_record(it->life, it->project, result, error);
}

void deploy_reread(Deploy *it)
{
	DeployState said = { 0 };
	bool is_there = false;

	if (!deploy_state_read(it->directory, &said, &is_there, NULL) || !is_there) {
		deploy_state_clear(&said);
		return;
	}
	deploy_state_clear(&it->state);
	it->state = said;
}

json_t *deploy_describe_run(const char *id, const char *action, guint from,
                            const DeployColour *colour, const char *result)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *when = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	const char *asked = g_getenv("SUDO_USER");

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s}", "id", id, "time",
	                 when, "actor", asked && *asked ? asked : g_get_user_name(), "host",
	                 g_get_host_name(), "action", action, "from", stack_colours[from], "to",
	                 stack_colours[deploy_other(from)], "image", colour->image, "digest",
	                 colour->digest, "result", result);
}

/* The record of a run that was killed; the run that ends it is another one. */
static bool record_recovery(const Deploy *it, const DeployUnfinished *was, GError **error)
{
	g_autofree char *id = g_strconcat(was->id, "-recovered", NULL);
	const DeployColour colour = { .image = was->image };
	g_autoptr(json_t) record =
		deploy_describe_run(id, "recover", was->from, &colour, "recovered");

	json_put(record, "active", stack_colours[it->state.active]);
	json_object_set_new(record, "steps", json_array());
	json_object_set_new(record, "duration_s", json_integer(0));
	return deploy_record(it->directory, id, record, error);
}

bool deploy_recover(Deploy *it, bool *was_committed, GError **error)
{
	DeployUnfinished *was = it->state.unfinished;
	g_autoptr(GError) cause = NULL;

	*was_committed = was && was->is_committed;
	if (!was)
		return true;

	g_autofree char *id = g_strdup(was->id);
	g_autofree char *image = g_strdup(was->image);
	const DeployUnfinished told = { .id = id, .image = image, .from = was->from };
	term_note(it->life->app->term,
	          *was_committed
	                  ? "The deployment %s did not end; first it is ended: all traffic to %s."
	                  : "The deployment %s did not end; first it is taken back: all "
	                    "traffic to %s.",
	          id, stack_colours[it->state.active]);
	if (deploy_settle(it, &cause) && deploy_tell_receipt(it, &cause) &&
	    record_recovery(it, &told, &cause) && deploy_end(it, &cause))
		return true;

	g_autofree char *why = fault_message(cause);
	fault_set(error,
	          cause && fault_status(cause) >= STATUS_HANGUP ? fault_status(cause)
	                                                        : STATUS_INCOMPLETE,
	          "Mend that, then run the same command again.",
	          "the interrupted deployment %s could not be ended: %s", id, why);
	return false;
}
