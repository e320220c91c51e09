/* installer/lifecycle_before.h - what the engine had of a project before a start, and back to that
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle.h"

/** Containers, volumes and networks of a project at one moment. */
typedef struct {
	GHashTable *containers; /* id -> "running" or another state */
	GHashTable *services;   /* that have a container */
	GHashTable *volumes;
	GHashTable *networks;
} Before;

void before_clear(Before *before);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Before, before_clear)

/** Asks the engine.  Returns: false with its errors set, or with FAILED for a project of that name that
 *  was made from other files: then nothing may be done to it. */
bool before_take(const LifeProject *project, Before *before,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Takes away what came since: containers of services that had none, networks, volumes; and stops what
 * did not run.  What a service had before stays, even where it was made anew.
 *
 * @undone: (element-type utf8): what was taken away, for people, is appended.
 * Returns: false with the engine's error set; what could be taken away is.
 */
bool before_return(const LifeProject *project, const Before *before, GPtrArray *undone,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
