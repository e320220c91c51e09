/* installer/scheduler.c - steps on threads, side by side
 *
 * One thread for each running step; each is a plain blocking function.  This file's caller alone
 * owns the terminal and the state of the transaction and hears from the threads through one
 * queue.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"
#include "base/fault.h"
#include "base/log.h"
#include "installer/timeline.h"
#include "installer/txn.h"

#define POLL_US 100000

typedef enum { EVENT_REPORT, EVENT_BYTES, EVENT_INTENT, EVENT_END } EventType;

/* What a thread says. */
typedef struct {
	EventType type;
	PlanItem *item;
	double fraction;
	char *detail;        /* EVENT_REPORT */
	guint64 done_bytes;  /* EVENT_BYTES */
	guint64 total_bytes; /* EVENT_BYTES */
	json_t *data;        /* EVENT_INTENT: recipe; EVENT_END: result */
	GError *error;       /* EVENT_END */
} Event;

typedef struct {
	Txn *txn;
	GAsyncQueue *queue;
	guint running;
	guint limit;     /* of --jobs; 0: none */
	GError *failure; /* the first one */
} Scheduler;

/* What a thread gets. */
typedef struct {
	Scheduler *scheduler;
	PlanItem *item;
	json_t *undo; /* (nullable): the recipe of an interrupted run of this step */
} Job;

static void event_free(gpointer data)
{
	Event *event = data;

	g_free(event->detail);
	json_decref(event->data);
	g_clear_error(&event->error);
	g_free(event);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Event, event_free)

static void push(const Scheduler *scheduler, EventType type, PlanItem *item, json_t *data,
                 GError *failure)
{
	Event *event = g_new0(Event, 1);

	event->type = type;
	event->item = item;
	event->data = data;
	event->error = failure;
	g_async_queue_push(scheduler->queue, event);
}

static void report(const StepRun *run, double fraction, const char *detail)
{
	const Job *job = run->scheduler;
	Event *event = g_new0(Event, 1);

	event->type = EVENT_REPORT;
	event->item = job->item;
	event->fraction = fraction;
	event->detail = g_strdup(detail);
	g_async_queue_push(job->scheduler->queue, event);
}

/* Whether somebody was there after the plan was made.  Of a step that was begun and interrupted, an edit
 * may be its own doing. */
static bool was_changed(const Job *job, Probe probe)
{
	const PlanItem *item = job->item;

	if (probe == PROBE_FOREIGN)
		return !item->step->kind->keeps_foreign;
	return !job->undo &&
	       (probe == PROBE_EDITED || (probe == PROBE_BESIDE && item->probe == PROBE_PARTIAL));
}

static void report_bytes(const StepRun *run, guint64 done_bytes, guint64 total_bytes)
{
	const Job *job = run->scheduler;
	Event *event = g_new0(Event, 1);

	event->type = EVENT_BYTES;
	event->item = job->item;
	event->done_bytes = done_bytes;
	event->total_bytes = total_bytes;
	g_async_queue_push(job->scheduler->queue, event);
}

/* Asks once more what is there. */
static bool probe_again(const Job *job, const StepRun *run, Probe *probe, GError **error)
{
	if (!run->step->kind->probe(run, probe, error))
		return false;
	if (!was_changed(job, *probe))
		return true;

	const char *path = json_text(run->step->inputs, "path");
	fault_set(error, STATUS_BUSY, "Run the command again for a new plan.",
	          "the machine changed since the plan was made%s%s%s", path ? ": " : "",
	          path ? path : "",
	          !path                     ? ""
	          : *probe == PROBE_FOREIGN ? " is there now, and stays"
	                                    : " was edited, and stays");
	return false;
}

/* Writes the recipe down before anything happens.  A step that was interrupted keeps the recipe
 * of its first run: the state before is the one from before that run. */
static bool write_intent(const Job *job, const StepRun *run, GError **error)
{
	if (job->undo)
		return true;

	g_autoptr(json_t) undo = run->step->kind->prepare(run, error);
	if (!undo)
		return false;

	json_t *record = json_pack("{s:s, s:s, s:s, s:O}", "type", "step", "id", run->step->id,
	                           "state", "intent", "undo", undo);
	if (!journal_append(job->scheduler->txn->journal, record, error))
		return false;

	push(job->scheduler, EVENT_INTENT, job->item, g_steal_pointer(&undo), NULL);
	return true;
}

