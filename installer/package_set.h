/* installer/package_set.h - which packages a machine has, and what would change
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/json.h"

/** The packages of a machine.  A name carries its architecture only where it is not the machine's
 *  own: "git", "libc6:i386". */
typedef struct {
	GHashTable *installed; /* name -> version: all that have files on the disk */
	GHashTable *residue;   /* set of names: removed, their configuration is still there */
	GHashTable *broken;    /* set of names: half installed or not configured */
	GHashTable *torn;      /* set of names: broken while their files were put in place */
	GHashTable *automatic; /* set of names: installed only because others need them */
} PackageSet;

PackageSet *package_set_new(void);
void package_set_free(PackageSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PackageSet, package_set_free)

/** Returns: (transfer full): for a snapshot file, and back; NULL with DATA set. */
json_t *package_set_to_json(const PackageSet *set);
PackageSet *package_set_from_json(const json_t *object, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What one transaction does; from a simulation or from two sets. */
typedef struct {
	GPtrArray *added;    /* names */
	GPtrArray *upgraded; /* "git 2.39.2 -> 2.39.5" */
	GPtrArray *removed;  /* names */
} PackageChanges;

PackageChanges *package_changes_new(void);
void package_changes_free(PackageChanges *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PackageChanges, package_changes_free)

/** Returns: (transfer full): what happened between two snapshots, each list sorted. */
PackageChanges *package_changes_between(const PackageSet *before, const PackageSet *after);

/** Returns: (transfer full): the array of names as JSON. */
json_t *package_names_to_json(const GPtrArray *names);

/** A configuration file that a package brought, as it brought it. */
typedef struct {
	char *path;
	char *md5;
} PackageConffile;

void package_conffile_free(PackageConffile *conffile);

/**
 * What a packages step writes down before it installs, so that undo takes away that and no more.
 * Each is a set of names.
 */
typedef struct {
	GHashTable *asked;    /* named by the stack */
	GHashTable *added;    /* not there before: the named ones and what they need */
	GHashTable *services; /* of @added: run a service, so they may hold data; never purged */
	bool is_finished;     /* the installation went to its end */
} PackageRecord;

PackageRecord *package_record_new(void);
void package_record_free(PackageRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PackageRecord, package_record_free)

/** Reads or replaces (durably) a record; errors as json_read() and file_write(). */
PackageRecord *package_record_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool package_record_write(const PackageRecord *record, const char *path,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
