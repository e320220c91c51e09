/* keystore/source.h - where the key that opens a store comes from
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

#include "keystore/format.h"
#include "keystore/options.h"

/** A passphrase or the bytes of a key file. */
typedef struct {
	SlotType type;
	GBytes *secret; /* NULL: not read yet */
	bool was_asked; /* of a person, who may be asked again */
} Source;

void source_clear(Source *source);

/** What the key is for. */
typedef enum {
	SOURCE_FOR_NEW,        /* a new store */
	SOURCE_FOR_KEY_FILE,   /* a store that some key file opens */
	SOURCE_FOR_PASSPHRASE, /* a store that only passphrases open */
} SourceUse;

/** Returns: whether a source is set that needs nobody to answer. */
bool source_is_unattended(const KeystoreOptions *options);

/**
 * Reads the first source that is set.  For a new store a passphrase needs 12 characters and is asked
 * for twice.  The default key file is left alone where it cannot be right.  Blocks.
 *
 * Returns: false with LOCKED (UNAVAILABLE for a new store) when there is no source, LOCKED when it
 * cannot be read, BAD_SECRET (too short), DENIED, or what the question answered set.
 */
bool key_source_read(const KeystoreOptions *options, SourceUse use, Source *source,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
