/* keystore/slot_keyring.h - a key of the encrypted file that the desktop's keyring keeps
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/format.h"
#include "keystore/options.h"

/** It is the item "file-key-STOREID" of KEYSTORE_PROFILE_OWN there: 32 random bytes as hex. */

/** Returns: (transfer full) (nullable): the key for the store of @header; NULL when there is none, or
 *  no keyring that is open now.  Never asks anybody. */
GBytes *slot_keyring_read(const KeystoreOptions *options, const FormatHeader *header);

/** Puts a key there, unless there is one; may ask to unlock the keyring.
 *  Returns: (transfer full): the key that is there now; or NULL with an error of keystore.h set. */
GBytes *slot_keyring_make(const KeystoreOptions *options, const FormatHeader *header,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Removes it; an absent one is success. */
bool slot_keyring_remove(const KeystoreOptions *options, const FormatHeader *header,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
