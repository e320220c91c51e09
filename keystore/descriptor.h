/* keystore/descriptor.h - a secret that somebody writes into a pipe
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** How long the other end may take; a password manager asks its user first. */
#define DESCRIPTOR_TIMEOUT_MS 120000

/**
 * Reads @fd to its end and takes one trailing line break off.  Blocks.
 *
 * Returns: (transfer full): 1 to @max_bytes bytes as a secret; or NULL with BAD_SECRET (empty, too
 * long), or in domain FAULT: DEADLINE, IO, or a cancellation set.
 */
GBytes *descriptor_read_secret(int fd, gsize max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: @size without one line break, LF or CR LF, at the end of @data. */
gsize descriptor_chomp(const char *data, gsize size);
