/* keystore/error.h - the answers of a keystore that callers tell apart
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Largest secret, in bytes.  Source: our own bound; a PEM-encoded RSA-4096 key has about 3.3 kB. */
#define KEYSTORE_SECRET_MAX 16384

#define KEYSTORE_ERROR keystore_error_quark()
GQuark keystore_error_quark(void);

/** Files that cannot be read or written for other reasons: domain FAULT. */
typedef enum {
	KEYSTORE_ERROR_NOT_FOUND,   /* no secret has that name */
	KEYSTORE_ERROR_LOCKED,      /* there is no key source that can open it now */
	KEYSTORE_ERROR_UNAVAILABLE, /* there is no store yet, and none may be made */
	KEYSTORE_ERROR_TIMEOUT,     /* another process holds its lock */
	KEYSTORE_ERROR_DENIED,      /* owner, mode or links of the file are not as they must be */
	KEYSTORE_ERROR_CORRUPT,     /* the file was damaged or changed */
	KEYSTORE_ERROR_WRONG_KEY,   /* the passphrase or key file does not open it */
	KEYSTORE_ERROR_BAD_NAME,    /* the name, or profile, breaks the rule of keystore.h */
	KEYSTORE_ERROR_BAD_SECRET,  /* empty, too large, or with a NUL */
	KEYSTORE_ERROR_STALE,       /* an older version of the store was put in its place */
	KEYSTORE_ERROR_EXISTS,      /* there is one already: see back_end_private.h */
} KeystoreError;

/** As fault_set(), in domain KEYSTORE_ERROR.  Always false. */
bool keystore_fail(GError **error, KeystoreError code, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
