/* checks/check_table.h - the table of checks: what each one is
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "checks/facts_machine.h"

typedef enum {
	CHECK_PASS,
	CHECK_WARN,    /* installation goes on */
	CHECK_FAIL,    /* installation stops before it changes anything */
	CHECK_UNKNOWN, /* a fact it needs could not be read; never counted as met */
	CHECK_SKIPPED, /* does not apply here, or what it depends on is not met */
	CHECK_IGNORED, /* would not pass; the user said to go on */
} CheckVerdict;

/** Returns: the stable word: "pass", "warn", "fail", "unknown", "skipped", "ignored". */
const char *check_verdict_name(CheckVerdict verdict);

/** What it takes to know. */
typedef enum {
	CHECK_LOCAL,   /* files and system calls: always looked at */
	CHECK_ENGINE,  /* the container engine is asked, where one is needed */
	CHECK_NETWORK, /* servers are asked, where something has to come from them */
	CHECK_SLOW,    /* a program is run: when somebody asks for it, or the number is needed */
} CheckCost;

/** Returns: the stable word: "local", "engine", "network", "slow". */
const char *check_cost_name(CheckCost cost);

typedef struct CheckNeeds CheckNeeds;
typedef struct CheckRun CheckRun;

/**
 * One requirement.  A row of the table holds all there is to know about it: to add a check, write
 * its judge in checks/check_GROUP.c and one row in checks/check_table_GROUP.c.
 */
typedef struct {
	const char *id;        /* stable, dotted: in --ignore, in JSON, in bug reports */
	const char *title;     /* what is judged, a noun phrase */
	CheckVerdict severity; /* the worst verdict when it is not met; PASS: it only tells */
	CheckCost cost;
	const char *depends; /* (nullable): id of a row above; skipped when that is not met */
	const char *source;  /* where the number comes from; a finding may know it better */
	const char *remedy;  /* what the user can do; a sentence; a finding may know it better */
	const char *explain; /* why it matters, and where a threshold comes from; sentences */
	bool (*applies)(const Facts *facts, const CheckNeeds *needs); /* (nullable): always */
	void (*judge)(CheckRun *run);                                 /* adds one finding or more */
} Check;

/** A walk through the table; all zero at its start. */
typedef struct {
	gsize group;
	const Check *next; /* (nullable): NULL at the start of a group */
} CheckWalk;

/** Returns: (transfer none) (nullable): the next row, in the order in which they are judged; NULL behind the last. */
const Check *check_next(CheckWalk *walk);

/** Returns: (transfer none) (nullable): the check with that id. */
const Check *check_find(const char *id);
