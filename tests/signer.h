/* tests/signer.h - private Ed25519 keys and what they sign, for tests of payload/signature.h
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>
#include <string.h>

#include "payload/signature.h"

/** A key pair that is made from its number: the same each time. */
typedef struct {
	EVP_PKEY *pair;
	char hex[SIGNATURE_KEY_BYTES * 2 + 1];
	SignatureKey key;
} Signer;

static inline void signer_to_hex(const guint8 *bytes, gsize size_bytes, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (gsize i = 0; i < size_bytes; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size_bytes] = '\0';
}

static inline void signer_init(Signer *signer, guint8 number)
{
	guint8 seed[32] = { number };
	guint8 public[SIGNATURE_KEY_BYTES] = { 0 };
	size_t length = sizeof(public);
	g_autoptr(GError) error = NULL;

	signer->pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	g_assert_nonnull(signer->pair);
	g_assert_cmpint(EVP_PKEY_get_raw_public_key(signer->pair, public, &length), ==, 1);
	signer_to_hex(public, sizeof(public), signer->hex);
	g_assert_true(signature_key_parse(signer->hex, &signer->key, &error));
}

static inline void signer_clear(Signer *signer)
{
	EVP_PKEY_free(signer->pair);
	signer->pair = NULL;
}

/** Returns: (transfer full): one line of a *.sig file. */
static inline char *signer_line(const Signer *signer, const char *domain, const char *document)
{
	g_autoptr(GString) message = g_string_new(domain);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	guint8 bytes[SIGNATURE_BYTES] = { 0 };
	size_t length = sizeof(bytes);
	char id[SIGNATURE_ID_BYTES * 2 + 1];

	g_string_append_c(message, '\0');
	g_string_append(message, document);
	g_assert_cmpint(EVP_DigestSignInit(context, NULL, NULL, NULL, signer->pair), ==, 1);
	g_assert_cmpint(
		EVP_DigestSign(context, bytes, &length, (const guint8 *)message->str, message->len),
		==, 1);
	EVP_MD_CTX_free(context);

	g_autofree char *base64 = g_base64_encode(bytes, sizeof(bytes));
	signer_to_hex(signer->key.id, sizeof(signer->key.id), id);
	return g_strdup_printf("ed25519 %s %s\n", id, base64);
}
