/* payload/signature.c - Ed25519 signatures of documents, and the keys that may make them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "payload/signature.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/fault.h"
#include "base/openssl.h"

#define ALGORITHM "ed25519 "
#define ID_DIGITS ((gsize)SIGNATURE_ID_BYTES * 2)
#define BASE64_CHARS 88 /* of 64 bytes */

typedef EVP_PKEY OpensslKey;
typedef EVP_MD_CTX OpensslContext;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpensslKey, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpensslContext, EVP_MD_CTX_free)

/* Reads exactly @size_bytes from lower-case hex; what follows is the caller's. */
static bool read_hex(const char *hex, guint8 *bytes, gsize size_bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (gsize i = 0; i < size_bytes * 2; i++) {
		const char *digit = hex[i] ? strchr(digits, hex[i]) : NULL;

		if (!digit)
			return false;
		bytes[i / 2] = (guint8)(bytes[i / 2] << 4 | (digit - digits));
	}
	return true;
}

/* The y of a point, without the sign of its x, has to be below p = 2^255 - 19. */
static bool is_canonical(const guint8 *y)
{
	bool is_high = y[31] == 0x7f && y[0] >= 0xed;

	for (gsize i = 1; i < 31; i++)
		is_high = is_high && y[i] == 0xff;
	return !is_high;
}

/* The eight points whose order divides 8 have these five y.  Source: the curve of RFC 8032; y = 1
 * (order 1), -1 (2), 0 (4), and the two that double to y = 0 (8). */
static bool is_small_order(const guint8 *y)
{
	static const guint8 order_8[2][SIGNATURE_KEY_BYTES] = {
		{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
		  0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
		  0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
		{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
		  0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
		  0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
	};
	guint8 zero[SIGNATURE_KEY_BYTES] = { 0 };
	guint8 one[SIGNATURE_KEY_BYTES] = { 1 };
	guint8 minus_one[SIGNATURE_KEY_BYTES];

	memset(minus_one, 0xff, sizeof(minus_one));
	minus_one[0] = 0xec;
	minus_one[31] = 0x7f;
	return memcmp(y, zero, sizeof(zero)) == 0 || memcmp(y, one, sizeof(one)) == 0 ||
	       memcmp(y, minus_one, sizeof(minus_one)) == 0 ||
	       memcmp(y, order_8[0], sizeof(order_8[0])) == 0 ||
	       memcmp(y, order_8[1], sizeof(order_8[1])) == 0;
}

bool signature_key_parse(const char *hex, SignatureKey *key, GError **error)
{
	SignatureKey found = { 0 };
	guint8 y[SIGNATURE_KEY_BYTES] = { 0 };
	guint8 digest[EVP_MAX_MD_SIZE] = { 0 };
	const char *why = NULL;

	if (strlen(hex) != sizeof(found.bytes) * 2 ||
	    !read_hex(hex, found.bytes, sizeof(found.bytes)))
		why = "is not 64 digits of lower-case hex";
	memcpy(y, found.bytes, sizeof(y));
	y[31] &= 0x7f;
	if (!why && !is_canonical(y))
		why = "is not written in its one form";
	if (!why && is_small_order(y))
		why = "is one under which anybody can sign";
	if (why) {
		fault_set(error, STATUS_DATA, NULL, "a public key %s", why);
		return false;
	}

	(void)openssl_start();
	if (EVP_Digest(found.bytes, sizeof(found.bytes), digest, NULL, EVP_sha256(), NULL) != 1)
		g_error("SHA-256 is not available");
	memcpy(found.id, digest, sizeof(found.id));
	*key = found;
	return true;
}

/* Strict: what is decoded has to be written like this and no other way. */
static bool read_base64(const char *text, guint8 *bytes)
{
	gsize size_bytes = 0;
	g_autofree guchar *decoded = g_base64_decode(text, &size_bytes);
	g_autofree char *again = g_base64_encode(decoded, size_bytes);

	if (size_bytes != SIGNATURE_BYTES || !g_str_equal(again, text))
		return false;
	memcpy(bytes, decoded, SIGNATURE_BYTES);
	return true;
}

static bool read_line(const char *line, Signature *signature)
{
	static const gsize id_at = sizeof(ALGORITHM) - 1;
	static const gsize base64_at = sizeof(ALGORITHM) + ID_DIGITS;

	return strlen(line) == base64_at + BASE64_CHARS && g_str_has_prefix(line, ALGORITHM) &&
	       read_hex(line + id_at, signature->id, sizeof(signature->id)) &&
	       line[base64_at - 1] == ' ' && read_base64(line + base64_at, signature->bytes);
}

static bool has_id(const GArray *signatures, const guint8 *id)
{
	for (guint i = 0; i < signatures->len; i++)
		if (memcmp(g_array_index(signatures, Signature, i).id, id, SIGNATURE_ID_BYTES) == 0)
			return true;

	return false;
}

static GArray *fail_line(const char *name, guint line, const char *why, GError **error)
{
	fault_set(error, STATUS_DATA, NULL, "%s:%u: %s", name, line, why);
	return NULL;
}

GArray *signature_parse(GBytes *text, const char *name, GError **error)
{
	gsize size_bytes = 0;
	const char *data = g_bytes_get_data(text, &size_bytes);
	g_autofree char *copy = g_strndup(data, size_bytes);
	g_autoptr(GArray) signatures = g_array_new(FALSE, FALSE, sizeof(Signature));

	if (size_bytes <= 1 || size_bytes > SIGNATURE_MAX_BYTES)
		return fail_line(name, 1, "is empty, or too large for signatures", error);
	if (strlen(copy) != size_bytes || copy[size_bytes - 1] != '\n')
		return fail_line(name, 1, "is not lines of text", error);

	copy[size_bytes - 1] = '\0';
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		Signature signature = { 0 };

		if (i == SIGNATURE_MAX_LINES)
			return fail_line(name, i + 1, "more than 16 signatures", error);
		if (!read_line(lines[i], &signature))
			return fail_line(name, i + 1, "is not a signature", error);
		if (has_id(signatures, signature.id))
			return fail_line(name, i + 1, "that key has signed already", error);
		g_array_append_val(signatures, signature);
	}
	return g_steal_pointer(&signatures);
}

bool signature_verify(const SignatureKey *key, GBytes *message, const guint8 *bytes)
{
	static const guint8 unset[SIGNATURE_KEY_BYTES];
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(message, &size_bytes);

	if (memcmp(key->bytes, unset, sizeof(unset)) == 0)
		return false;

	(void)openssl_start();
	g_autoptr(OpensslKey) public =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof(key->bytes));
	g_autoptr(OpensslContext) context = EVP_MD_CTX_new();

	/* Ed25519 has its own digest: another one, or more than one call, is an error. */
	return public && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
	       EVP_DigestVerify(context, bytes, SIGNATURE_BYTES, data ? data : "", size_bytes) == 1;
}

