/* installer/compose.h - a container project: docker compose and the engine's API
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/compose_project.h"
#include "installer/step.h"

/** What the engine has of a project. */
typedef struct {
	guint containers;
	guint settled;  /* run and are not unhealthy or starting, or ended with 0 */
	guint foreign;  /* made from other files than ours */
	json_t *hashes; /* service -> configuration hash of its container */
} ComposeState;

void compose_state_clear(ComposeState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ComposeState, compose_state_clear)

/** Asks the engine for the project's containers; 3 s at most, changes nothing.  Returns: false with
 *  UNAVAILABLE (no engine answers), DENIED, DEADLINE or DATA set. */
bool compose_ask(const ComposeProject *project, ComposeState *state,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads the engine's answer to /containers/json.  Returns: false with DATA set. */
bool compose_parse_containers(const ComposeProject *project, GBytes *answer, ComposeState *state,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks for the project's "/containers/json?all=1", "/volumes" or "/networks".  Returns: (transfer
 *  full): the engine's answer; NULL with the errors of engine_get() set. */
json_t *compose_list(const ComposeProject *project, const char *what,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether a container with these labels was made from the project's files alone, those of today
 *  or earlier ones. */
bool compose_is_ours(const ComposeProject *project, const json_t *labels);

/** Looks whether docker, its compose plugin and the engine answer.  Returns: false with UNAVAILABLE,
 *  DENIED or DEADLINE set. */
bool compose_check(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Starts the project and waits until every service is healthy; then asks again, because compose
 * can exit with 0 without that.  Containers of services that
 * the files no longer have are removed.  A race of compose's own ("network not found") is tried twice.
 *
 * Returns: false with a status of compose_fault_set(), UNVERIFIED (it started, but a service is not
 * healthy), DEADLINE or a cancellation set; containers of the attempt stay for compose_undo().
 */
bool compose_up(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Starts @services in containers that are made anew, and what they depend on; as compose_up(), but
 *  the others are not looked at. */
bool compose_recreate(const ComposeProject *project, char **services,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Starts @service alone, though it be on standby, and waits until it is healthy; as compose_up(), but nothing
 *  else is looked at. */
bool compose_up_alone(const ComposeProject *project, const char *service,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Runs "build" with the options and services behind it in @words.  Returns: false with the errors of
 *  compose_up() set. */
bool compose_build(const ComposeProject *project, const char *const *words,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Looks whether a file of this machine can be mounted into a container: not where the engine runs
 *  elsewhere, or in a virtual machine of Docker Desktop.  Returns: false with the errors of
 *  compose_ask() set. */
bool compose_sees_our_files(const ComposeProject *project, bool *is_seen,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads what "compose ps --all --format json" prints: an array, or an object on each line.
 *  Returns: (transfer full) (nullable): the first service that is not well and why; NULL when all
 *  are.  An empty list is not well. */
char *compose_find_trouble(const char *text);

/** Returns: (transfer full): the images that the project's files name, each once; NULL with the errors of
 *  compose_up() set. */
char **compose_images(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks compose what it makes of the project's files, all of its profiles; no engine is asked.  Returns:
 *  (transfer full): the object; NULL with UNAVAILABLE (no docker, no plugin), DEADLINE, or CONFIG (what
 *  compose says is wrong with the files) set. */
json_t *compose_config(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Removes the project's containers and networks, with @has_volumes its data too (installer/compose_undo.c);
 * needs none of its files.  Idempotent.
 *
 * @left: (element-type utf8): networks that the engine keeps, and why: another container is on them, or an
 * engine before 28.1 has lost count of what is.  Nothing of the project runs then.
 */
bool compose_take_down(const ComposeProject *project, bool has_volumes, GPtrArray *left,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Runs "stop", "start", "restart" for @services, or all, or "down" with such options; needs none of the
 *  project's files. */
bool compose_tell(const ComposeProject *project, const char *verb, char **services,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): an array of the names of the project's volumes; NULL with the errors of
 *  engine_get() set. */
json_t *compose_volumes(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Executes the primitive compose_down (installer/compose_undo.c): removes the project's containers and
 * networks, and volumes that are not among those that the primitive names, where it names some.  Needs
 * none of the project's files.  Idempotent.
 *
 * @left: (element-type utf8): volumes that stay, and containers of somebody else's project of that name.
 *
 * Returns: false with UNAVAILABLE, DENIED, DEADLINE or DATA set.
 */
bool compose_undo(const json_t *primitive, const StepHost *host, const char *txn_dir,
                  GPtrArray *left, GError **error) G_GNUC_WARN_UNUSED_RESULT;
