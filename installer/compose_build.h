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
 * What the engine pulls, the first line of a Dockerfile too, goes through the engine's own proxy, and
 * CA certificates are no build arguments: both are settings of the engine, or of the image.
 *
 * Returns: false with the errors of compose_up() and compose_config() set.
 */
bool compose_build_missing(const ComposeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
