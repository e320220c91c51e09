/* keystore/slots.h - the ways into the encrypted file: shown, added, removed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/keystore.h"

/** One way in. */
typedef struct {
	guint number;     /* from 1; changes when one before it is removed */
	const char *kind; /* "passphrase", "key-file", "keyring"; "unknown": of a newer version */
	char *label;      /* as it was given; "": none */
	char *cost;       /* (nullable): of a passphrase, for people */
} KeystoreSlot;
void keystore_slot_free(KeystoreSlot *slot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeystoreSlot, keystore_slot_free)

/** Returns: (transfer full) (element-type KeystoreSlot): of the file, read without unlocking and so
 *  not authenticated; NULL with UNAVAILABLE (there is no store), CORRUPT, DENIED or domain FAULT
 *  (CONFIG: the keys are not in a file) set. */
GPtrArray *keystore_slots(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * What is to become of the slots; all of it in one write.
 *
 * A slot that is removed could be opened in an older copy of the file; so that such a copy does not
 * open the new file, a new file key is made, and PATH.bak is replaced too.  For that each slot that
 * stays has to be wrapped anew, which needs what opens it: the one that opened the file is known, the
 * keyring is read, the files below are tried, and at last a question is asked.
 */
typedef struct {
	const char *const *remove;   /* (nullable): numbers or labels; NULL-terminated */
	bool is_new_key;             /* a new file key, even if nothing is removed */
	bool has_passphrase;         /* adds a slot; asked for twice */
	const char *passphrase_file; /* (nullable): adds a slot with the passphrase in it */
	const char *key_file;        /* (nullable): adds a slot; made if it is not there */
	bool has_keyring;            /* adds a slot, in the place of one that is there */
	const char *label;           /* (nullable): of what is added: 1 to 23 of [A-Za-z0-9._@-] */
	const char *const *old_key_files;        /* (nullable): that open slots which stay */
	const char *const *old_passphrase_files; /* (nullable) */
} KeystoreRekey;

/**
 * Changes the slots.  Blocks for about half a second for each passphrase.
 *
 * Returns: false with UNAVAILABLE (there is no store), LOCKED or WRONG_KEY (a slot that stays cannot
 * be opened), TIMEOUT (another process changed the slots meanwhile), another error of keystore.h, or in domain
 * FAULT CONFIG (the keys are not in a file), USAGE (no such slot; none would be left; more than eight;
 * a bad label) set.  Then the old file stands.
 */
bool keystore_rekey(Keystore *store, const KeystoreRekey *rekey,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
