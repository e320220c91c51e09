/* base/http_memory_linux.c - how large a block of memory is
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <malloc.h>

#include "base/http_private.h"

gsize http_block_bytes(void *block)
{
	return malloc_usable_size(block);
}
