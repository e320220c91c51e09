/* installer/compose_fault.h - what a failure of docker compose means
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/**
 * Sets the failure of "docker compose @verb" from what it wrote to stderr: the last lines, the likely
 * cause, and a status: UNAVAILABLE (an image cannot be had; the engine went away), FAILED (a port is
 * taken), UNVERIFIED (a service is not healthy or ended), IO (the engine's disk is full), DENIED, CONFIG
 * (a compose file is wrong); UNAVAILABLE for anything else.
 */
void compose_fault_set(GError **error, const char *verb, const char *project, const char *said);
