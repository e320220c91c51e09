/* installer/deploy_files.h - the files of a stack that a deployment reads and changes, as texts
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Most steps of traffic.  Source: our own bound. */
#define DEPLOY_STEPS_MAX 20

/** What a person may say in the env file of the stack. */
typedef struct {
	guint steps[DEPLOY_STEPS_MAX]; /* TRAFFIC_STEPS: percent, rising, the last one 100 */
	guint step_count;
	guint step_s;         /* TRAFFIC_STEP_SECONDS: how long each is watched */
	guint step_errors;    /* MAX_STEP_ERRORS: more of them in a step end it */
	guint health_s;       /* HEALTH_CHECK_TIMEOUT: until a new container is well */
	guint rollback_s;     /* ROLLBACK_TIMEOUT: until the old one is, if it has to be started */
	guint retention_days; /* BACKUP_RETENTION_DAYS */
	bool has_rollback;    /* AUTO_ROLLBACK */
} DeployTunables;

/** Reads them out of the env file @text; what it does not say has its default.  Returns: false with CONFIG
 *  set, with @name of the file. */
bool deploy_tunables_read(const char *text, const char *name, DeployTunables *tunables,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): @text of the proxy's file with @weight behind the word "weight" in the
 *  line "server @server ..."; NULL when there is no such line. */
char *deploy_weigh(const char *text, const char *server, guint weight);

/** Returns: whether @image is a reference and names a version: a tag other than "latest", or a digest. */
bool deploy_image_is_fixed(const char *image);
