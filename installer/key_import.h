/* installer/key_import.h - several keys on their way into the keystore
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "keystore/keystore.h"

typedef struct KeyImport KeyImport;

KeyImport *key_import_new(void);
void key_import_free(KeyImport *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyImport, key_import_free)

/** Adds a key; @expires_s: as in KeystoreNote. */
void key_import_add(KeyImport *import, const char *name, GBytes *secret, gint64 expires_s);

/** Returns: (transfer none): the names, in the order in which they came; NULL-terminated. */
const char *const *key_import_names(const KeyImport *import);

/**
 * Saves them all, in one change where the store can do that, reads them back and compares.  Asks
 * before another value is replaced.  The document of @app gets "saved", "unchanged" and "backend".
 *
 * @path: where they come from, for people.
 * Returns: false with DATA (there is none), USAGE (values would be replaced, and nobody can be asked),
 * FAILED (nobody agreed, or what came back differs) or an error of the keystore set.
 */
bool key_import_run(const KeyImport *import, App *app, const char *path,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
