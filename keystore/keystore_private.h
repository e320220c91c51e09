/* keystore/keystore_private.h - what the two files of the keystore share
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/audit.h"
#include "keystore/back_end_private.h"

struct Keystore {
	KeystoreOptions options; /* strings owned; the profile is set */
	const BackEnd *back_end; /* (nullable): not settled yet */
	gpointer opened;         /* its store */
	char *why;               /* (nullable) */
	bool has_warned;         /* that the audit log cannot be written */
	GPtrArray *others;       /* (element-type Keystore): of keystore_in() */
};

/** Settles which back end is used, as of keystore_back_end(). */
bool keystore_settle(Keystore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none): the opened store of back_end_file (a FileStore); NULL with CONFIG, in
 *  domain FAULT, or an error of keystore_back_end() set: the keys are elsewhere. */
gpointer keystore_file(Keystore *store, GError **error);
