/* keystore/guard.h - who else could touch this file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

/**
 * Returns: whether every directory above @path (absolute) belongs to us or root and nobody else can
 * rename something in it; else false with DENIED set, and the command that repairs it as hint.
 */
bool guard_directories(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether @status is of a regular file of ours (@allow_root: or root's) that nobody else
 *  can read or write; else false with DENIED set and a hint. */
bool guard_file(const char *path, const struct stat *status, bool allow_root,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
