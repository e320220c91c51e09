/* tests/test_base_openssl.c - OpenSSL as this program starts it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "base/openssl.h"

/* By what X.509 signatures name their digest. */
static const int signed_with[] = {
	NID_sha256WithRSAEncryption,
	NID_sha384WithRSAEncryption,
	NID_sha512WithRSAEncryption,
	NID_ecdsa_with_SHA256,
	NID_ecdsa_with_SHA384,
	NID_ecdsa_with_SHA512,
	NID_RSA_SHA3_256,
	NID_sha1WithRSAEncryption,
};

static void test_starts_once(void)
{
	OpensslHeap first = openssl_start();

	g_assert_cmpint(first, !=, OPENSSL_HEAP_NONE);
	g_assert_cmpint(openssl_start(), ==, first);
	g_assert_cmpint(CRYPTO_secure_malloc_initialized(), ==, 1);
}

static void test_digests_of_certificates_have_names(void)
{
	openssl_start_tls();
	openssl_start_tls();
	for (gsize i = 0; i < G_N_ELEMENTS(signed_with); i++) {
		int digest = NID_undef;
		int key = NID_undef;

		g_assert_true(OBJ_find_sigid_algs(signed_with[i], &digest, &key));
		g_test_message("%s", OBJ_nid2sn(digest));
		g_assert_nonnull(EVP_get_digestbynid(digest));
	}
}

static void test_what_was_left_out_can_be_fetched(void)
{
	static const char *const ciphers[] = { "AES-256-GCM", "AES-128-CBC", "ChaCha20-Poly1305" };

	for (gsize i = 0; i < G_N_ELEMENTS(ciphers); i++) {
		EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, ciphers[i], NULL);

		g_assert_nonnull(cipher);
		EVP_CIPHER_free(cipher);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/openssl/starts-once", test_starts_once);
	g_test_add_func("/base/openssl/digests-of-certificates-have-names",
	                test_digests_of_certificates_have_names);
	g_test_add_func("/base/openssl/what-was-left-out-can-be-fetched",
	                test_what_was_left_out_can_be_fetched);
	return g_test_run();
}
