/* keystore/crypto.h - the five primitives of the encrypted file, and wiped buffers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define CRYPTO_KEY_BYTES 32
#define CRYPTO_TAG_BYTES 16
#define CRYPTO_NONCE_BYTES 12

/** Bytes of somebody else. */
typedef struct {
	const void *data;
	gsize size;
} Span;

/** Cost of scrypt, RFC 7914: N is 2 to the @log_n. */
typedef struct {
	guint8 log_n;
	guint8 r;
	guint8 p;
} ScryptCost;

/** Memory in OpenSSL's secure heap, or in the ordinary one when that is full; zeroed.  Never NULL. */
void *crypto_alloc(gsize size_bytes);

/** Wipes and frees.  Accepts NULL. */
void crypto_free(void *data, gsize size_bytes);

/** Wipes a buffer that goes out of scope. */
typedef struct {
	guint8 data[CRYPTO_KEY_BYTES];
} CryptoKey;
void crypto_key_clear(CryptoKey *key);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CryptoKey, crypto_key_clear)

/** Fills @data with random bytes; aborts if there is no entropy source. */
void crypto_random(void *data, gsize size_bytes);

/** Returns: whether both are the same, in a time that does not tell where they differ. */
bool crypto_equal(const void *a, const void *b, gsize size_bytes);

/** Writes SHA-256 of @data, 32 bytes. */
void crypto_sha256(Span data, guint8 *digest);

/** Writes HMAC-SHA256 of @data, 32 bytes (RFC 2104). */
void crypto_hmac(Span key, Span data, guint8 *mac);

/** Writes HKDF-SHA256 (RFC 5869), at most 8,160 bytes. */
void crypto_hkdf(Span key, Span salt, Span info, guint8 *out, gsize out_size);

/** Returns: N * r * p. */
guint64 crypto_scrypt_work(ScryptCost cost);

/** Writes scrypt (RFC 7914) with memory for N * r * 128 bytes.  The caller bounded @cost.
 *  Returns: false when there is not enough memory. */
bool crypto_scrypt(Span passphrase, Span salt, ScryptCost cost, guint8 *out,
                   gsize out_size) G_GNUC_WARN_UNUSED_RESULT;

/** What ChaCha20-Poly1305 (RFC 8439) needs beside the text. */
typedef struct {
	const guint8 *key;   /* CRYPTO_KEY_BYTES */
	const guint8 *nonce; /* CRYPTO_NONCE_BYTES; NULL: zeros, for a key that seals one message */
	Span aad;
} CryptoBox;

/** Encrypts @plain into @sealed, which has room for @plain.size + CRYPTO_TAG_BYTES. */
void crypto_seal(const CryptoBox *box, Span plain, guint8 *sealed);

/** Decrypts @sealed into @plain, which has room for @sealed.size - CRYPTO_TAG_BYTES.
 *  Returns: false, and zeros in @plain, when the tag does not fit. */
bool crypto_open(const CryptoBox *box, Span sealed, guint8 *plain) G_GNUC_WARN_UNUSED_RESULT;
