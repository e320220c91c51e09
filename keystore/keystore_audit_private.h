/* keystore/keystore_audit_private.h - what a keystore writes into its audit log; private to keystore/
 *
 * A line that cannot be written keeps nobody from a key: reading goes on silently, a change goes on
 * with a warning.  All of these do nothing where the options name no log, and reading leaves no line
 * where nothing was ever saved.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/keystore_private.h"

/** How a lookup went. */
typedef struct {
	GBytes *master; /* (nullable): .slipway/master, as it was read with the keys */
	const bool *is_from_environment;
	const GError *error; /* (nullable) */
} KeystoreTrail;

/** A line for each of @names; those without a secret were not found. */
void keystore_audit_lookup(Keystore *store, const char *const *names, GBytes *const *secrets,
                           guint count, const KeystoreTrail *trail);

/** A line, without MAC: nothing was opened for it. */
void keystore_audit_list(Keystore *store, const GError *error);

/**
 * Writes down what is about to be changed, on the disk when it returns, and appends the new head of
 * the log to @changes (BackEndChange).
 *
 * @sealed: (nullable): the head that the store has.
 * Returns: (transfer full) (nullable): the text of the head, which @changes borrows.
 */
GBytes *keystore_audit_begin(Keystore *store, GArray *changes, GBytes *master, GBytes *sealed);

/** Writes down, without MAC, that the store could not be opened for @changes. */
void keystore_audit_refusal(Keystore *store, const KeystoreChange *changes, guint count,
                            const GError *error);

/** Writes down how it ended. */
void keystore_audit_end(Keystore *store, const GArray *changes, GBytes *master,
                        const GError *error);

/** Makes the changes in @list (BackEndChange), with lines in the audit log before and after.
 *  @master: (nullable) and @head: (nullable): those two items of our own, as the store has them. */
bool keystore_apply_audited(Keystore *store, GArray *list, GBytes *master, GBytes *head,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
