/* keystore/secret_transport_linux.c - Diffie-Hellman, HKDF, AES: OpenSSL's
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/secret_transport.h"

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "base/secret.h"
#include "keystore/crypto.h"
#include "keystore/error.h"

#define ALGORITHM "dh-ietf1024-sha256-aes128-cbc-pkcs7"
#define PRIME_BYTES 128
/** Source: RFC 7919 section 5.2: 225 bits are enough even for a prime of 2048. */
#define EXPONENT_BITS 256
#define KEY_BYTES 16
#define IV_BYTES 16

struct SecretTransport {
	GThread *making; /* (nullable): done */
	BIGNUM *prime;
	BIGNUM *ours; /* the exponent */
	BIGNUM *public;
	guint8 key[KEY_BYTES];
	char *path; /* (nullable) */
};

/* @base to the power of our exponent; aborts if there is no memory. */
static BIGNUM *power(const SecretTransport *transport, const BIGNUM *base)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *result = BN_new();

	g_assert(context && result &&
	         BN_mod_exp_mont_consttime(result, base, transport->ours, transport->prime, context,
	                                   NULL) == 1);
	BN_CTX_free(context);
	return result;
}

static gpointer make_pair(gpointer data)
{
	SecretTransport *transport = data;
	BIGNUM *base = BN_new();

	transport->prime = BN_get_rfc2409_prime_1024(NULL);
	transport->ours = BN_new();
	g_assert(base && transport->prime && transport->ours && BN_set_word(base, 2) == 1 &&
	         BN_priv_rand(transport->ours, EXPONENT_BITS, BN_RAND_TOP_ONE,
	                      BN_RAND_BOTTOM_ANY) == 1);
	transport->public = power(transport, base);
	BN_free(base);
	return NULL;
}

SecretTransport *secret_transport_new(void)
{
	SecretTransport *transport = g_new0(SecretTransport, 1);

	transport->making = g_thread_new("keys", make_pair, transport);
	return transport;
}

GVariant *secret_transport_offer(SecretTransport *transport)
{
	guint8 bytes[PRIME_BYTES];

	if (transport->making)
		g_thread_join(g_steal_pointer(&transport->making));
	int size = BN_bn2bin(transport->public, bytes);
	return g_variant_new("(sv)", ALGORITHM,
	                     g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, (gsize)size, 1));
}

/* A number that 1 or the prime less 1 would be a session whose key anybody knows. */
static bool is_sane(const SecretTransport *transport, const BIGNUM *theirs)
{
	BIGNUM *last = BN_dup(transport->prime);
	bool is_good = last && BN_sub_word(last, 1) == 1 && !BN_is_zero(theirs) &&
	               !BN_is_one(theirs) && BN_cmp(theirs, last) < 0;

	BN_free(last);
	return is_good;
}

static void derive_key(SecretTransport *transport, const BIGNUM *theirs)
{
	BIGNUM *shared = power(transport, theirs);
	guint8 *bytes = crypto_alloc(PRIME_BYTES);

	g_assert(BN_bn2binpad(shared, bytes, PRIME_BYTES) == PRIME_BYTES);
	crypto_hkdf((Span){ bytes, PRIME_BYTES }, (Span){ 0 }, (Span){ 0 }, transport->key,
	            KEY_BYTES);
	crypto_free(bytes, PRIME_BYTES);
	BN_clear_free(shared);
}

bool secret_transport_accept(SecretTransport *transport, GVariant *answer, GError **error)
{
	g_autoptr(GVariant) theirs = NULL;
	g_autofree char *path = NULL;
	gsize size = 0;
	gconstpointer bytes = NULL;

	g_variant_get(answer, SECRET_TRANSPORT_ANSWER, &theirs, &path);
	if (g_variant_is_of_type(theirs, G_VARIANT_TYPE_BYTESTRING))
		bytes = g_variant_get_fixed_array(theirs, &size, 1);
	BIGNUM *number = bytes && size <= PRIME_BYTES ? BN_bin2bn(bytes, (int)size, NULL) : NULL;
	bool is_good = number && is_sane(transport, number);
	if (is_good) {
		derive_key(transport, number);
		transport->path = g_steal_pointer(&path);
	}
	BN_free(number);
	return is_good || keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
	                                "the Secret Service of this session cannot encrypt what is "
	                                "sent to it");
}

const char *secret_transport_path(const SecretTransport *transport)
{
	return transport->path;
}

/* Returns: how many bytes of @plain are the secret; -1: none of it. */
static int decrypt(const guint8 *key, const guint8 *iv, Span sealed, guint8 *plain)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int size = 0;
	int last = 0;
	bool is_good =
		context && EVP_DecryptInit_ex(context, EVP_aes_128_cbc(), NULL, key, iv) == 1 &&
		EVP_DecryptUpdate(context, plain, &size, sealed.data, (int)sealed.size) == 1 &&
		EVP_DecryptFinal_ex(context, plain + size, &last) == 1;

	EVP_CIPHER_CTX_free(context);
	return is_good ? size + last : -1;
}

GBytes *secret_transport_read(const SecretTransport *transport, GVariant *sealed, GError **error)
{
	g_autoptr(GVariant) parameters = g_variant_get_child_value(sealed, 1);
	g_autoptr(GVariant) value = g_variant_get_child_value(sealed, 2);
	gsize iv_size = 0;
	const guint8 *iv = g_variant_get_fixed_array(parameters, &iv_size, 1);
	Span text = { 0 };
	GBytes *secret = NULL;

	text.data = g_variant_get_fixed_array(value, &text.size, 1);
	if (iv_size == IV_BYTES && text.size > 0 && text.size <= G_MAXINT / 2) {
		gsize room = text.size + IV_BYTES;
		guint8 *plain = crypto_alloc(room);
		int size = decrypt(transport->key, iv, text, plain);

		if (size >= 0)
			secret = secret_new(plain, (gsize)size);
		crypto_free(plain, room);
	}
	if (!secret)
		keystore_fail(error, KEYSTORE_ERROR_CORRUPT, NULL,
		              "what the Secret Service sent cannot be decrypted");
	return secret;
}
