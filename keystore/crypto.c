/* keystore/crypto.c - the primitives, from OpenSSL 3.0's providers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/openssl.h"

#define DIGEST_BYTES ((gsize)32)
/* Added to what scrypt needs: OpenSSL counts the blocks of p and its own overhead too. */
#define SCRYPT_SLACK_BYTES ((guint64)1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_KDF, EVP_KDF_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_KDF_CTX, EVP_KDF_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MAC_CTX, EVP_MAC_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

static const guint8 zero_nonce[CRYPTO_NONCE_BYTES];

/** What all calls use: to fetch an algorithm by its name takes longer than to use it. */
typedef struct {
	EVP_MD *sha256;
	EVP_CIPHER *chacha20_poly1305;
	EVP_MAC *hmac;
	EVP_MAC_CTX *hmac_sha256; /* copied for each use */
} Algorithms;

/* Fails only when OpenSSL is broken or a small allocation failed: GLib ends the program then, too. */
static void must(bool is_done)
{
	if (!is_done)
		g_error("libcrypto refuses to work");
}

static gpointer fetch_algorithms(gpointer data)
{
	Algorithms *fetched = data;
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	(void)openssl_start();
	fetched->sha256 = EVP_MD_fetch(NULL, digest, NULL);
	fetched->chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	fetched->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	fetched->hmac_sha256 = EVP_MAC_CTX_new(fetched->hmac);
	/* OpenSSL before 3.2 copies none without a key. */
	must(fetched->sha256 && fetched->chacha20_poly1305 && fetched->hmac_sha256 &&
	     EVP_MAC_init(fetched->hmac_sha256, zero_nonce, sizeof(zero_nonce), params) == 1);
	return fetched;
}

static const Algorithms *algorithms(void)
{
	static Algorithms fetched;
	static GOnce once = G_ONCE_INIT;

	return g_once(&once, fetch_algorithms, &fetched);
}

void *crypto_alloc(gsize size_bytes)
{
	(void)openssl_start();
	void *data = OPENSSL_secure_zalloc(size_bytes);

	if (!data)
		data = OPENSSL_zalloc(size_bytes);
	must(data != NULL);
	return data;
}

void crypto_free(void *data, gsize size_bytes)
{
	OPENSSL_secure_clear_free(data, size_bytes);
}

void crypto_key_clear(CryptoKey *key)
{
	OPENSSL_cleanse(key->data, sizeof(key->data));
}

void crypto_random(void *data, gsize size_bytes)
{
	(void)openssl_start();
	must(RAND_bytes(data, (int)size_bytes) == 1);
}

bool crypto_equal(const void *a, const void *b, gsize size_bytes)
{
	return CRYPTO_memcmp(a, b, size_bytes) == 0;
}

void crypto_sha256(Span data, guint8 *digest)
{
	must(EVP_Digest(data.data, data.size, digest, NULL, algorithms()->sha256, NULL) == 1);
}

void crypto_hmac(Span key, Span data, guint8 *mac)
{
	g_autoptr(EVP_MAC_CTX) context = EVP_MAC_CTX_dup(algorithms()->hmac_sha256);
	gsize written = 0;

	/* Without a key it would go on with the one of the copy. */
	must(context && key.data && EVP_MAC_init(context, key.data, key.size, NULL) == 1 &&
	     EVP_MAC_update(context, data.data, data.size) == 1 &&
	     EVP_MAC_final(context, mac, &written, CRYPTO_KEY_BYTES) == 1);
}

static OSSL_PARAM param_octets(const char *name, Span value)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(guintptr)value.data, value.size);
}

/* By hand, from the HMAC: libcrypto's has kilobytes of room that is found, filled and wiped each time. */
void crypto_hkdf(Span key, Span salt, Span info, guint8 *out, gsize out_size)
{
	static const guint8 no_salt[DIGEST_BYTES];
	gsize room = 2 * DIGEST_BYTES + info.size + 1;
	guint8 *extracted = crypto_alloc(room);
	guint8 *block = extracted + DIGEST_BYTES;
	guint8 *tail = block + DIGEST_BYTES;

	crypto_hmac(salt.size > 0 ? salt : (Span){ no_salt, DIGEST_BYTES }, key, extracted);
	if (info.size > 0)
		memcpy(tail, info.data, info.size);
	for (gsize done = 0; done < out_size; done += DIGEST_BYTES) {
		gsize skipped = done == 0 ? DIGEST_BYTES : 0;

		tail[info.size]++;
		crypto_hmac((Span){ extracted, DIGEST_BYTES },
		            (Span){ block + skipped, DIGEST_BYTES - skipped + info.size + 1 },
		            block);
		memcpy(out + done, block, MIN(out_size - done, DIGEST_BYTES));
	}
	crypto_free(extracted, room);
}

guint64 crypto_scrypt_work(ScryptCost cost)
{
	return (guint64)cost.r * cost.p << cost.log_n;
}

bool crypto_scrypt(Span passphrase, Span salt, ScryptCost cost, guint8 *out, gsize out_size)
{
	g_autoptr(EVP_KDF) scrypt = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	g_autoptr(EVP_KDF_CTX) context = EVP_KDF_CTX_new(scrypt);
	guint64 n = (guint64)1 << cost.log_n;
	guint64 r = cost.r;
	guint64 p = cost.p;
	guint64 max_memory = 128 * r * (n + p) + SCRYPT_SLACK_BYTES;
	OSSL_PARAM params[] = {
		param_octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
		param_octets(OSSL_KDF_PARAM_SALT, salt),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_memory),
		OSSL_PARAM_construct_end(),
	};

	return EVP_KDF_derive(context, out, out_size, params) == 1;
}

static EVP_CIPHER_CTX *cipher_new(const CryptoBox *box, bool is_sealing)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written = 0;

	must(context &&
	     EVP_CipherInit_ex2(context, algorithms()->chacha20_poly1305, box->key,
	                        box->nonce ? box->nonce : zero_nonce, is_sealing, NULL) == 1);
	if (box->aad.size > 0)
		must(EVP_CipherUpdate(context, NULL, &written, box->aad.data, (int)box->aad.size) ==
		     1);
	return context;
}

void crypto_seal(const CryptoBox *box, Span plain, guint8 *sealed)
{
	g_autoptr(EVP_CIPHER_CTX) context = cipher_new(box, true);
	int written = 0;

	must(EVP_CipherUpdate(context, sealed, &written, plain.data, (int)plain.size) == 1 &&
	     EVP_CipherFinal_ex(context, sealed + plain.size, &written) == 1 &&
	     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_BYTES,
	                         sealed + plain.size) == 1);
}

bool crypto_open(const CryptoBox *box, Span sealed, guint8 *plain)
{
	g_autoptr(EVP_CIPHER_CTX) context = cipher_new(box, false);
	gsize size = sealed.size - CRYPTO_TAG_BYTES;
	guint8 tag[CRYPTO_TAG_BYTES];
	int written = 0;

	g_return_val_if_fail(sealed.size >= CRYPTO_TAG_BYTES, false);
	memcpy(tag, (const guint8 *)sealed.data + size, sizeof(tag));
	must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
	     EVP_CipherUpdate(context, plain, &written, sealed.data, (int)size) == 1);
	if (EVP_CipherFinal_ex(context, plain + size, &written) == 1)
		return true;

	OPENSSL_cleanse(plain, size);
	return false;
}
