/* installer/preflight.h - what a stack needs of the machine, as the checks want it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/check.h"
#include "installer/command.h"
#include "installer/plan.h"

/** Needs, and what they point to. */
typedef struct {
	CheckNeeds needs;
	GArray *disk;        /* (element-type CheckDiskNeed) */
	GArray *ports;       /* (element-type CheckPortNeed) */
	GArray *models;      /* (element-type CheckModelNeed) */
	GPtrArray *services; /* (element-type utf8): names of containers, borrowed */
	bool is_slow_asked; /* set it to run nvidia-smi even where memory is large enough, and the compose
	                      * plugin where no file says its version */
	Term *term; /* (nullable): hears that Docker Desktop is asleep; without it nobody waits for it */
	GPtrArray *
		secrets; /* (element-type utf8): files that only their owner should read; NULL ends it */
	char *others; /* (nullable): names of other stacks that are installed */
	char *prefix;
	char *state;
	const Stack *stack;  /* (nullable) */
	const char *profile; /* (nullable) */
	bool are_packages_known;
	FactsReading *ahead; /* (nullable): the engine is asked already */
} Preflight;

/** Needs of a machine of which nothing but a small stack is wanted: 4 GiB of memory, 10 GiB of
 *  disk.  Source: the smallest of the embedded stacks asks for as much. */
#define PREFLIGHT_MEMORY_BYTES (G_GUINT64_CONSTANT(4) << 30)
#define PREFLIGHT_DISK_BYTES (G_GUINT64_CONSTANT(10) << 30)
/** Journal, receipt, log and backups. */
#define PREFLIGHT_STATE_BYTES (G_GUINT64_CONSTANT(64) << 20)

/**
 * @stack: (nullable): NULL for the needs above; it and @profile must outlive what is returned.
 * @profile: (nullable) @prefix, @state: absolute directories that are written to.
 *
 * Returns: (transfer full): the needs; needs_packages is not known before preflight_facts(), or
 * preflight_set_packages().
 */
Preflight *preflight_new(const Stack *stack, const char *profile, const char *prefix,
                         const char *state);

/**
 * The needs on a machine that only its facts describe: which programs it has, they do not say, so that
 * a stack with tools needs packages.
 *
 * @prefix: (nullable): instead of the stack's own.  @home: the home directory there.
 *
 * Returns: (transfer full): the needs.
 */
Preflight *preflight_new_elsewhere(const Stack *stack, const char *profile, const char *prefix,
                                   const char *home);
void preflight_free(Preflight *preflight);

/** Takes in what is installed on this machine: the needs of stacks other than @stack (nullable), and the files
 *  that hold secrets. */
void preflight_take_installed(Preflight *preflight, const App *app, const Stack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Preflight, preflight_free)

/** Returns: (transfer full): the facts that judging @preflight takes; blocks as facts_read(). */
Facts *preflight_facts(Preflight *preflight);

/** Says whether packages are installed, where a plan knows better than the search for the stack's tools
 *  that preflight_facts() makes. */
void preflight_set_packages(Preflight *preflight, bool needs_packages);

/** Asks the servers that the stack is loaded from, its mirrors, and the registries of its images, within
 *  the setting check-timeout, and adds them to @facts.  @bundle: (nullable): every embedded stack. */
void preflight_ask_servers(App *app, const StackBundle *bundle, Facts *facts);

/** Judges the machine before @plan is applied; shows what does not pass.  Returns: false with FAILED
 *  set when a check fails that is not ignored. */
bool preflight_pass(App *app, const StackBundle *bundle, const Plan *plan,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
