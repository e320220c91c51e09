/* installer/step.h - one step of a plan, and the kinds there are
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <jansson.h>
#include <stdbool.h>

#include "base/json.h"

/** What stands on the machine where a step would put its result. */
typedef enum {
	PROBE_ABSENT,  /* nothing */
	PROBE_OURS,    /* exactly what the step would make: nothing to do */
	PROBE_PARTIAL, /* ours, not finished, or of an older definition: apply makes it whole */
	PROBE_BESIDE, /* ours, of an older definition, and edited: apply puts the new one beside it */
	PROBE_FOREIGN, /* somebody else's: never touched */
	PROBE_EDITED,  /* ours, changed by a person since: kept */
} Probe;

/** Returns: whether apply has something to do. */
bool probe_is_due(Probe probe);

typedef struct StepKind StepKind;
typedef struct StepRun StepRun;

/** A step is data: made by the planner, written into the journal, read back by resume.  apply and
 *  undo see nothing of the stack definition but @inputs. */
typedef struct {
	char *id;             /* unique in its plan */
	const StepKind *kind; /* (transfer none) */
	char *text;      /* for people: "check out LocalAgent e75e46a into ~/.localagent/src" */
	char *why;       /* "localagent/stack.ini:31 [step source]" */
	char **after;    /* ids */
	json_t *inputs;  /* object; all that apply needs, absolute paths, no secrets */
	char **commands; /* what runs as root, as exact command lines, for the plan; may be empty */
	char **sources;  /* URLs it downloads from, the first mirror of each; may be empty */
	char *irreversible; /* (nullable): what rollback cannot take back, one phrase */
	guint weight;       /* expected seconds, at least 1 */
} Step;

void step_free(Step *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Step, step_free)

/** Returns: (transfer full): the step as JSON, and back; NULL with FOREIGN set for an unknown kind. */
json_t *step_to_json(const Step *step);
Step *step_from_json(const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): @place and, behind it, where else the same may be had. */
char **step_places(const Step *step, const char *place);
/** Returns: (transfer full): digest of kind and inputs. */
char *step_digest(const Step *step);

/** What a running step may use.  The scheduler makes one for each step; report() is thread-safe. */
struct StepRun {
	const Step *step;
	const char *txn_dir;   /* of this transaction: "backup/", "stack/" (the unpacked stack) */
	const char *token;     /* names and marks what is ours; unique per transaction */
	const json_t *receipt; /* (nullable): of an earlier run: "digest", "undo", "result" */
	const struct StepHost *host;
	void (*report)(const StepRun *run, double fraction, const char *detail);
	void (*report_bytes)(const StepRun *run, guint64 done_bytes, guint64 total_bytes);
	gpointer scheduler; /* private */
};

/** What the steps share. */
typedef struct StepHost {
	bool is_root;
	bool is_privileged;        /* root commands can be run: we are root, or sudo does not ask */
	const char *manager;       /* (nullable): package manager, "apt" */
	const char *ca_bundle;     /* (nullable) */
	struct Keystore *keystore; /* of this run; the caller holds keystore_mutex */
	GMutex *keystore_mutex;
	const char *keystore_path;         /* the store file */
	const char *keystore_new_key_file; /* (nullable): for a new store without a key source */
} StepHost;

/** One kind of step: a row of step_kind_table[].  All functions block and are called on a thread
 *  of their own; they may be called again after a crash at any point. */
struct StepKind {
	const char *name; /* in stack.ini: kind = NAME */
	const char *verb; /* stands before the path where a step has no title */
	/** Keys of a [step] that it knows, NULL-terminated; in front of one: '!' required, '@' names
	 *  members of the stack, '*' a list. */
	const char *const *keys;
	guint weight;        /* expected seconds, at least 1 */
	bool needs_programs; /* runs programs that the packages step may bring */
	bool keeps_foreign;  /* what stands there already is kept and listed, not an error */
	bool is_put_off; /* where it cannot be had, the run goes on without it, as with --defer */

	/** (nullable): of a kind that is one file (installer/step_file.h): its text, where that is no
	 *  member of the stack.  (transfer full). */
	GBytes *(*render)(const StepRun *run, GError **error);
	/** Says what is there: a few file reads, no network, no root.  Must not change anything. */
	bool (*probe)(const StepRun *run, Probe *probe, GError **error);
	/** (nullable): as probe, once a run has something to do: asks servers and programs too. */
	bool (*ask)(const StepRun *run, Probe *probe, GError **error);
	/** Reads what apply will change and returns the undo recipe, an array of primitives
	 *  (installer/undo.h), written down and synced before apply runs.  (transfer full). */
	json_t *(*prepare)(const StepRun *run, GError **error);
	/** Does it; called when probe_is_due().  Returns an object that goes into
	 *  the receipt ("result"); it may hold "undo", which then replaces the recipe of prepare,
	 *  "kept" (paths with edits that stay) and "discard" (older trees, of no use after the commit). */
	json_t *(*apply)(const StepRun *run, GError **error);
};

extern const StepKind *const step_kind_table[]; /* a row for each */
extern const gsize step_kind_count;

/** Returns: (transfer none) (nullable): the kind with that name. */
const StepKind *step_kind_find(const char *name);

/* The kinds, each in installer/step_NAME.c. */
extern const StepKind step_kind_packages, step_kind_source, step_kind_directory, step_kind_file,
	step_kind_wrapper, step_kind_python, step_kind_key, step_kind_archive, step_kind_compose,
	step_kind_unit, step_kind_ollama, step_kind_model, step_kind_repository, step_kind_block,
	step_kind_link, step_kind_sysctl, step_kind_group, step_kind_desktop;
