/* keystore/options.h - what a keystore is opened with
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>

/** Where the key that opens the store comes from; the first that is set is used. */
typedef struct {
	const char *path;  /* the store file; its directory is made (0700) on the first write */
	int passphrase_fd; /* -1: none.  Read to the end, one trailing line break taken off */
	const char *passphrase_file; /* (nullable): mode 0600 or stricter */
	const char *key_file;        /* (nullable): 32 raw bytes, mode 0600 or stricter */
	const char *
		default_key_file; /* (nullable): used when it exists, is not empty and nothing above is set */
	GBytes *(*ask)(const char *prompt, gpointer data,
	               GError **error); /* (nullable): on a terminal */
	gpointer data;
} KeystoreOptions;
