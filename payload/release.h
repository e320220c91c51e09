/* payload/release.h - what a release consists of: its manifest
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Bounds of a manifest.  Source: ours; a program has under 8 MiB. */
#define RELEASE_MAX_BYTES ((gsize)256 * 1024)
#define RELEASE_MAX_PROGRAM_BYTES ((guint64)64 << 20)
#define RELEASE_MAX_ARTIFACT_BYTES ((guint64)2 << 30)
#define RELEASE_MAX_ARTIFACTS 256

/** One file of a release. */
typedef struct {
	char *kind;     /* "program", "source", … */
	char *platform; /* "linux-x86_64", "any" */
	char *name;
	char *path; /* below the base of all releases; relative, plain */
	guint64 size_bytes;
	char *sha256;
} ReleaseArtifact;

/** A manifest that was read.  It says nothing until its signature was verified. */
typedef struct {
	char *version;
	guint64 serial; /* grows by one with each release; never 0 */
	char *expires;  /* RFC 3339, in UTC */
	gint64 expires_s;
	GPtrArray *artifacts; /* (element-type ReleaseArtifact) */
} Release;

/**
 * Reads a manifest; members that are not known are passed over.
 *
 * Returns: (transfer full): the release; or NULL with DATA set: not JSON, another schema, over a
 * bound, a version, time, path, digest or size that is none, two programs for one platform.
 */
Release *release_parse(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void release_free(Release *release);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Release, release_free)

/** Returns: (transfer none) (nullable): the program for @platform. */
const ReleaseArtifact *release_program(const Release *release, const char *platform);

/** Returns: whether @text is a version as in Semantic Versioning 2.0.0, of at most 64 bytes. */
bool release_is_version(const char *text);

/** Returns: below, equal to or above 0 as version @a comes before, with or after @b.
 *  Source: Semantic Versioning 2.0.0, section 11. */
int release_compare_versions(const char *a, const char *b);

/** Reads "2027-11-21T00:00:00Z" into seconds since 1970.  Returns: false when it is another form
 *  or no such time. */
bool release_parse_time(const char *text, gint64 *seconds);
