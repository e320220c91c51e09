/* installer/deploy_traffic.c - requests are led to another colour, step by step
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/deploy_traffic.h"

#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "installer/deploy_target.h"

#define LOOK_MS 500
#define DRAIN_S 60
#define QUIET_LOOKS 2
/* A proxy that starts again answers after about a second. */
#define ABSENT_S 15
/* ... and knows the addresses of the servers another one later. */
#define DOWN_S 3

/** One step while it is watched. */
typedef struct {
	guint percent;
	gint64 start_us;
	HaproxyServer before; /* counters when it began; its texts are not kept */
	guint64 responses, errors;
	gint64 absent_us; /* since when the proxy has not answered; 0: it does */
	gint64 down_us;   /* since when it does not call the server up; 0: it does */
} Watch;

char *deploy_traffic_row(guint percent)
{
	return g_strdup_printf("traffic-%u", percent);
}

static guint seconds_of(const Watch *watch)
{
	return (guint)((g_get_monotonic_time() - watch->start_us) / G_USEC_PER_SEC);
}

/* The counters of a proxy that was started again begin at 0. */
static void count(Watch *watch, const HaproxyServer *now)
{
	if (now->responses < watch->before.responses || now->errors < watch->before.errors)
		watch->before.responses = watch->before.errors = 0;
	watch->responses = now->responses - watch->before.responses;
	watch->errors = now->errors - watch->before.errors;
}

/* What was read once, without texts. */
static bool take_counters(const Deploy *it, guint to, HaproxyServer *counters, GError **error)
{
	g_auto(HaproxyServer) server = { 0 };

	if (!haproxy_look(&it->proxy, stack_colours[to], &server, error))
		return false;
	*counters = (HaproxyServer){ .responses = server.responses, .errors = server.errors };
	return true;
}

static bool has_lasted(gint64 *since_us, bool is_so, guint seconds)
{
	gint64 now_us = g_get_monotonic_time();

	if (!is_so)
		*since_us = 0;
	else if (*since_us == 0)
		*since_us = now_us;
	return is_so && now_us - *since_us >= (gint64)seconds * G_USEC_PER_SEC;
}

static bool judge_server(const Deploy *it, Watch *watch, guint to, const HaproxyServer *server,
                         GError **error)
{
	bool is_down = !g_str_has_prefix(server->status, "UP");

	if (watch->errors > it->tunables.step_errors)
		fault_set(error, STATUS_FAILED, NULL,
		          "%s answered with %" G_GUINT64_FORMAT
		          " errors at %u %% of the traffic; %u are let pass",
		          it->services[to], watch->errors, watch->percent,
		          it->tunables.step_errors);
	else if (has_lasted(&watch->down_us, is_down, DOWN_S))
		fault_set(error, STATUS_FAILED, NULL,
		          "the proxy calls %s %s (%s) at %u %% of the traffic", it->services[to],
		          server->status, server->check, watch->percent);
	else
		return true;
	return false;
}

static bool judge_container(const Deploy *it, const Watch *watch, guint to, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *how = NULL;
	bool is_well = deploy_is_well(it, to, &how, &cause);

	if (cause) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	if (!is_well)
		fault_set(error, STATUS_FAILED, NULL, "%s is not well (%s) at %u %% of the traffic",
		          it->services[to], how ? how : "gone", watch->percent);
	return is_well;
}

/* A proxy that is not there for a moment is no fault of the new colour. */
static bool is_absent_shortly(Watch *watch, const GError *cause)
{
	bool is_absent = cancel_signal() == 0 && (fault_status(cause) == STATUS_UNAVAILABLE ||
	                                          fault_status(cause) == STATUS_DEADLINE);

	return is_absent && !has_lasted(&watch->absent_us, true, ABSENT_S);
}

