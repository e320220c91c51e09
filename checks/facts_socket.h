/* checks/facts_socket.h - does anybody listen on a unix socket?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "checks/facts_docker.h"

/** Connects without blocking and hangs up.
 *
 * Returns: ENGINE_OK when somebody accepts; else ABSENT, DENIED, REFUSED; NO_ANSWER for all else. */
EngineState socket_state(const char *path);

/** As socket_state(), and leaves the connection open: @fd is set when the answer is ENGINE_OK. */
EngineState socket_open(const char *path, int *fd);

/** Returns: what errno @failure of connect() means. */
EngineState socket_state_of_errno(int failure);
