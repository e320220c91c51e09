/* keystore/secret_session.h - the Secret Service, connected, opened and searched; in the helper only
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#define SECRET_API_SUBJECT_TO_CHANGE 1
#include <libsecret/secret.h>
#include <stdbool.h>

#include "keystore/secret_calls.h"

/** A connection to the bus and a session on it, in which secrets go over the bus encrypted. */
typedef struct SecretSession SecretSession;

/** Returns: (transfer full): a session, for as long as the process lives; NULL with an error set. */
SecretSession *secret_session_open(GError **error);

/** Returns: (transfer none): the bus of the service. */
GDBusConnection *secret_session_bus(SecretSession *session);

/** Returns: (transfer none): the service by way of libsecret, to write and to unlock with; NULL with
 *  UNAVAILABLE (it would not encrypt) or another error set. */
SecretService *secret_session_service(SecretSession *session, GError **error);

/** Asks for the secrets of the items @paths; the collection was opened before.
 *  Returns: (transfer full): what is under way; NULL with an error set. */
SecretCalls *secret_session_begin_read(SecretSession *session, const char *const *paths,
                                       GError **error);

/** Returns: (transfer full) (element-type utf8 GBytes): by path, the secrets that the service gives out;
 *  NULL with an error set. */
GHashTable *secret_session_end_read(SecretSession *session, SecretCalls *under_way, GError **error);

/**
 * Makes the default collection one that can be used now.
 *
 * @may_prompt: the service may ask the user: blocks for as long as they take.  Else LOCKED is set.
 * Returns: (transfer full): its path; NULL with LOCKED, UNAVAILABLE (there is none) or another error set.
 */
char *secret_session_collection(SecretSession *session, bool may_prompt, GError **error);

/** Lets the service ask the user to unlock @paths.  As above. */
bool secret_session_unlock(SecretSession *session, const char *const *paths, bool may_prompt,
                           GError **error);

/** What items a search is for: those of a key, or with NULL of all keys. */
typedef struct {
	const char *profile; /* (nullable) */
	const char *name;    /* (nullable) */
	char **paths;        /* (out): of items that can be used now */
} SecretSearch;
void secret_search_clear(SecretSearch *search);

/** Searches for all at once, and unlocks what they have locked.  The collection was opened before: what is
 *  locked in it may not be shown at all, so that nothing would not be nothing, and KeePassXC opens a
 *  dialog by itself when it is searched while it is locked. */
bool secret_session_search(SecretSession *session, bool may_prompt, SecretSearch *searches,
                           guint count, GError **error);

/** Returns: (transfer floating): the attributes by which a search finds. */
GVariant *secret_search_attributes(const SecretSearch *search);

/** What is known of an item beside its secret. */
typedef struct {
	GHashTable *attributes; /* (element-type utf8 utf8) */
	guint64 created_s;
	guint64 modified_s;
} SecretFacts;
void secret_facts_clear(SecretFacts *facts);

/** Asks for the facts of all @paths at once.
 *  @facts: (out): as many; those of an item that is there no more have no attributes. */
bool secret_session_describe(SecretSession *session, const char *const *paths, guint count,
                             SecretFacts *facts, GError **error);
