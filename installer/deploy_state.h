/* installer/deploy_state.h - which colour of a stack is active, and what was deployed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"
#include "payload/stack_deploy.h"

/** Schema number of state.json; released readers read every older one. */
#define DEPLOY_SCHEMA 1

/** What one colour runs, or ran last. */
typedef struct {
	char *image;  /* as it was asked for: "localagent:v2" */
	char *digest; /* (nullable): id of the image in the engine, "sha256:..." */
	char *id;     /* of the deployment that brought it */
} DeployColour;

/** A deployment that is under way, or was when the program was killed. */
typedef struct {
	char *id, *action, *image, *started;
	guint from, to;
	bool is_committed; /* the state says so already; only the old colour is still to be stopped */
} DeployUnfinished;

/** STATE/deployments/STACK/state.json. */
typedef struct {
	guint active;
	bool has_previous; /* the other colour can be gone back to */
	DeployColour colours[STACK_COLOURS];
	guint weights[STACK_COLOURS]; /* in percent */
	DeployUnfinished *unfinished; /* (nullable) */
} DeployState;

void deploy_state_clear(DeployState *state);

/** Returns: (transfer full): the directory STATE/deployments/STACK. */
char *deploy_directory(const char *state_dir, const char *stack);

/** Sets a colour; strings are copied. */
void deploy_colour_set(DeployColour *colour, const char *image, const char *digest, const char *id);

/** Returns: the other colour. */
guint deploy_other(guint colour);

/** Reads state.json of @directory into @state, which is cleared before.  Returns: true and @is_there false when
 *  there is none; false with FOREIGN (not readable, malformed, of a later version) or DENIED set. */
bool deploy_state_read(const char *directory, DeployState *state, bool *is_there,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes it, synced, and makes the directory (0700). */
bool deploy_state_write(const char *directory, const DeployState *state,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): what state.json has. */
json_t *deploy_state_to_json(const DeployState *state);

/** Starts a deployment in @state, with copies of the strings; the time is now. */
void deploy_state_begin(DeployState *state, const char *action, const char *id, const char *image,
                        guint to);

/** Ends it. */
void deploy_state_end(DeployState *state);

/** Writes @record to reports/@id.json, and appends it to audit.log as one line, synced. */
bool deploy_record(const char *directory, const char *id, const json_t *record,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes all that is kept of the deployments of a stack.  Idempotent. */
bool deploy_forget(const char *state_dir, const char *stack,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
