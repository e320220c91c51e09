/* keystore/keystore_audit.h - the audit log of a keystore, checked with what the keystore knows
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/audit.h"
#include "keystore/keystore.h"

/** Reads and checks the log that the options of @store name, as audit_read().  Opens the store, with
 *  a question if need be; where it cannot be opened, the report says why.
 *  Returns: (transfer full): the report; or NULL with an error as of audit_append() set. */
AuditReport *keystore_audit(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;
