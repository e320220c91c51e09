/* installer/handover.h - keys for the containers of a project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/compose.h"
#include "installer/step.h"
#include "payload/stack.h"

/**
 * What a project's services get, as data: the member "handover" of a compose step's inputs, in the
 * journal and in the receipt.  An object with
 *
 *   directory     where the generated files go: PROJECT's own, in the state directory
 *   keys          array: name, is_needed, variable, services, [file_variable], [one_of]
 *   entry_points  object: service -> the words that its image starts
 *
 * The keys themselves are in none of it.  They go into files in memory (installer/secret_files.h), and
 * a generated compose file, keys.json, mounts each into the services that declare it, as
 * /run/secrets/NAME.  An image that wants a variable instead is started through a shim that reads
 * the file inside the container: no key is in what the engine keeps of it.
 *
 * Where the engine does not see our files (Docker Desktop and engines elsewhere have a file system of
 * their own), compose copies the keys into the containers, from its own environment.  That leaves them
 * on the engine's disk until the container is removed, and every user is told.
 */

/** Returns: (transfer full) (nullable): the hand-over for @project; NULL when no service of @profile
 *  gets a key. */
json_t *handover_plan(const Stack *stack, const char *profile, const char *project,
                      const char *state_dir);

/** One hand-over. */
typedef struct {
	bool is_for_running; /* set before: no container is made anew after it.  A key that is gone is
	                        an empty file then, for a container that could else not start again */
	char *directory;     /* (nullable): of the keys; NULL: through compose's environment */
	char **names;        /* keys that there are */
	GPtrArray *changed; /* (element-type utf8): names whose file is new, different or gone */
	GPtrArray
		*passing; /* (element-type utf8): names that only the environment of this run has */
	GPtrArray *environment; /* (element-type GBytes): "NAME=secret", for compose */
} Handover;

void handover_clear(Handover *it);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Handover, handover_clear)

/** Adds the primitive that takes the hand-over back, (transfer none) @recipe.  Returns: false with
 *  the error of secret_files_directory() set. */
bool handover_prepare(const json_t *inputs, json_t *recipe, GError **error);

/**
 * Takes the keys from the keystore, writes them and the generated files.  @project has keys.json among
 * its files already, and gets the environment that compose needs; it must not outlive @it.  Without a
 * "handover" in @inputs there is nothing to do.
 *
 * @record: (nullable): of an earlier hand-over, which tells the way; without one, the engine is asked.
 *
 * Returns: false with CONFIG (a needed key is not there), an error of the keystore, of
 * secret_files_write(), of compose_sees_our_files() or of a file set.
 */
bool handover_make(const json_t *inputs, const json_t *record, const StepHost *host,
                   ComposeProject *project, Handover *it, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): what people have to know of it. */
char *handover_note(const Handover *it);

/** Returns: (transfer full): what the receipt keeps of it: "directory", "names". */
json_t *handover_record(const Handover *it);

/** Removes the keys that are in memory for the project of @inputs.  Idempotent.  Returns: false with the
 *  errors of secret_files_remove() set. */
bool handover_forget(const json_t *inputs, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether the files that a record speaks of are there; true without a record. */
bool handover_is_there(const json_t *record);

/** Returns: (transfer full): the services of @inputs that get one of @names, each once. */
char **handover_services(const json_t *inputs, const GPtrArray *names);

/** Returns: (transfer full): keys.json.  @directory (nullable): as in Handover. */
json_t *handover_render(const json_t *handover, const char *directory, const char *const *names);

/** Executes the primitive handover_remove.  Idempotent. */
bool handover_undo(const json_t *primitive, GError **error) G_GNUC_WARN_UNUSED_RESULT;
