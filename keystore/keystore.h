/* keystore/keystore.h - named secrets of one user
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "keystore/error.h"
#include "keystore/options.h"

/**
 * A store of named secrets (API keys, tokens, generated passwords) that belongs to one user.
 *
 * A name is 1 to 64 bytes of [A-Za-z0-9._-] and starts with a letter.  A secret is 1 to
 * KEYSTORE_SECRET_MAX bytes without NUL.  Every GBytes that is returned comes from secret_new().
 * One Keystore may be used by one thread at a time; several processes may have the file open.
 */
typedef struct Keystore Keystore;

/** The back ends of this system, by name, the one that "auto" likes best first; NULL-terminated. */
const char *const *keystore_back_ends(void);

/** Opens (not yet unlocks) the store.  Nothing is read or created.  (transfer full). */
Keystore *keystore_open(const KeystoreOptions *options);

/** Wipes what it holds.  Accepts NULL. */
void keystore_free(Keystore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keystore, keystore_free)

/**
 * Which back end is used, and why.  It is settled by the first call that needs it, and stays: the
 * one that the options name; with "auto", the one that was chosen by the first write, or the best
 * one that this session has.  Asking the session takes at most 300 ms and starts nothing.
 *
 * @why: (out) (optional) (transfer none): one phrase for people.
 * Returns: (transfer none): its name; or NULL with CORRUPT, DENIED or domain FAULT, CONFIG (there is
 * no such back end on this system), set.
 */
const char *keystore_back_end(Keystore *store, const char **why, GError **error);

/** Returns: (transfer none): @store itself, or one with the same options, which it owns, where
 *  another back end than @name is used; or NULL with CONFIG set: this system has none of that name. */
Keystore *keystore_in(Keystore *store, const char *name, GError **error);

/** Returns: whether there is a store of ours: the store file, or the record that keys are in the
 *  desktop's keyring. */
bool keystore_exists(Keystore *store);

/** Returns: whether some key source is set that needs nobody to answer, or none is needed. */
bool keystore_is_unattended(Keystore *store);

/**
 * The generation counter and store id of the file, read without unlocking and so not
 * authenticated: good for noticing a change, for nothing else.
 *
 * Returns: (transfer full) (nullable): "ID:GENERATION"; NULL when there is no readable store, or one
 * that has no such thing.
 */
char *keystore_peek(Keystore *store);

/** Creates @path with 32 random bytes, mode 0600; fails with domain FAULT, CANNOT_CREATE, if it
 *  exists and is not empty.  Of several that try at once one succeeds. */
bool keystore_make_key_file(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether @name keeps to the rule above; else false with BAD_NAME set. */
bool keystore_check_name(const char *name, GError **error);

/**
 * Returns: (transfer full): the secret, from the environment if a variable of that name is set and
 * not empty, else from the store; or NULL with an error as above set.
 * @source: (out) (optional): "environment", or the name of the back end.
 */
GBytes *keystore_lookup(Keystore *store, const char *name, const char **source,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Saves a secret under a name and replaces the one that was there; creates the store if need be.
 *  The first write is what chooses the back end.  After a failure the old content stands. */
bool keystore_save(Keystore *store, const char *name, GBytes *secret,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes a secret; NOT_FOUND if there is none.  The backup has it until the next change. */
bool keystore_remove(Keystore *store, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * Removes the store file, its backup, its lock file and leftovers of killed writers, or the record
 * that keys are in the desktop's keyring, if no secret is left in it; an absent store is success.
 *
 * Returns: false with an error as above set, or domain FAULT, FAILED: secrets are left in it.
 */
bool keystore_delete_empty(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** What `keys list` shows of one secret; never the secret. */
typedef struct {
	char *name;
	gint64 created_s; /* seconds since 1970 */
	gint64 changed_s;
	char *fingerprint; /* (nullable): 8 hex digits of a keyed hash; not from a keyring */
} KeystoreEntry;
void keystore_entry_free(KeystoreEntry *entry);

/** Returns: (transfer full) (element-type KeystoreEntry): sorted by name; NULL with an error set.
 *  An absent store is an empty one. */
GPtrArray *keystore_list(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