static GBytes *message_of(const char *domain, GBytes *document)
{
	gsize size_bytes = 0;
	const guint8 *data = g_bytes_get_data(document, &size_bytes);
	GByteArray *message = g_byte_array_new();

	g_byte_array_append(message, (const guint8 *)domain, (guint)strlen(domain) + 1);
	if (size_bytes > 0)
		g_byte_array_append(message, data, (guint)size_bytes);
	return g_byte_array_free_to_bytes(message);
}

static bool has_signed(const SignatureKey *key, const GArray *signatures, GBytes *message)
{
	for (guint i = 0; i < signatures->len; i++) {
		const Signature *signature = &g_array_index(signatures, Signature, i);

		if (memcmp(signature->id, key->id, sizeof(key->id)) == 0 &&
		    signature_verify(key, message, signature->bytes))
			return true;
	}
	return false;
}

static bool is_repeated(const GArray *keys, guint index)
{
	const SignatureKey *key = &g_array_index(keys, SignatureKey, index);

	for (guint i = 0; i < index; i++)
		if (memcmp(g_array_index(keys, SignatureKey, i).bytes, key->bytes,
		           sizeof(key->bytes)) == 0)
			return true;

	return false;
}

guint signature_count(const GArray *signatures, const GArray *keys, const char *domain,
                      GBytes *document)
{
	g_autoptr(GBytes) message = message_of(domain, document);
	guint count = 0;

	for (guint i = 0; i < keys->len; i++)
		if (!is_repeated(keys, i) &&
		    has_signed(&g_array_index(keys, SignatureKey, i), signatures, message))
			count++;
	return count;
}
