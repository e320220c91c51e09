/* base/digest.c - SHA-256 of bytes that come piece by piece
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/digest.h"

#include <openssl/evp.h>

#include "base/openssl.h"

struct Digest {
	EVP_MD_CTX *context;
};

static EVP_MD_CTX *new_context(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!context)
		g_error("out of memory");
	return context;
}

static void must(int result)
{
	if (result != 1)
		g_error("SHA-256 is not available");
}

Digest *digest_new(void)
{
	Digest *digest = g_new0(Digest, 1);

	digest->context = new_context();
	(void)openssl_start();
	must(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
	return digest;
}

void digest_free(Digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	g_free(digest);
}

void digest_add(Digest *digest, const void *data, gsize size_bytes)
{
	must(EVP_DigestUpdate(digest->context, data, size_bytes));
}

char *digest_hex(const Digest *digest)
{
	EVP_MD_CTX *copy = new_context();
	unsigned char bytes[EVP_MAX_MD_SIZE] = { 0 };
	unsigned int count = 0;
	GString *hex = g_string_new(NULL);

	must(EVP_MD_CTX_copy_ex(copy, digest->context));
	must(EVP_DigestFinal_ex(copy, bytes, &count));
	EVP_MD_CTX_free(copy);
	for (unsigned int i = 0; i < count; i++)
		g_string_append_printf(hex, "%02x", bytes[i]);
	return g_string_free(hex, FALSE);
}
