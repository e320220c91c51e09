/* base/http_memory_macos.c - how large a block of memory is
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <malloc/malloc.h>

#include "base/http_private.h"

gsize http_block_bytes(void *block)
{
	return malloc_size(block);
}
