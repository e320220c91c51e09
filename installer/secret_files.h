/* installer/secret_files.h - keys as files in memory, for the containers of one project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * A directory PLACE/slipway/secrets/PROJECT for each compose project, 0700 and ours from "slipway"
 * down, in a file system that is memory only.  Its files are 0444: nobody else gets through the
 * directory, and whatever user a container runs as can read the one file that is mounted into it.
 * They are gone after a restart of the machine.
 *
 * PLACE is the first of these that is memory: as root /run; else $XDG_RUNTIME_DIR, /run/user/UID;
 * last /dev/shm, with "slipway-UID" below it.
 */

/** Returns: (transfer full): the directory of @project, which need not exist yet; or NULL with
 *  UNAVAILABLE (no place is memory: never a disk) or CONFIG (no name for a project) set. */
char *secret_files_directory(const char *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Makes the files of @directory be @names with @secrets, no more and no fewer; NULL among the secrets:
 * no file.  A file that has the bytes already is not touched: a container that has it mounted goes on
 * seeing it.
 *
 * @changed: (element-type utf8): the names whose file is new, different or gone is appended.
 *
 * Returns: false with DENIED (somebody else's directory is in the way), UNAVAILABLE (it is not in
 * memory) or IO set; every file is then whole, the old or the new one.
 */
bool secret_files_write(const char *directory, const char *const *names, GBytes *const *secrets,
                        GPtrArray *changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether each of @names has its file. */
bool secret_files_are_there(const char *directory, const char *const *names);

/**
 * Removes the directory with all its files, and those above it that are empty then.  Idempotent.
 *
 * Returns: false with FOREIGN (not such a directory), DENIED or IO set.
 */
bool secret_files_remove(const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether engines of this system run on it, and not in a virtual machine. */
bool secret_files_can_be_mounted(void);

/** Returns: whether what is written below the directory @fd stays in memory: tmpfs or ramfs. */
bool secret_files_are_in_memory(int fd);
