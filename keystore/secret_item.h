/* keystore/secret_item.h - how a key is found in the desktop's keyring
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

/**
 * One item for each key, found by these attributes, which are not secret:
 *
 *   secret-tool lookup application slipway profile default name NAME
 *   secret-tool store --label="slipway: NAME (default)" application slipway profile default name NAME
 *
 * An item may have more attributes (others' tools add a schema).  Source: Secret Service API draft,
 * lookup attributes.
 */
#define SECRET_ITEM_APPLICATION "application"
#define SECRET_ITEM_APPLICATION_VALUE "slipway"
#define SECRET_ITEM_PROFILE "profile"
#define SECRET_ITEM_PROFILE_VALUE "default"
#define SECRET_ITEM_NAME "name"

/** Names of the Secret Service on the bus. */
#define SECRET_BUS_NAME "org.freedesktop.secrets"
#define SECRET_SERVICE_PATH "/org/freedesktop/secrets"
#define SECRET_SERVICE_INTERFACE_NAME "org.freedesktop.Secret.Service"
#define SECRET_COLLECTION_INTERFACE_NAME "org.freedesktop.Secret.Collection"
