/* payload/signature.h - Ed25519 signatures of documents, and the keys that may make them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SIGNATURE_KEY_BYTES 32
#define SIGNATURE_BYTES 64
/** Of a key's identifier: the first 8 bytes of SHA-256 of the key. */
#define SIGNATURE_ID_BYTES 8
/** Largest *.sig file, and how many signatures it may hold.  Source: ours. */
#define SIGNATURE_MAX_BYTES ((gsize)4096)
#define SIGNATURE_MAX_LINES 16

/** What a signature is for: it is made over this text, a NUL and the document. */
#define SIGNATURE_MANIFEST "slipway-manifest-v1"
#define SIGNATURE_ROOT "slipway-root-v1"

/** A public key that may be used; only signature_key_parse() makes one. */
typedef struct {
	guint8 bytes[SIGNATURE_KEY_BYTES];
	guint8 id[SIGNATURE_ID_BYTES];
} SignatureKey;

/** One line of a *.sig file. */
typedef struct {
	guint8 id[SIGNATURE_ID_BYTES];
	guint8 bytes[SIGNATURE_BYTES];
} Signature;

/**
 * Reads a key, 64 digits of lower-case hex.
 *
 * Returns: false with DATA set: another form; not the canonical form of a point; one of the eight
 * points of small order, among them zero, under which anybody can sign.
 */
bool signature_key_parse(const char *hex, SignatureKey *key, GError **error);

/**
 * Reads a *.sig file: lines "ed25519 KEYID BASE64", each key once.
 *
 * Returns: (transfer full) (element-type Signature): at least one; or NULL with DATA set, the
 * message starts with "NAME:LINE: ".
 */
GArray *signature_parse(GBytes *text, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether @bytes, SIGNATURE_BYTES of them, are @key's signature of @message. */
bool signature_verify(const SignatureKey *key, GBytes *message, const guint8 *bytes);

/** Returns: how many of @keys (element-type SignatureKey) have signed @document for @domain; a key
 *  that is there twice counts once. */
guint signature_count(const GArray *signatures, const GArray *keys, const char *domain,
                      GBytes *document);
