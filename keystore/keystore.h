/* keystore/keystore.h - named secrets of one user
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "keystore/error.h"
#include "keystore/items.h"
#include "keystore/options.h"

/**
 * A store of named secrets (API keys, tokens, generated passwords) that belongs to one user.
 *
 * A key is called by profile and name; the profile is that of the options.  A profile is 1 to 32 bytes
 * of [a-z0-9_-], a name 1 to 64 of [A-Za-z0-9._-]; both start with a letter.  A secret is 1 to
 * KEYSTORE_SECRET_MAX bytes without NUL.  Every GBytes that is returned comes from secret_new().
 * One Keystore may be used by one thread at a time; several processes may have the file open.
 */
typedef struct Keystore Keystore; /* what is in it: keystore/items.h */

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

/** Returns: (transfer none): @store itself, or one with the same options, which it owns, but with the
 *  back end @name and @profile (nullable: the same); or NULL with CONFIG (this system has no such
 *  back end) or BAD_NAME set. */
Keystore *keystore_in(Keystore *store, const char *name, const char *profile, GError **error);

/** Returns: (transfer none): the profile of the options. */
const char *keystore_profile(const Keystore *store);

/** Returns: whether there is a store of ours: the store file, or the record that keys are in the
 *  desktop's keyring. */
bool keystore_exists(Keystore *store);

/** Returns: whether some key source is set that needs nobody to answer, or none is needed. */
bool keystore_is_unattended(Keystore *store);

/**
 * Asks how the back end is, as "auto" does before it takes one: fast, and nothing is started or
 * unlocked.
 *
 * @why: (out) (transfer full): one phrase.
 * Returns: whether it could be used now.
 */
bool keystore_probe(Keystore *store, char **why);

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

/**
 * Removes the store file, its backup, its lock file and leftovers of killed writers, or the record
 * that keys are in the desktop's keyring, if no secret is left in it; an absent store is success.
 *
 * Returns: false with an error as above set, or domain FAULT, FAILED: secrets are left in it.
 */
bool keystore_delete_empty(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
