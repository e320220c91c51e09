/* checks/check.h - what a stack needs of a machine, judged
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts.h"

typedef enum {
	CHECK_PASS,
	CHECK_WARN,    /* installation goes on */
	CHECK_FAIL,    /* installation stops before it changes anything */
	CHECK_UNKNOWN, /* a fact it needs could not be read; never counted as met */
	CHECK_SKIPPED, /* does not apply here, or what it depends on is not met */
	CHECK_IGNORED, /* would not pass; the user said to go on */
} CheckVerdict;

/** Bytes that the plan writes below @path. */
typedef struct {
	const char *path;
	guint64 bytes;
} CheckDiskNeed;

typedef struct {
	const char *name;
	guint64 number;
	const char *variable; /* (nullable): environment variable that moves it */
} CheckPortNeed;

/** What is needed; 0 and NULL: nothing of that kind.  All (transfer none). */
typedef struct {
	const char *source; /* who says so: "localagent/stack.ini" */
	guint64 memory_bytes;
	guint64 memory_recommended_bytes;
	const CheckDiskNeed *disk;
	gsize disk_count;
	guint64 engine_disk_bytes;
	guint64 cpus;
	const char *engine;               /* (nullable): minimum version; NULL: no engine needed */
	const char *compose;              /* (nullable): minimum version of the plugin */
	const char *const *architectures; /* (nullable): any */
	const CheckPortNeed *ports;
	gsize port_count;
	bool needs_packages; /* some have to be installed */
	bool needs_keyring;
} CheckNeeds;

typedef struct CheckRun CheckRun;
typedef struct Check Check;

/**
 * One requirement.  A row of check_table[] holds all there is to know about it: to add a check,
 * write its judge in the file of its group and one row.
 */
struct Check {
	const char *id;        /* stable, dotted: in --ignore, in JSON, in bug reports */
	const char *title;     /* what is judged, a noun phrase */
	CheckVerdict severity; /* the worst verdict when it is not met: WARN or FAIL */
	const char *depends;   /* (nullable): id of a row above; skipped when that is not met */
	const char *source;    /* where the number comes from; a finding may know it better */
	const char *remedy;    /* what the user can do; a sentence; a finding may know it better */
	bool (*applies)(const Facts *facts, const CheckNeeds *needs); /* (nullable): always */
	void (*judge)(CheckRun *run);                                 /* adds one finding or more */
};

extern const Check check_table[];
extern const gsize check_count;

/** What came out of one check, for one thing. */
typedef struct {
	const Check *check;
	char *id; /* that of the check; "port.N" for a port */
	CheckVerdict verdict;
	CheckVerdict judged;    /* before it was ignored */
	char *measured;         /* for people: "3.7 GiB"; of a skipped one the reason */
	char *needed;           /* (nullable) */
	guint64 measured_value; /* FACTS_UNKNOWN where there is no number */
	guint64 needed_value;
	const char *unit; /* (nullable): "bytes", "CPUs", "inodes" */
	char *source;
	char *remedy;
} CheckFinding;

/**
 * Judges the machine.  Reads nothing but its arguments.
 *
 * @ignored: (nullable): ids, or patterns as "port.*", in any case: what does not pass and is among
 * them becomes IGNORED; what depends on it is skipped all the same.
 *
 * Returns: (transfer full) (element-type CheckFinding): in the order of the table.
 */
GPtrArray *check_run_all(const Facts *facts, const CheckNeeds *needs, const char *const *ignored);

/** Returns: the stable word: "pass", "warn", "fail", "unknown", "skipped", "ignored". */
const char *check_verdict_name(CheckVerdict verdict);

/** Returns: (transfer none) (nullable): the check with that id. */
const Check *check_find(const char *id);

/** Returns: whether @word of an ignore list is an id or pattern that some finding can have. */
bool check_is_known(const char *word);

/** Returns: (transfer none): the id that looks most like @word. */
const char *check_nearest(const char *word);

/** Returns: (transfer full): "3.7 GiB"; rounded down, so that what is short looks short. */
char *check_format_bytes(guint64 bytes);
