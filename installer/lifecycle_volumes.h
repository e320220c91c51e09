/* installer/lifecycle_volumes.h - the data of a project, out of its volumes and back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/lifecycle.h"

/** A named volume. */
typedef struct {
	char *name; /* the engine's: "localagent_redis-data" */
	char *key;  /* the compose file's: "redis-data" */
	char *driver;
	json_t *labels, *options; /* objects of strings */
} Volume;

/** Returns: (transfer full) (element-type Volume): the project's, sorted by name; NULL with the errors of
 *  engine_get() set. */
GPtrArray *volumes_list(const LifeProject *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full) (nullable): a volume as volume_to_json() wrote it; NULL when that is none. */
Volume *volume_from_json(const json_t *object);
json_t *volume_to_json(const Volume *volume);
void volume_free(gpointer data);

/**
 * Makes a container that is never started, from an image of the project that is there, with each of
 * @volumes (element-type Volume) in it: the engine reaches their data through it.
 *
 * Returns: (transfer full): its id, for helper_remove(); NULL with UNAVAILABLE set.
 */
char *helper_make(const LifeProject *project, const GPtrArray *volumes, GError **error);

/** Removes it.  Idempotent. */
bool helper_remove(const LifeProject *project, const char *helper,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** A tar file. */
typedef struct {
	guint64 size_bytes;
	char *sha256;
} VolumeFile;

/** Writes what is in a volume as a tar file (0600, synced) to @path, which does not exist.  @file: what
 *  became of it; its digest is (transfer full). */
bool volume_save(const LifeProject *project, const char *helper, const Volume *volume,
                 const char *path, VolumeFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Puts what the tar file at @path has into a volume, which is empty. */
bool volume_load(const LifeProject *project, const char *helper, const Volume *volume,
                 const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes @volume be there and empty, as compose had made it.  No container has it. */
bool volume_renew(const LifeProject *project, const Volume *volume,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
