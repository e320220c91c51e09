/* installer/key_verify.h - asks the provider of a key whether it takes it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"

typedef enum {
	KEY_VALID,
	KEY_REFUSED,      /* the provider does not know it, or has blocked it */
	KEY_LIMITED,      /* it is known; its quota or balance is used up */
	KEY_UNCLEAR,      /* the provider answers something else */
	KEY_UNREACHABLE,  /* no answer */
	KEY_UNVERIFIABLE, /* there is no server that could be asked */
	KEY_MISSING,      /* there is no such key */
} KeyVerdict;

/** Who gives out the keys that are called so.  Adding one: a row in key_verify.c. */
typedef struct {
	const char *name;     /* of the key, as programs call it */
	const char *provider; /* for people */
	const char *url; /* (nullable): fixed; a GET of it reads, costs nothing and needs the key */
	const char *header;  /* what stands before the key: "Authorization: Bearer " */
	const char *extra;   /* (nullable): one more header */
	const char *refused; /* statuses, a space around each, beside " 401 " */
	const char *why_not; /* (nullable): why there is no url */
} KeyProvider;

extern const KeyProvider key_provider_table[];
extern const gsize key_provider_count;

/** Returns: (transfer none) (nullable): the row for @name. */
const KeyProvider *key_provider_find(const char *name);

/**
 * Asks the provider of the key @name; at most 5 s.  Blocks.  The key goes to that server alone, and to
 * a mirror only where the command line or the environment names one: a file in the working directory
 * must not lead it elsewhere.  No redirect is followed, no body is kept.  Of several threads.
 *
 * @why: (out) (transfer full): one phrase.
 */
KeyVerdict key_verify(const App *app, const char *name, GBytes *secret, char **why);

/** Returns: (transfer none): the stable word, in JSON: "valid". */
const char *key_verdict_name(KeyVerdict verdict);
