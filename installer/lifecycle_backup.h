/* installer/lifecycle_backup.h - a directory with the data of a project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle_volumes.h"

/** Schema number of a backup. */
#define BACKUP_SCHEMA 1

/**
 * A backup is a directory (0700) with a file VOLUME.tar for each volume and manifest.json: schema, stack,
 * title, version, project, created, is_live, and volumes, each with name, key, driver, labels, options,
 * file, size_bytes and sha256.  It is written beside its place and renamed when it is whole.
 */
typedef struct {
	char *directory;
	GPtrArray *volumes; /* (element-type Volume) */
} Backup;

/** Writes the volumes of @project, or those of @only (nullable), into @directory, which does not exist.
 *  @is_live: services write meanwhile.  Nothing is left after a failure.  Returns: false with CANNOT_CREATE,
 *  IO (the disk is full), CONFIG (one of @only is not there) or the errors of helper_make() and
 *  volume_save() set. */
bool backup_write(const Lifecycle *life, const LifeProject *project, char *const *only,
                  const char *directory, bool is_live, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads a backup and compares every digest.  Returns: (transfer full): NULL with CANNOT_CREATE (there is
 *  none), DATA (it is not whole), CONFIG (it is of another stack or project) or UNTRUSTED set. */
Backup *backup_open(const Lifecycle *life, const char *directory,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void backup_free(Backup *backup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Backup, backup_free)

/** Makes the volumes of the backup what they were.  No container of the project is there. */
bool backup_load(const Backup *backup, const LifeProject *project,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
