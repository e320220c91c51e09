/* keystore/format.h - the layout of the encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "keystore/body.h"
#include "keystore/crypto.h"

/**
 * Little endian, fixed sizes, nothing is allocated before the bounds are checked:
 *
 *      0   8  magic "SWK" 0 CR LF 0x1a LF
 *      8   2  major version, 1: another one is refused
 *     10   2  minor version, 1: a lower one becomes 1 when written, a higher one is never written
 *     12   4  header size H
 *     16   8  generation, one more with each write
 *     24  16  store id, random
 *     40  32  body salt, random for each write
 *     72   1  cipher, 1: ChaCha20-Poly1305
 *     73   1  slots, 1 to 8
 *     74 128n slots: u8 type, u8 KDF, u8 log2 N, u8 r, u8 p, 3 zeros, salt 32, wrapped file key 48,
 *             label 24, SHA-256 over store id and the slot up to here, its first 16 bytes
 *   H-32  32  HMAC-SHA256 over bytes 0 to H-33
 *      H      ciphertext of the body and its tag 16, to the end of the file
 *
 * A random file key opens header and body through HKDF with the body salt; each slot wraps it for
 * one way in.  The header MAC is the body's associated data, so neither fits another's other half.
 * Every key seals one message, so the nonce is zero.  The check in a slot is no protection: it
 * tells a damaged slot from a wrong key.
 * A file cannot prove that it is the newest one: keystore/seen.h is for that.
 */
#define FORMAT_MINOR 1
#define FORMAT_MAX_BYTES ((gsize)1024 * 1024)
#define FORMAT_SLOTS_MAX 8
#define FORMAT_SALT_BYTES 32
#define FORMAT_ID_BYTES 16
#define FORMAT_LABEL_BYTES 24
#define FORMAT_MAC_BYTES 32
#define FORMAT_WRAPPED_BYTES (CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES)

typedef enum {
	SLOT_PASSPHRASE = 1, /* scrypt */
	SLOT_KEY_FILE = 2,   /* HKDF: 32 random bytes need no stretching */
	SLOT_KEYRING = 3,    /* HKDF of 32 random bytes that the desktop's keyring keeps */
} SlotType;

typedef struct {
	SlotType type;
	ScryptCost cost; /* zeros but for a passphrase */
	guint8 salt[FORMAT_SALT_BYTES];
	guint8 wrapped[FORMAT_WRAPPED_BYTES];
	char label[FORMAT_LABEL_BYTES]; /* for people; padded with zeros */
} FormatSlot;

typedef struct {
	guint16 minor;
	guint64 generation;
	guint8 store_id[FORMAT_ID_BYTES];
	guint8 body_salt[FORMAT_SALT_BYTES];
	guint slot_count;
	FormatSlot slots[FORMAT_SLOTS_MAX];
} FormatHeader;

/** What opens a slot. */
typedef struct {
	SlotType type;
	Span secret; /* passphrase, or CRYPTO_KEY_BYTES of a key file */
} SlotKey;

/** Reads the header, which is then well formed but not authenticated.  @name stands in messages.
 *  Returns: false with CORRUPT set. */
bool format_parse(Span file, const char *name, FormatHeader *header,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Gets the file key out of the slots that fit @key.  Slow for a passphrase.
 *  @slot: (out) (optional): which one it was.
 *  Returns: false with WRONG_KEY set, or domain FAULT, UNAVAILABLE: not enough memory. */
bool format_unlock(const FormatHeader *header, const SlotKey *key, CryptoKey *file_key, guint *slot,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** As format_unlock(), for the slot at @index only, which is of that type. */
bool format_unlock_slot(const FormatHeader *header, guint index, const SlotKey *key,
                        CryptoKey *file_key, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: whether some slot is of that type. */
bool format_has_slot(const FormatHeader *header, SlotType type);

/** Returns: whether what opened one opens the other, with the same file key: same store, same slots. */
bool format_same_slots(const FormatHeader *a, const FormatHeader *b);

/** Returns: what opens such a slot: "passphrase", "key file". */
const char *format_slot_word(SlotType type);

/** Returns: (transfer none): the MAC of the header of @file, which was parsed. */
const guint8 *format_mac(Span file, const FormatHeader *header);

/** Authenticates all of @file and decrypts its body.
 *  Returns: (transfer full): the body; or NULL with CORRUPT set. */
Body *format_open(Span file, const FormatHeader *header, const CryptoKey *file_key,
                  const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Makes the header of a new store and its file key; it has no slot yet. */
void format_new(FormatHeader *header, CryptoKey *file_key);

/** Adds a slot (there is room).  @cost: for a passphrase.
 *  Returns: false with domain FAULT, UNAVAILABLE set: not enough memory. */
bool format_add_slot(FormatHeader *header, const CryptoKey *file_key, const SlotKey *key,
                     ScryptCost cost, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Wraps the file key anew in the slot at @index, for the same or another key; its label stays. */
bool format_set_slot(FormatHeader *header, guint index, const CryptoKey *file_key,
                     const SlotKey *key, ScryptCost cost, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Encrypts @body (of body_with() or body_new()) under a fresh salt.  The header's generation and salt move on.
 *  Returns: (transfer full): the bytes of the file. */
GBytes *format_seal(FormatHeader *header, const CryptoKey *file_key, const Body *body);
