/* keystore/items.h - keys: read, kept, listed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "keystore/error.h"
#include "keystore/note.h"

/* The rules for names and secrets are in keystore/keystore.h. */
typedef struct Keystore Keystore;

/** Returns: whether @name (@profile) keeps to the rule above; else false with BAD_NAME set. */
bool keystore_check_name(const char *name, GError **error);
bool keystore_check_profile(const char *profile, GError **error);

/**
 * Returns: (transfer full): the secret, from the environment if a variable of that name is set and
 * not empty, else from the store; or NULL with an error as above set.
 * @source: (out) (optional): "environment", or the name of the back end.
 */
GBytes *keystore_lookup(Keystore *store, const char *name, const char **source,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As keystore_lookup() for several at once: one unlock, one round trip.
 *  @names: NULL-terminated.  @secrets: (out) (transfer full): one for each name; NULL where there is
 *  none, which is no error.  All NULL after a failure. */
bool keystore_lookup_all(Keystore *store, const char *const *names, GBytes **secrets,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Saves a secret under a name and replaces the one that was there; creates the store if need be.
 *  The first write is what chooses the back end.  After a failure the old content stands. */
bool keystore_save(Keystore *store, const char *name, GBytes *secret,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As keystore_save(), with the origin, expires_s and verified_s of @note; the rest is made here. */
bool keystore_save_noted(Keystore *store, const char *name, GBytes *secret,
                         const KeystoreNote *note, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets origin, expires_s and verified_s of a key that is there; NOT_FOUND if it is not. */
bool keystore_note(Keystore *store, const char *name, const KeystoreNote *note,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a secret; NOT_FOUND if there is none.  The backup has it until the next change. */
bool keystore_remove(Keystore *store, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** One of several changes; of its note only origin, expires_s and verified_s are taken. */
typedef struct {
	const char *name;
	GBytes *secret; /* (nullable): NULL: set the note; without a note, remove the key */
	const KeystoreNote *note; /* (nullable) */
} KeystoreChange;

/** Makes the changes in their order: all or none in the file; a keyring cannot do that, so put first
 *  what must be there when a later one fails. */
bool keystore_apply(Keystore *store, const KeystoreChange *changes, guint count,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): CRYPTO_KEY_BYTES that only the owner of the store can make, others for
 *  each @purpose; NULL with NOT_FOUND (nothing was ever saved) or another error set. */
GBytes *keystore_derive(Keystore *store, const char *purpose,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What `keys list` shows of one secret; never the secret. */
typedef struct {
	char *profile;
	char *name;
	KeystoreNote note;
} KeystoreEntry;
void keystore_entry_free(KeystoreEntry *entry);

/** Returns: (transfer full) (element-type KeystoreEntry): of the profile, sorted by name; NULL with an
 *  error set.  An absent store is an empty one. */
GPtrArray *keystore_list(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As keystore_list(), of all profiles; sorted by profile, then by name. */
GPtrArray *keystore_list_all(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): the profiles that have keys, sorted; NULL with an error set. */
char **keystore_profiles(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Gives the keys of the profile another one, with all that is known of them: copied, compared, and
 * only then removed, so that a kill leaves each under the old name, the new one or both.  Goes on
 * where such a run stopped.  @count: (out): how many there are; 0 is no error.
 *
 * Returns: false with FAILED, in domain FAULT (@to has another secret under one of the names), or
 * another error set; nothing was removed.
 */
bool keystore_rename_profile(Keystore *store, const char *to, guint *count,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
