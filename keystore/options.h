/* keystore/options.h - what a keystore is opened with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** The profile of keys for which none was named. */
#define KEYSTORE_PROFILE_DEFAULT "default"

/** The profile of what the store keeps for itself: never listed, and no command reaches it. */
#define KEYSTORE_PROFILE_OWN ".slipway"

/** Which back end, where the file is, and where the key that opens it comes from: of those keys the
 *  first that is set is used. */
typedef struct {
	const char
		*back_end; /* (nullable): "auto", or a name of keystore_back_ends(); NULL: "file" */
	const char *path;  /* the store file; its directory is made (0700) on the first write */
	const char *profile;      /* (nullable): whose keys; NULL: KEYSTORE_PROFILE_DEFAULT */
	bool ignores_environment; /* reads what is stored, whatever a variable says */
	const char *seen_path;  /* (nullable): where the newest state that was seen is remembered */
	bool accept_rollback;   /* an older state than that becomes the newest */
	const char *audit_path; /* (nullable): the log of keystore/audit.h; NULL: none is kept */
	int passphrase_fd;      /* -1: none.  Read to the end, one trailing line break taken off */
	const char *passphrase_file; /* (nullable): mode 0600 or stricter */
	const char *key_file;        /* (nullable): 32 raw bytes, mode 0600 or stricter */
	const char *
		default_key_file; /* (nullable): used when it exists, is not empty and nothing above is set */
	GBytes *(*ask)(const char *prompt, gpointer data,
	               GError **error); /* (nullable): on a terminal */
	void (*tell)(
		const char *line,
		gpointer data); /* (nullable): somebody reads it, and sees dialogs on a desktop */
	void (*warn)(const char *line,
	             gpointer data); /* (nullable): of what did not keep it from its work */
	gpointer data;
	guint answer_timeout_ms; /* for a keyring to answer; 0: 10,000 */
	guint unlock_timeout_ms; /* for a person to unlock it; 0: 120,000 */
} KeystoreOptions;
