/* base/http_memory.c - memory for libcurl, wiped when it is given back: headers have keys in them
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_private.h"
#include "base/openssl.h"
#include "base/secret.h"

static void wipe_and_free(void *block)
{
	if (block)
		secret_wipe(block, http_block_bytes(block));
	free(block);
}

/* realloc(3) would leave the old block as it is. */
static void *move(void *block, size_t size_bytes)
{
	void *moved = malloc(size_bytes);

	if (!moved || !block)
		return moved;
	memcpy(moved, block, MIN(http_block_bytes(block), size_bytes));
	wipe_and_free(block);
	return moved;
}

bool http_init_memory(void)
{
	openssl_start_tls();
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free, move, strdup,
	                            calloc) == CURLE_OK;
}
