/* keystore/source.h - where the key that opens a store comes from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

#include "keystore/format.h"
#include "keystore/options.h"

/** A passphrase, the bytes of a key file, or what a keyring keeps. */
typedef struct {
	SlotType type;
	GBytes *secret; /* NULL: not read yet */
	bool was_asked; /* of a person, who may be asked again */
	bool is_explicit; /* it was named for this run: if it does not open the store, nothing else is tried */
} Source;

void source_clear(Source *source);

/** Returns: whether a source is set that needs nobody to answer. */
bool source_is_unattended(const KeystoreOptions *options);

/**
 * Reads the next source.  They are, in this order: passphrase-fd, passphrase-file; in
 * $CREDENTIALS_DIRECTORY slipway.key (32 bytes) and slipway.passphrase; key-file; the default key
 * file; the desktop's keyring, if it is open; a question.  Those that were not named for this run
 * are left out where no slot is of their type.  For a new store a passphrase needs 12 characters and
 * is asked for twice.  Blocks.
 *
 * @header: (nullable): what is to be opened; NULL: a new store.
 * @next: (inout): 0 at first; which source to begin with.
 * Returns: false with LOCKED (UNAVAILABLE for a new store) when there is none, LOCKED when it cannot be
 * read, BAD_SECRET (too short), DENIED, or what the question answered set.
 */
bool key_source_read(const KeystoreOptions *options, const FormatHeader *header, guint *next,
                     Source *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads 32 bytes from a key file.
 *  Returns: (transfer full): them; or NULL with LOCKED or DENIED set. */
GBytes *source_read_key_file(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Reads a passphrase from a file; @is_new: it needs 12 characters.
 *  Returns: (transfer full): it; or NULL with LOCKED, BAD_SECRET or DENIED set. */
GBytes *source_read_passphrase(const char *path, bool is_new,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Asks for a new passphrase, twice.
 *  Returns: (transfer full): it; or NULL with BAD_SECRET or what the question answered set. */
GBytes *source_ask_new(const KeystoreOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
