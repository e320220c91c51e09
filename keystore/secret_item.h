/* keystore/secret_item.h - how a key is found in the desktop's keyring
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

/**
 * One item for each key, found by three attributes, which are not secret:
 *
 *   secret-tool lookup application slipway profile PROFILE name NAME
 *   secret-tool store --label="slipway: NAME (PROFILE)" application slipway profile PROFILE name NAME
 *
 * The fourth, "note", is what is known of the key (keystore/note_text.h).  It is set on the item once that
 * is there: an item is made with the three, so that the service finds the one to be replaced, with or
 * without a note, whoever wrote it.  An item may have more attributes (others' tools add a schema).
 * Source: Secret Service API draft, lookup attributes; tried with GNOME Keyring 42 and 48.
 */
#define SECRET_ITEM_APPLICATION "application"
#define SECRET_ITEM_APPLICATION_VALUE "slipway"
#define SECRET_ITEM_PROFILE "profile"
#define SECRET_ITEM_NAME "name"
#define SECRET_ITEM_NOTE "note"

/** Names of the Secret Service on the bus. */
#define SECRET_BUS_NAME "org.freedesktop.secrets"
#define SECRET_SERVICE_PATH "/org/freedesktop/secrets"
#define SECRET_SERVICE_INTERFACE_NAME "org.freedesktop.Secret.Service"
#define SECRET_COLLECTION_INTERFACE_NAME "org.freedesktop.Secret.Collection"
#define SECRET_ITEM_INTERFACE_NAME "org.freedesktop.Secret.Item"
#define SECRET_PROPERTIES_INTERFACE_NAME "org.freedesktop.DBus.Properties"
