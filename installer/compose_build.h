/* installer/compose_build.h - images that compose builds, where the network has a proxy
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/compose.h"

/**
 * Builds the project's images that are not there yet, with the proxy variables of our environment as
 * build arguments that every Dockerfile knows; compose itself hands none of them on.  Nothing is done
 * without such a variable: compose_up() builds by itself.
 *
 * What the engine pulls, the first line of a Dockerfile too, goes through the engine's own proxy and trusts
 * the engine's own CA certificates.  Those of a build are no arguments: the project's files name them, as
 * a secret with the file of SLIPWAY_CA_BUNDLE (compose_project.h), so that they are in no image.
 *
 * Returns: false with the errors of compose_up() and compose_config() set.
 */
bool compose_build_missing(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
