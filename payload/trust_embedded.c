/* payload/trust_embedded.c - the root of trust and the day of the build, inside the program
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <time.h>

#include "payload/trust.h"

/* As in payload/embedded.c.  The room behind the marker is filled with zeros, so that another root
 * can be put there in a copy of the program: the tests run the very same code with their own keys. */
#define ROOM_BYTES 4096
#define TEXT_(number) #number
#define TEXT(number) TEXT_(number)

__asm__(".data\n"
        ".balign 16\n"
        ".ascii \"slipway: the root of trust is here:\\n\"\n"
        "slipway_root_start:\n"
        ".incbin \"packaging/root.json\"\n"
        ".org slipway_root_start + " TEXT(ROOM_BYTES) "\n"
                                                      ".byte 0\n"
                                                      ".text\n");
extern const char G_GNUC_INTERNAL slipway_root_start[] __asm__("slipway_root_start");

GBytes *trust_embedded(void)
{
	return g_bytes_new_static(slipway_root_start, strnlen(slipway_root_start, ROOM_BYTES));
}

gint64 trust_now(void)
{
	return MAX((gint64)time(NULL), (gint64)BUILD_EPOCH);
}
