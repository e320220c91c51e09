/* installer/compose_pull.h - images that a project lacks, loaded by the engine before compose starts it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/compose.h"

/**
 * Loads the images of the project that the engine lacks and that are not built, one after another, and
 * tells project->on_bytes.  What cannot be loaded this way is left to compose_up(), which has the accounts
 * of docker's configuration, and says what is wrong: only a network that has gone silent ends it here.
 *
 * Returns: false with DEADLINE or a cancellation set.
 */
bool compose_pull_missing(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
