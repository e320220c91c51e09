/* keystore/back_end_private.h - the places where secrets can be kept; private to keystore/
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/keystore.h"

/**
 * One place.  Adding one: a file with these functions, and a row in back_ends_<system>.c.  Names and
 * secrets that arrive here are valid; the environment has been looked at.  The errors are those of
 * keystore.h.
 */
typedef struct {
	const char *name; /* in settings, records and receipts: never changed */
	bool is_recorded; /* its use is written down; for the file, the file itself says so */

	/** Returns: whether "auto" takes it where nothing was chosen yet.  Fast, and starts nothing.
	 *  NULL: always.  @why: (out) (transfer full): one phrase, for either answer. */
	bool (*suits)(const KeystoreOptions *options, char **why);

	/** Nothing is read or created.  @options outlives the store. */
	gpointer (*open)(const KeystoreOptions *options);
	void (*free)(gpointer store);

	bool (*exists)(gpointer store);
	bool (*is_unattended)(gpointer store);
	char *(*peek)(gpointer store);
	GBytes *(*lookup)(gpointer store, const char *name, GError **error);
	bool (*save)(gpointer store, const char *name, GBytes *secret, GError **error);
	bool (*remove)(gpointer store, const char *name, GError **error);
	bool (*delete_empty)(gpointer store, GError **error);
	GPtrArray *(*list)(gpointer store, GError **error);
} BackEnd;

extern const BackEnd back_end_file;
extern const BackEnd back_end_secret_service;

/** Those that this system has, the one that "auto" likes best first; NULL-terminated. */
extern const BackEnd *const back_end_table[];

/** Sets NOT_FOUND.  Always false. */
bool back_end_not_found(const char *name, GError **error);

/** Sets TIMEOUT: another process has just begun to keep keys in @chosen.  Always false. */
bool back_end_overtaken(const char *chosen, GError **error);
