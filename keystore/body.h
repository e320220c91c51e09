/* keystore/body.h - the records inside the encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "keystore/note.h"

/**
 * The decrypted body, read in place.  Little endian:
 *
 *   u32 count; u16 size S of what stands before a name, 61; count times: u8 name length, u32 secret
 *   length, i64 created, i64 changed, i64 expires, i64 verified, origin 16, fingerprint 8 hex digits
 *   or zeros, what a later version adds up to S; name, NUL, secret; then zeros up to the next
 *   multiple of BODY_BLOCK.
 *
 * That is minor version 1.  Version 0 had no S and nothing between "changed" and the name.
 *
 * A name is "PROFILE/NAME", or "NAME" in the default profile.  Names are valid and strictly ascending,
 * secrets valid, texts padded with zeros; there is one way only to write the same records.  A Body is
 * never changed: an edit makes a new one, of version 1.
 */
typedef struct Body Body;

/** The body is padded to a multiple of this, so that its size does not tell the length of a key. */
#define BODY_BLOCK 1024
/** Largest body, in bytes.  Source: our own bound; with its header it stays under 1 MiB. */
#define BODY_MAX ((gsize)1020 * 1024)

/** One secret; the pointers go into the body (or to the caller's own, for body_with()). */
typedef struct {
	const char *name;
	const guint8 *secret;
	gsize secret_size;
	KeystoreNote note;
} BodyRecord;

/** Returns: whether @name is 1 to 64 bytes of [A-Za-z0-9._-] and starts with a letter. */
bool body_name_is_valid(const char *name);

/** Returns: whether @profile is 1 to 32 bytes of [a-z0-9_-] and starts with a letter. */
bool body_profile_is_valid(const char *profile);

/** Returns: (transfer full): the name of the record of @name in @profile. */
char *body_join(const char *profile, const char *name);

/** Takes the name of a record apart; both valid, or the store's own profile and a valid name.
 *  @profile: (out) (transfer full).  Returns: (transfer none) (nullable): the name, in @joined. */
const char *body_split(const char *joined, char **profile);

/** Returns: whether @size bytes at @secret are 1 to KEYSTORE_SECRET_MAX and without NUL. */
bool body_secret_is_valid(const void *secret, gsize size);

/** Returns: (transfer full): a body without records. */
Body *body_new(void);

/** Reads @size bytes at @data (transfer full, of crypto_alloc()) as they are in a file of that minor
 *  version; of one that is not known, what is known.
 *  Returns: (transfer full): the body, or NULL with CORRUPT set. */
Body *body_parse(guint8 *data, gsize size, guint minor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Wipes it.  Accepts NULL. */
void body_free(Body *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Body, body_free)

/** The bytes, as body_parse() takes them. */
const guint8 *body_data(const Body *body, gsize *size);

/** Returns: how many records it has. */
guint body_count(const Body *body);

/** Returns: how many of them are keys, and not the store's own. */
guint body_count_keys(const Body *body);

/** Returns: (transfer none): the record at @index, in the order of names. */
const BodyRecord *body_record(const Body *body, guint index);

/** Returns: (transfer none) (nullable): the record with that name. */
const BodyRecord *body_find(const Body *body, const char *name);

/** Returns: (transfer full): a body with @record added, or put in the place of the one with that
 *  name; or NULL with domain FAULT, DATA, set: the store is full. */
Body *body_with(const Body *body, const BodyRecord *record,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): a body with the same records. */
Body *body_copy(const Body *body);

/** Returns: (transfer full): a body without the record @name. */
Body *body_without(const Body *body, const char *name);
