/* base/download.h - one file, known by its digest, that is used while it comes
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "base/http.h"

/**
 * A download on its way, on a thread of its own.  A broken connection is taken up where it broke,
 * up to five tries without progress; what comes then is proven to be the same file, by Content-Range
 * and validators, or by the digest of the part that is there.  A server that is slower than its
 * reader and takes ranges is asked over several connections.  Memory: 4 MiB, 32 MiB then.
 */
typedef struct Download Download;

/**
 * Begins.  @what and its strings are copied; on_progress runs inside download_read().
 *
 * Returns: (transfer full): the download; or NULL with CONFIG or DENIED (a URL that is not asked),
 * or for a file UNAVAILABLE, DENIED or IO set.
 */
Download *download_open(const HttpDownload *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Reads the bytes in order.  Blocks.
 *
 * Returns: how many there are, at most @size_bytes; 0 when that was all and it has the digest; -1
 * with UNTRUSTED (another digest), DATA (longer than max_bytes),
 * UNAVAILABLE, BUSY (the server says to come back in more than 120 s), DEADLINE, IO or a
 * cancellation set.
 */
gssize download_read(Download *download, void *buffer, gsize size_bytes, GError **error);

/** While hurried, a read that would have to wait fails, with DEADLINE; for another thread, which
 *  has no use for the rest. */
void download_hurry(Download *download, bool is_hurried);

/** Returns: the size of the whole, when the server has said it by now; else 0. */
guint64 download_size(Download *download);

/** Returns: whether it failed because the file became another one while it came: worth a fresh
 *  start. */
bool download_was_exchanged(Download *download);

/** Ends it, wherever it is.  Accepts NULL. */
void download_free(Download *download);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Download, download_free)