static bool look(const Deploy *it, Watch *watch, guint to, GError **error)
{
	g_auto(HaproxyServer) server = { 0 };
	g_autoptr(GError) cause = NULL;

	if (!haproxy_look(&it->proxy, stack_colours[to], &server, &cause)) {
		if (is_absent_shortly(watch, cause))
			return true;
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	watch->absent_us = 0;
	count(watch, &server);
	return judge_server(it, watch, to, &server, error) && judge_container(it, watch, to, error);
}

/* Few requests make few errors: more bad answers than good ones are too many, too. */
static bool judge_end(const Deploy *it, const Watch *watch, guint to, GError **error)
{
	if (watch->errors * 2 <= watch->responses)
		return true;
	fault_set(error, STATUS_FAILED, NULL,
	          "%s answered with %" G_GUINT64_FORMAT
	          " errors at %u %% of the traffic, to %" G_GUINT64_FORMAT " requests",
	          it->services[to], watch->errors, watch->percent, watch->responses);
	return false;
}

static void show(const Deploy *it, const Watch *watch, const char *row)
{
	guint seconds = MIN(seconds_of(watch), it->tunables.step_s);
	g_autofree char *detail = g_strdup_printf(
		"%u of %u s; %" G_GUINT64_FORMAT " requests, %" G_GUINT64_FORMAT " errors", seconds,
		it->tunables.step_s, watch->responses, watch->errors);

	deploy_show(it, row, PROGRESS_RUNNING, (double)seconds / it->tunables.step_s, detail);
}

static bool watch_step(Deploy *it, Watch *watch, guint to, const char *row, GError **error)
{
	gint64 end_us = watch->start_us + (gint64)it->tunables.step_s * G_USEC_PER_SEC;

	for (;;) {
		if (!look(it, watch, to, error))
			return false;
		show(it, watch, row);
		/* Not while the proxy is away: nothing was seen then. */
		if (g_get_monotonic_time() >= end_us && watch->absent_us == 0 &&
		    watch->down_us == 0)
			return judge_end(it, watch, to, error);
		if (!cancel_pause(LOOK_MS, error))
			return false;
	}
}

static bool step(Deploy *it, guint to, guint percent, json_t *steps, GError **error)
{
	guint weights[STACK_COLOURS] = { 0 };
	g_autofree char *row = deploy_traffic_row(percent);
	Watch watch = { .percent = percent };

	weights[to] = percent;
	weights[deploy_other(to)] = 100 - percent;
	deploy_show(it, row, PROGRESS_RUNNING, 0, NULL);
	if (!deploy_set_weights(it, weights, error) || !take_counters(it, to, &watch.before, error))
		return false;

	watch.start_us = g_get_monotonic_time();
	bool is_good = watch_step(it, &watch, to, row, error);
	deploy_show(it, row, is_good ? PROGRESS_DONE : PROGRESS_FAILED, -1, NULL);
	json_array_append_new(steps, json_pack("{s:i, s:i, s:I, s:I}", "percent", percent,
	                                       "seconds", seconds_of(&watch), "responses",
	                                       (json_int_t)watch.responses, "errors",
	                                       (json_int_t)watch.errors));
	log_line("deploy", "%u %%: %" G_GUINT64_FORMAT " responses, %" G_GUINT64_FORMAT " errors",
	         percent, watch.responses, watch.errors);
	return is_good;
}

bool deploy_traffic(Deploy *it, guint to, json_t *steps, GError **error)
{
	if (!haproxy_set_ready(&it->proxy, stack_colours[to], error))
		return false;
	for (guint i = 0; i < it->tunables.step_count; i++)
		if (!step(it, to, it->tunables.steps[i], steps, error))
			return false;
	return true;
}

/* Twice in a row without: a request may be on its way to the server while it is looked at. */
bool deploy_drain(const Deploy *it, guint colour, GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)DRAIN_S * G_USEC_PER_SEC;
	guint quiet = 0;

	for (;;) {
		g_auto(HaproxyServer) server = { 0 };

		if (!haproxy_look(&it->proxy, stack_colours[colour], &server, NULL))
			return cancel_check(error);
		quiet = server.sessions == 0 ? quiet + 1 : 0;
		if (quiet == QUIET_LOOKS || g_get_monotonic_time() > deadline_us)
			return cancel_check(error);
		if (!cancel_pause(LOOK_MS, error))
			return false;
	}
}
