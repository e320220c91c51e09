/* keystore/note.h - what is known of a key beside the key; no secret
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Times are seconds since 1970. */
typedef struct {
	gint64 created_s;
	gint64 changed_s;
	gint64 expires_s;  /* 0: none */
	gint64 verified_s; /* 0: never */
	/* "prompt", "stdin", "fd", "environment", "import", "generated", "rotate"; "" unknown */
	char origin[16];
	/* 8 hex digits of a hash that only the owner of the store can make; "" unknown */
	char fingerprint[9];
} KeystoreNote;
