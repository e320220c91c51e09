/* base/openssl.c - what OpenSSL does when it starts, and what it leaves out
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/openssl.h"

#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/** Secure heap and its smallest block, powers of two.  Source: RLIMIT_MEMLOCK is 8 MiB since
 *  Linux 5.16 and was 64 KiB before; OpenSSL goes on when mlock(2) fails. */
#define HEAP_BYTES ((gsize)256 * 1024)
#define HEAP_BLOCK_BYTES 32

/** Most of the time of a short run went into error texts that nobody sees, tables of names that
 *  nobody looks up, and taking down what ends with the process anyway.  The machine's openssl.cnf is for
 *  its own programs: it can name providers that this one cannot load, or take away those that the
 *  keystore is read with; and whoever sets OPENSSL_CONF would say which code we run. */
#define QUICK_START                                                              \
	(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ADD_ALL_CIPHERS | \
	 OPENSSL_INIT_NO_ADD_ALL_DIGESTS | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG)

static OpensslHeap start(void)
{
#ifdef SANITIZED /* LeakSanitizer misses what is not taken down */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
#else
	(void)OPENSSL_init_crypto(QUICK_START, NULL);
#endif
	switch (CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_BLOCK_BYTES)) {
	case 1:
		return OPENSSL_HEAP_LOCKED;
	case 2:
		return OPENSSL_HEAP_SWAPPABLE;
	default:
		return OPENSSL_HEAP_NONE;
	}
}

OpensslHeap openssl_start(void)
{
	static gsize result; /* plus 1 */

	if (g_once_init_enter(&result))
		g_once_init_leave(&result, (gsize)start() + 1);
	return (OpensslHeap)(result - 1);
}

static gpointer add_digests(gpointer data G_GNUC_UNUSED)
{
	const EVP_MD *const digests[] = {
		EVP_sha1(),     EVP_sha224(),   EVP_sha256(),   EVP_sha384(),   EVP_sha512(),
		EVP_sha3_224(), EVP_sha3_256(), EVP_sha3_384(), EVP_sha3_512(),
	};

	for (gsize i = 0; i < G_N_ELEMENTS(digests); i++)
		(void)EVP_add_digest(digests[i]);
	return NULL;
}

void openssl_start_tls(void)
{
	static GOnce once = G_ONCE_INIT;

	(void)openssl_start();
	(void)g_once(&once, add_digests, NULL);
}
