/* installer/compose_project.h - a container project as data
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/json.h"

/** A project as a step's inputs or a recipe describe it. */
typedef struct {
	char *project;
	char *directory; /* where the stack's files are; relative paths in them start here */
	char **files;    /* absolute */
	char **earlier; /* absolute: of another profile or version, whose containers are ours, too */
	char *env_file; /* (nullable): absolute */
	char *variables; /* (nullable): absolute: a second env file, which says what colour is active */
	json_t *colours; /* (nullable): colour -> service: see payload/stack_deploy.h */
	char *engine; /* (nullable): endpoint, "unix:///run/docker.sock"; that of the inputs, else the
	                    one that docker would talk to; NULL: a context without one */
	char *ca_bundle; /* (nullable): absolute; that of CURL_CA_BUNDLE or SSL_CERT_FILE, which compose
	                    has as SLIPWAY_CA_BUNDLE */
	/* (nullable) (element-type GBytes) (transfer none): "NAME=secret", which "up" gets too */
	GPtrArray *environment;
	guint wait_s; /* for every service to become healthy */
	/* (nullable): hears of each line that "up" prints */
	void (*on_line)(const char *line, gpointer data);
	/* (nullable): hears how much of the missing images was loaded */
	void (*on_bytes)(guint64 done_bytes, guint64 total_bytes, gpointer data);
	gpointer data;
} ComposeProject;

/** Reads "project", "directory", "files", "earlier", "env_file", "deploy" (an object with "variables" and
 *  "colours"), "engine", "wait_s"; with a "handover"
 *  (installer/handover.h) its generated keys.json is one more file.  Returns: (transfer full):
 *  NULL with CONFIG or DATA set. */
ComposeProject *compose_project_new(const json_t *inputs, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As compose_project_new(), on the engine that @result, of the receipt, says it was started on. */
ComposeProject *compose_project_recorded(const json_t *inputs, const json_t *result,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void compose_project_free(ComposeProject *project);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ComposeProject, compose_project_free)

/** Returns: (transfer full) (nullable): the profiles that its variables name: the active colour; NULL for a
 *  project without colours. */
char *compose_profiles(const ComposeProject *project);

/** Returns: (transfer full): the services of the colours that are not active: they need not run. */
char **compose_standby(const ComposeProject *project);

/** Returns: (transfer full) (nullable): SHA-256 over the project's files and its env file, not its
 *  variables, which are slipway's own; NULL when a file cannot be read. */
char *compose_digest(const ComposeProject *project);