/* Returns: what the receipt keeps, or, of a step with nothing to do, what was found. */
static json_t *run_step(const Job *job, const StepRun *run, GError **error)
{
	Probe probe = PROBE_ABSENT;

	if (!cancel_check(error) || !probe_again(job, run, &probe, error))
		return NULL;
	if (!job->undo && !probe_is_due(probe))
		return json_integer(probe);
	if (!write_intent(job, run, error))
		return NULL;

	g_autoptr(json_t) result = run->step->kind->apply(run, error);
	if (!result)
		return NULL;

	json_t *record = json_pack("{s:s, s:s, s:s, s:O}", "type", "step", "id", run->step->id,
	                           "state", "done", "result", result);
	if (!journal_append(job->scheduler->txn->journal, record, error))
		return NULL;
	return g_steal_pointer(&result);
}

static gpointer step_thread(gpointer data)
{
	Job *job = data;
	Txn *txn = job->scheduler->txn;
	GError *failure = NULL;
	StepRun run = {
		.step = job->item->step,
		.txn_dir = txn->dir,
		.token = txn->token,
		.receipt = job->item->record,
		.host = txn->host,
		.report = report,
		.report_bytes = report_bytes,
		.scheduler = job,
	};

	json_t *result = run_step(job, &run, &failure);
	push(job->scheduler, EVENT_END, job->item, result, failure);
	json_decref(job->undo);
	g_free(job);
	return NULL;
}

static void show(const Txn *txn, const PlanItem *item, ProgressState state, double fraction,
                 const char *detail)
{
	progress_set(txn->progress, item->step->id, state, fraction, detail);
	timeline_set(txn->app->timeline, item->step->id, state, detail);
}

static void start(Scheduler *scheduler, PlanItem *item)
{
	const TxnStep *step = txn_find_step(scheduler->txn, item->step->id);
	Job *job = g_new0(Job, 1);

	job->scheduler = scheduler;
	job->item = item;
	job->undo = step && step->state == TXN_STEP_INTENT ? json_incref(step->undo) : NULL;
	item->is_running = true;
	scheduler->running++;
	log_line("step", "%s: start", item->step->id);
	show(scheduler->txn, item, PROGRESS_RUNNING, -1, NULL);
	g_thread_unref(g_thread_new(item->step->kind->name, step_thread, job));
}

/* It has something to do, or depends on a step that has: what the probe said of it may be wrong then.
 * A compose project whose file changes has to be started again. */
static bool may_run(const Plan *plan, const PlanItem *item)
{
	if (plan_item_is_due(item) || item->deferred)
		return !item->deferred;

	for (char **id = item->step->after; *id; id++) {
		const PlanItem *other = plan_find(plan, *id);
		if (other && may_run(plan, other))
			return true;
	}

	return false;
}

static bool is_settled(const Scheduler *scheduler, const PlanItem *item)
{
	const TxnStep *step = txn_find_step(scheduler->txn, item->step->id);

	return item->is_settled || !may_run(scheduler->txn->plan, item) ||
	       (step && step->state == TXN_STEP_DONE);
}

static bool can_start(const Scheduler *scheduler, const PlanItem *item)
{
	if (item->is_running || is_settled(scheduler, item) ||
	    (scheduler->limit && scheduler->running >= scheduler->limit))
		return false;

	for (char **id = item->step->after; *id; id++) {
		const PlanItem *other = plan_find(scheduler->txn->plan, *id);
		if (other && !is_settled(scheduler, other))
			return false;
	}

	return true;
}

static void start_ready(Scheduler *scheduler)
{
	GPtrArray *items = scheduler->txn->plan->items;

	for (guint i = 0; i < items->len && !scheduler->failure; i++)
		if (can_start(scheduler, items->pdata[i]))
			start(scheduler, items->pdata[i]);
}

/* A source that went away is no failure under --defer: the step is taken back and put off. */
static bool defer_step(Scheduler *scheduler, PlanItem *item, const GError *cause)
{
	Txn *txn = scheduler->txn;
	TxnStep *step = txn_find_step(txn, item->step->id);
	g_autofree char *why = fault_message(cause);

	if (step && !txn_undo_step(txn, step, &scheduler->failure))
		return false;

	json_t *extra = json_pack("{s:s}", "why", why);
	plan_defer(txn->plan, item->step->id, why);
	show(txn, item, PROGRESS_DEFERRED, -1, why);
	return txn_record(txn, item->step->id, TXN_STEP_DEFERRED, extra, &scheduler->failure);
}

