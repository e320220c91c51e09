/* payload/archive.h - archives, all of them treated as hostile
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Bounds of one unpacking; 0 means the default.  Source: facts on hostile archives, DEFLATE's
 *  own maximum ratio is 1032:1. */
typedef struct {
	guint64 max_entries;     /* 50,000 */
	guint64 max_file_bytes;  /* 8 GiB */
	guint64 max_total_bytes; /* 32 GiB, logical size */
	guint max_ratio;         /* 200, after the first MiB */
	const char *const
		*only; /* (nullable): only entries below one of these prefixes, e.g. "octollm/" */
	guint strip_components; /* leading path components taken off */
	bool has_symlinks;      /* allow symlinks whose target stays inside */
} ArchiveLimits;

/**
 * Unpacks tar (gzip, xz or zstd, by content) into @directory, which must not exist: first a pass
 * that only checks, then into a fresh directory beside it, synced, then renamed.  Files become
 * 0644 or 0755, directories 0755; owners, times and attributes are not taken over.
 *
 * Returns: false with DATA (malformed or hostile; the message names the rule and the entry, escaped),
 * CANNOT_CREATE, DENIED or IO set; nothing is left then.
 */
bool archive_unpack_file(const char *path, const char *directory, const ArchiveLimits *limits,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** The same for an archive in memory; @name stands in messages. */
bool archive_unpack_bytes(GBytes *archive, const char *name, const char *directory,
                          const ArchiveLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): one regular file of an archive in memory, at most @max_bytes; or NULL
 *  with DATA set. */
GBytes *archive_read_member(GBytes *archive, const char *name, const char *member, gsize max_bytes,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the version of libarchive and, as "NAME/VERSION" words behind it, of
 *  what it was built with. */
const char *archive_library(void);
