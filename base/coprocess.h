/* base/coprocess.h - a child that answers questions over a socket, and that can be killed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * A running child.  Its stdin is one end of a socket pair, its stdout /dev/null, what it writes to
 * stderr goes to the log.  It has the clean environment of base/process.h, a process group of its
 * own, and none of our descriptors.  It must end when its socket is closed: so it does when we die,
 * however we do.
 */
typedef struct Coprocess Coprocess;

/**
 * Starts a program.
 *
 * @argv: argv[0] is absolute.
 * @environment: (nullable): "NAME=value", added to the clean one.
 * Returns: (transfer full): the child, or NULL with UNAVAILABLE set.
 */
Coprocess *coprocess_start(const char *const *argv, const char *environment,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: our end of the socket, a blocking stream; the child's until coprocess_free(). */
int coprocess_fd(const Coprocess *child);

/** Returns: whether the other end of the socket is still open. */
bool coprocess_is_alive(const Coprocess *child);

/** Kills its process group and closes the socket.  Accepts NULL. */
void coprocess_free(Coprocess *child);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Coprocess, coprocess_free)