/* What cannot be had from outside; a full disk, a signal or a bug is a failure of the run. */
static bool may_put_off(const Txn *txn, const PlanItem *item, ExitStatus status)
{
	if (settings_flag(txn->app->settings, "defer") && status == STATUS_UNAVAILABLE)
		return true;
	return item->step->kind->is_put_off &&
	       (status == STATUS_UNAVAILABLE || status == STATUS_UNTRUSTED ||
	        status == STATUS_DATA || status == STATUS_DEADLINE || status == STATUS_BUSY);
}

static void end_failed(Scheduler *scheduler, PlanItem *item, Event *event)
{
	bool may_defer = may_put_off(scheduler->txn, item, fault_status(event->error));

	log_line("step", "%s: %s", item->step->id, event->error->message);
	if (may_defer && !scheduler->failure) {
		(void)defer_step(scheduler, item, event->error);
		return;
	}

	show(scheduler->txn, item, PROGRESS_FAILED, -1, event->error->message);
	if (!scheduler->failure) {
		g_prefix_error(&event->error, "%s: ", item->step->text);
		scheduler->failure = g_steal_pointer(&event->error);
	}
}

static void end_step(Scheduler *scheduler, Event *event)
{
	PlanItem *item = event->item;
	TxnStep *step = txn_find_step(scheduler->txn, item->step->id);

	scheduler->running--;
	item->is_running = false;
	item->is_settled = true;
	if (event->error) {
		end_failed(scheduler, item, event);
		return;
	}

	bool is_skipped = json_is_integer(event->data);
	if (step && !is_skipped) {
		step->state = TXN_STEP_DONE;
		step->result = json_incref(event->data);
	}
	if (is_skipped && plan_item_is_due(item))
		item->probe = (Probe)json_integer_value(event->data);
	log_line("step", "%s: done", item->step->id);
	show(scheduler->txn, item, is_skipped ? PROGRESS_SKIPPED : PROGRESS_DONE, 1, NULL);
}

static void handle(Scheduler *scheduler, Event *event)
{
	switch (event->type) {
	case EVENT_REPORT:
		show(scheduler->txn, event->item, PROGRESS_RUNNING, event->fraction, event->detail);
		break;
	case EVENT_BYTES:
		progress_set_bytes(scheduler->txn->progress, event->item->step->id,
		                   event->done_bytes, event->total_bytes);
		break;
	case EVENT_INTENT:
		txn_follow_intent(scheduler->txn, event->item->step->id, event->data);
		break;
	case EVENT_END:
		end_step(scheduler, event);
		break;
	}
}

static void show_board(Txn *txn)
{
	g_autofree char *title = g_strdup_printf("Installing %s", txn->plan->title);

	txn->progress = progress_new(txn->app->term, title);
	timeline_begin_group(txn->app->timeline);
	for (guint i = 0; i < txn->plan->items->len; i++) {
		const PlanItem *item = txn->plan->items->pdata[i];
		const Step *step = item->step;
		if (may_run(txn->plan, item) || item->deferred) {
			progress_add(txn->progress, step->id, step->text, step->weight);
			timeline_add(txn->app->timeline, step->id, step->text, step->after);
		}
		if (item->deferred)
			show(txn, item, PROGRESS_DEFERRED, -1, item->deferred);
	}
}

bool txn_apply(Txn *txn, GError **error)
{
	g_autoptr(GAsyncQueue) queue = g_async_queue_new_full(event_free);
	Scheduler scheduler = { .txn = txn,
		                .queue = queue,
		                .limit = settings_count(txn->app->settings, "jobs") };

	show_board(txn);
	start_ready(&scheduler);
	while (scheduler.running > 0) {
		g_autoptr(Event) event = g_async_queue_timeout_pop(queue, POLL_US);
		if (event)
			handle(&scheduler, event);
		if (!scheduler.failure && cancel_signal() != 0)
			(void)cancel_check(&scheduler.failure);
		start_ready(&scheduler);
		progress_tick(txn->progress);
	}

	g_clear_pointer(&txn->progress, progress_free);
	if (scheduler.failure) {
		g_propagate_error(error, scheduler.failure);
		return false;
	}
	return true;
}
