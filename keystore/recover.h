/* keystore/recover.h - what can be read of a damaged encrypted file, and the version before it
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/keystore.h"

/** One of the two files. */
typedef struct {
	bool is_there;
	bool is_whole;      /* it opens; else: */
	char *problem;      /* (nullable): why it does not */
	guint64 generation; /* 0: unknown; of a damaged file not authenticated */
	guint keys;
} KeystoreVersion;

typedef struct {
	KeystoreVersion current;
	KeystoreVersion backup; /* PATH.bak: before the last change */
} KeystoreVersions;

void keystore_versions_clear(KeystoreVersions *versions);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeystoreVersions, keystore_versions_clear)

/** Tries to open both; needs what opens the keystore.
 *  Returns: false with LOCKED, WRONG_KEY, DENIED or domain FAULT (CONFIG: the keys are not in a file)
 *  set: then nothing is known. */
bool keystore_examine(Keystore *store, KeystoreVersions *versions,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Puts what is in the backup in the place of the file, as its newest version.  What was there is
 *  kept as PATH.damaged.
 *  Returns: false with an error as above, or NOT_FOUND (there is no backup) or CORRUPT (it does not
 *  open either), set. */
bool keystore_recover(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
