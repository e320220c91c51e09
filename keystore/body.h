/* keystore/body.h - the records inside the encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * The decrypted body, read in place.  Little endian:
 *
 *   u32 count; count times: u8 name length, u32 secret length, i64 created, i64 changed,
 *   name, NUL, secret; then zeros up to the next multiple of BODY_BLOCK.
 *
 * Names are valid and strictly ascending, secrets valid; there is one way only to write the same
 * records.  A Body is never changed: an edit makes a new one.
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
	gint64 created_s; /* seconds since 1970 */
	gint64 changed_s;
} BodyRecord;

/** Returns: whether @name is 1 to 64 bytes of [A-Za-z0-9._-] and starts with a letter. */
bool body_name_is_valid(const char *name);

/** Returns: whether @size bytes at @secret are 1 to KEYSTORE_SECRET_MAX and without NUL. */
bool body_secret_is_valid(const void *secret, gsize size);

/** Returns: (transfer full): a body without records. */
Body *body_new(void);

/** Reads @size bytes at @data (transfer full, of crypto_alloc()).
 *  Returns: (transfer full): the body, or NULL with CORRUPT set. */
Body *body_parse(guint8 *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Wipes it.  Accepts NULL. */
void body_free(Body *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Body, body_free)

/** The bytes, as body_parse() takes them. */
const guint8 *body_data(const Body *body, gsize *size);

/** Returns: how many records it has. */
guint body_count(const Body *body);

/** Returns: (transfer none): the record at @index, in the order of names. */
const BodyRecord *body_record(const Body *body, guint index);

/** Returns: (transfer none) (nullable): the record with that name. */
const BodyRecord *body_find(const Body *body, const char *name);

/** Returns: (transfer full): a body with @record added, or put in the place of the one with that
 *  name; or NULL with domain FAULT, DATA, set: the store is full. */
Body *body_with(const Body *body, const BodyRecord *record,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): a body without the record @name. */
Body *body_without(const Body *body, const char *name);
