/* keystore/file_store_private.h - the encrypted file, opened: for its own back end, slots and recovery
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/back_end_private.h"
#include "keystore/format.h"
#include "keystore/seen.h"
#include "keystore/source.h"

/** The file is read again for each call, which takes microseconds; the key is derived once. */
typedef struct {
	const KeystoreOptions *options;
	Source source;
	guint next_source; /* of key_source_read() */
	FormatHeader header;
	CryptoKey file_key;
	bool is_unlocked; /* file_key is that of header */
	guint slot;       /* which one opened it */
	GBytes *file;     /* (nullable): as it was read last; NULL: there is none */
	Body *body;       /* (nullable): what is in it */
	Seen seen;        /* as of before it was read */
} FileStore;

/** Reads the file that is there now and opens it; afterwards body is NULL if and only if there is
 *  none.  May ask, and is slow for a passphrase, when it is locked.
 *  Returns: false with an error of keystore.h set. */
bool file_store_load(FileStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Opens @store->file, whose header was parsed, with the sources of the options.
 *  Returns: false with LOCKED, WRONG_KEY, DENIED or what a question answered set. */
bool file_store_unlock(FileStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Encrypts @body and puts it in the place of what was loaded.  Under the lock.
 *  @has_backup: what was there is kept as PATH.bak; else that becomes the new file, too. */
bool file_store_commit(FileStore *store, const Body *body, bool has_backup,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Lets go of what was read. */
void file_store_forget(FileStore *store);
