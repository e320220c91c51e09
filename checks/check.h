/* checks/check.h - what a stack needs of a machine, judged
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check_table.h"
#include "checks/facts.h"

/** Bytes that the plan writes below @path. */
typedef struct {
	const char *path;
	guint64 bytes;
} CheckDiskNeed;

/** A language model that the plan loads, or could load in its place. */
typedef struct {
	const char *name;
	guint64 bytes;   /* of its weights */
	bool is_default; /* the plan loads this one */
} CheckModelNeed;

typedef struct {
	const char *name;
	guint64 number;
	const char *variable; /* (nullable): environment variable that moves it */
} CheckPortNeed;

/** What is needed; 0 and NULL: nothing of that kind.  All (transfer none). */
struct CheckNeeds {
	const char *source; /* who says so: "localagent/stack.ini" */
	guint64 memory_bytes;
	guint64 memory_recommended_bytes;
	guint64 others_memory_bytes; /* needs of the stacks that are installed beside this one */
	const char *others;          /* (nullable): their names, comma between */
	const CheckDiskNeed *disk;
	gsize disk_count;
	guint64 engine_disk_bytes;
	guint64 cpus;
	const char *engine;               /* (nullable): minimum version; NULL: no engine needed */
	const char *compose;              /* (nullable): minimum version of the plugin */
	const char *const *architectures; /* (nullable): any */
	const CheckPortNeed *ports;
	gsize port_count;
	const CheckModelNeed *models;
	gsize model_count;
	const char *const *services; /* (nullable): names of the containers: "redis" */
	const char *project;         /* (nullable): the compose project that they are of */
	const char *git, *python;    /* (nullable): minimum version; "" for any; NULL: not needed */
	bool needs_packages;         /* some have to be installed */
	bool needs_keyring;
	bool runs_models;   /* here, not in a container */
	bool has_user_unit; /* a service of this user is made */
};

/** What came out of one check, for one thing. */
typedef struct {
	const Check *check;
	const char *id; /* that of the check; "port.N" for a port */
	CheckVerdict verdict;
	CheckVerdict judged;    /* before it was ignored */
	char *measured;         /* for people: "3.7 GiB"; of a skipped one the reason */
	char *needed;           /* (nullable) */
	guint64 measured_value; /* FACTS_UNKNOWN where there is no number */
	guint64 needed_value;
	const char *unit; /* (nullable): "bytes", "CPUs", "inodes" */
	const char *source;
	const char *remedy;
	char *own_id, *own_source, *own_remedy; /* (nullable): those that are not of the check */
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

/** Takes the findings out that none of @words, ids or patterns as above, is about. */
void check_keep(GPtrArray *findings, const char *const *words);

/** Returns: whether one of @words, ids or patterns as above, is that of a finding that @check can make. */
bool check_is_named(const Check *check, const char *const *words);

/** Returns: whether @word of an ignore list is an id or pattern that some finding can have. */
bool check_is_known(const char *word);

/** Returns: (transfer full): "; did you mean \"ID\"?" where an id looks like @word, or "". */
char *check_hint(const char *word);

/** What a model needs beside its weights, for its context and the server.  Source: ours; Ollama's rule of
 *  thumb, 8 GiB for 7 billion parameters at 4 bits (4.4 GB), leaves more. */
#define CHECK_MODEL_SPARE_BYTES ((guint64)1 << 30)

/** Returns: memory of the graphics cards that a model can lie in, together: those of one vendor; 0 for none
 *  that is known. */
guint64 check_card_bytes(const Facts *facts);

/** Returns: the most memory that Docker Desktop's machine may have, so that the system keeps what it needs;
 *  FACTS_UNKNOWN where the size of this machine's is not known. */
guint64 check_desktop_memory_most(const Facts *facts);

/** Returns: (transfer full): "3.7 GiB"; rounded down, so that what is short looks short. */
char *check_format_bytes(guint64 bytes);
