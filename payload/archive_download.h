/* payload/archive_download.h - archives that are unpacked while they are loaded
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "payload/archive.h"

/** One archive and where it can be had. */
typedef struct {
	const char *const
		*urls;        /* NULL-terminated, first choice first; as of base/http.h, or paths */
	const char *sha256;   /* lower-case hex; mandatory */
	guint64 max_bytes;    /* of the archive as it comes; mandatory */
	ArchiveLimits limits; /* all 0: the defaults */
	void (*on_progress)(guint64 done_bytes, guint64 total_bytes,
	                    gpointer data); /* (nullable): on another thread; total 0: unknown */
	gpointer data;
	guint retry_ms;    /* as of HttpDownload; 0: 1,000 */
	guint connections; /* at most; 0: 4 */
} ArchiveDownload;

/**
 * Loads @count archives, one after the other, and unpacks each in the same pass, all into one fresh
 * tree at @directory, which must not exist.  No archive is ever on the disk; the tree grows beside
 * its place, and goes there when every digest was right and all is synced.  A broken connection is
 * taken up where it broke; a wrong digest or a server that does not answer leads to the next URL.
 *
 * Returns: false with UNTRUSTED (digest), DATA (hostile or damaged, longer than max_bytes, or two
 * archives with the same file), UNAVAILABLE, BUSY (the server wants more than 120 s of patience),
 * DEADLINE, IO, CANNOT_CREATE or a cancellation set; nothing is left then.
 */
bool archive_download(const ArchiveDownload *downloads, guint count, const char *directory,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
