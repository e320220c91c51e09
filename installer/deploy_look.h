/* installer/deploy_look.h - what a deployment of a stack has to do with, and how it is now
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/progress.h"
#include "installer/deploy_files.h"
#include "installer/deploy_state.h"
#include "installer/haproxy.h"
#include "installer/lifecycle_services.h"

/** A stack with colours. */
typedef struct {
	Lifecycle *life;
	LifeProject *project;      /* (transfer none): that has the colours */
	const StackDeploy *about;  /* (transfer none) */
	const StepHost *host;      /* (nullable) (transfer none): for keys */
	char *directory;           /* of its deployments, in the state directory */
	char *variables, *servers; /* files, absolute */
	char *services[STACK_COLOURS];
	Haproxy proxy;
	DeployTunables tunables;
	DeployState state;
	Progress *progress; /* (nullable) (transfer none): while it is changed */
} Deploy;

/** Reads all of it; asks no engine and no proxy.  Without a state.json, or with one that speaks of something
 *  else than the stack's files do, the files are right: it was installed anew.
 *
 *  Returns: (transfer full): NULL with the errors of lifecycle_open() or deploy_state_read(), or CONFIG (the
 *  stack has no colours, or not in its profile; a value in a file is wrong) set. */
Deploy *deploy_open(App *app, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void deploy_free(Deploy *it);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Deploy, deploy_free)

/** Looks for the image in the engine.  Returns: (transfer full) (nullable): its id, "sha256:..."; NULL with no
 *  error set when it is not there, or with the errors of engine_get(). */
char *deploy_image_id(const Deploy *it, const char *image, GError **error);

/** Returns: (transfer full): the id of a new deployment to @colour: "20260131T120000Z-green". */
char *deploy_new_id(guint colour);

/** Makes the variables say that @active is, and what @colours have; other lines stay. */
bool deploy_write_variables(const Deploy *it, guint active, const DeployColour *colours,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gives the colours their part of the traffic, in percent: in the proxy's file, in the proxy and in the state.
 *  A proxy that does not answer is waited for, 15 s. */
bool deploy_set_weights(Deploy *it, const guint weights[STACK_COLOURS],
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Writes the state. */
bool deploy_save(const Deploy *it, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Shows a row of the board, if there is one. */
void deploy_show(const Deploy *it, const char *row, ProgressState state, double fraction,
                 const char *detail);
