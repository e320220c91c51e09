/* keystore/helper_private.h - what the helper does on each system, and how it is found
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/back_end_private.h"

/** The keyring of the system, called in the helper.  Functions may block for ever.  @may_prompt: a
 *  person is there; else LOCKED is the answer of whatever would ask them. */
typedef struct {
	/** Returns: (transfer full): a connection; NULL with an error set. */
	gpointer (*open)(GError **error);

	/** The secrets are as the keyring has them: not checked. */
	bool (*read)(gpointer keyring, bool may_prompt, BackEndItem *items, guint count,
	             GError **error);
	bool (*change)(gpointer keyring, bool may_prompt, const BackEndChange *change,
	               GError **error);
	GPtrArray *(*list)(gpointer keyring, bool may_prompt, GError **error);

	/** What an error of another domain than ours means; its message is made fit to be shown. */
	KeystoreError (*judge)(GError *error);
} HelperKeyring;

extern const HelperKeyring helper_keyring;

/** Returns: (transfer full): the path by which this program can be started once more. */
char *helper_self_path(void);
