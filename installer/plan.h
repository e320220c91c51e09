/* installer/plan.h - from facts, stack and receipt to steps; changes nothing
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/paths.h"
#include "base/term.h"
#include "checks/facts.h"
#include "installer/settings.h"
#include "installer/step.h"
#include "payload/stacks.h"

/** A step and what is known about it before anything runs. */
typedef struct {
	Step *step;          /* owned */
	Probe probe;         /* plan_probe() */
	char *deferred;      /* (nullable): why it is put off */
	json_t *record;      /* (nullable) (transfer none): what the receipt says of it */
	bool is_asked_later; /* its servers, once there are CA certificates: plan_hold_sources() */
	bool is_running;     /* the scheduler's */
	bool is_settled;     /* ended in this run, one way or another */
} PlanItem;

/** What is to be installed, and how.  Everything apply needs goes into the journal from here. */
typedef struct {
	char *stack;
	char *title;
	char *profile;
	char *prefix;
	char *stack_dir;  /* where the stack's files are kept: named by their digest */
	json_t *identity; /* version, origin, digest: for the receipt */
	GPtrArray *items; /* (element-type PlanItem) in an order that respects "after" */
	json_t *tests;    /* array: name, argv, needs (step ids), timeout_s */
	json_t *receipt;  /* (nullable): owned; the stack's entry of the receipt */
	json_t *ports;    /* (nullable): of [port NAME]: NAME -> number; not in the journal */
	char *clash;      /* (nullable): the port that is taken, where the ports were moved */
} Plan;

void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

typedef struct {
	const Settings *settings;
	const Paths *paths;
	const StackBundle *bundle;
	const Facts *facts;
	const json_t *receipt; /* whole receipt */
} PlanRequest;

/** Returns: (transfer full): the plan; NULL with CONFIG (a step of the stack is wrong; file:line),
 *  USAGE (--only, --skip, --profile name nothing) or UNAVAILABLE (no package manager has a tool)
 *  set. */
Plan *plan_make(const PlanRequest *request, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether a plan for @stack chooses its ports: then the facts have to say which of
 *  plan_port_candidates() are free. */
bool plan_chooses_ports(const Stack *stack, const Settings *settings, const json_t *receipt);

/** Returns: whether a template of the profile says "@port_NAME@", so that the port moves when the plan
 *  moves it. */
bool plan_port_is_movable(const StackBundle *bundle, const char *profile, const StackPort *port);

/** Returns: (transfer full): the ports of @stack, and all that they could be moved to; @count of them. */
guint16 *plan_port_candidates(const Stack *stack, gsize *count);

/** Returns: (transfer full): an empty array that owns its PlanItems. */
GPtrArray *plan_items_new(void);

/** Orders the items so that each stands behind what it needs, then leaves out what --only and
 *  --skip say, with what depends on it.  USAGE when they name no step. */
bool plan_select(Plan *plan, char *const *only, char *const *skip,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks every step what is there.  Reads only; fast.  Returns: false with CANNOT_CREATE when
 *  something foreign stands in the way; the message lists all of it. */
bool plan_probe(Plan *plan, const StepHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks, where something is to be done, what files do not tell: StepKind.ask.  Returns: false with an
 *  error set that names the step; nothing was changed. */
bool plan_ask(Plan *plan, const StepHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Where this machine has no CA certificates and @plan's packages bring them, what is loaded by https
 *  cannot be asked for before: those steps wait for the packages, and say so.  After plan_probe(). */
void plan_hold_sources(Plan *plan);

/** Asks the sources of the steps that have something to do, and of those that
 *  plan_hold_sources() did not hold back, whether they answer.  Those that do
 *  not are put off, with what depends on them, if @may_defer; else UNAVAILABLE. */
bool plan_probe_sources(Plan *plan, guint timeout_ms, bool may_defer,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Puts off @id and every step that needs it. */
void plan_defer(Plan *plan, const char *id, const char *why);

/** Returns: whether the item has something to do now. */
bool plan_item_is_due(const PlanItem *item);

/** Returns: how many steps have something to do now; how many are put off. */
guint plan_count_due(const Plan *plan);
guint plan_count_deferred(const Plan *plan);

/** Returns: (transfer none) (nullable). */
PlanItem *plan_find(const Plan *plan, const char *id);

/** Returns: (transfer full): for the journal, and back. */
json_t *plan_to_json(const Plan *plan);
Plan *plan_from_json(const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): for --json: one object for each step with what will happen. */
json_t *plan_describe(const Plan *plan);

/** Shows the plan to a person. */
void plan_print(const Plan *plan, Term *term);
