/* installer/key_bundle.h - keys on their way to another machine: one encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "installer/command.h"
#include "keystore/keystore.h"

/** Largest bundle, in bytes: that of a keystore file.  Source: keystore/format.h. */
#define KEY_BUNDLE_MAX_BYTES ((gsize)1024 * 1024)

/** A keystore of its own, in a directory of ours while it is worked on. */
typedef struct KeyBundle KeyBundle;

/** Where its passphrase comes from, when nobody is asked. */
typedef struct {
	const char *descriptor; /* (nullable): a number */
	const char *file;       /* (nullable) */
} KeyBundlePassphrase;

/** Returns: whether @content begins as a bundle does. */
bool key_bundle_is(GBytes *content);

/**
 * Makes an empty bundle, or one that has the bytes of a file.
 *
 * @path: of the file; stands in questions.
 * @content: (nullable): what it has.
 * Returns: (transfer full): the bundle, not opened yet; or NULL with USAGE (its passphrase comes from
 * nowhere) or an error of writing set.
 */
KeyBundle *key_bundle_new(App *app, const char *path, GBytes *content,
                          const KeyBundlePassphrase *passphrase,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes all of it but what was published.  Accepts NULL. */
void key_bundle_free(KeyBundle *bundle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyBundle, key_bundle_free)

/** Returns: (transfer none): the keystore in it. */
Keystore *key_bundle_store(KeyBundle *bundle);

/** Makes its path, mode 0600, whole or not at all.
 *  Returns: false with CANNOT_CREATE (it exists) or an error of writing set. */
bool key_bundle_publish(KeyBundle *bundle, GError **error) G_GNUC_WARN_UNUSED_RESULT;
