/* base/openssl.h - OpenSSL, started late and with no more than this program uses
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

/** What became of the secure heap. */
typedef enum {
	OPENSSL_HEAP_NONE,
	OPENSSL_HEAP_LOCKED,   /* never written to a swap device */
	OPENSSL_HEAP_SWAPPABLE /* there, and could not be locked in memory */
} OpensslHeap;

/**
 * Starts OpenSSL with a secure heap, once.  Call it before anything else of OpenSSL: base/digest.h,
 * base/secret.h and keystore/crypto.h do.  Whoever comes first without it gets an OpenSSL that starts
 * slower, and as the machine's openssl.cnf wants it.
 * Ciphers and digests are not known to it by the names of old (EVP_get_digestbyname()), which a
 * quarter of the time of "slipway keys get" went into.  Thread-safe.
 */
OpensslHeap openssl_start(void);

/** As openssl_start(); libssl can look up by name the digests that certificates are signed with. */
void openssl_start_tls(void);
