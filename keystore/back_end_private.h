/* keystore/back_end_private.h - the places where secrets can be kept; private to keystore/
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/keystore.h"

/** Items of KEYSTORE_PROFILE_OWN; delete_empty() removes them, but for what opens a file: that is none of
 *  the keyring's own. */
#define BACK_END_FILE_KEY "file-key-"    /* and a store id */
#define BACK_END_MASTER "master"         /* 32 random bytes as hex: see keystore_derive() */
#define BACK_END_AUDIT_HEAD "audit-head" /* the last line of the log, as of the last change */

typedef enum {
	BACK_END_PUT, /* saves secret and note; without a secret, removes (NOT_FOUND) */
	BACK_END_ADD, /* as PUT, but EXISTS where there is one, which stands */
	BACK_END_NOTE, /* takes origin, expires_s and verified_s of the note; the rest stands (NOT_FOUND) */
} BackEndAction;

typedef struct {
	const char *profile;
	const char *name;
	GBytes *secret; /* (nullable) */
	KeystoreNote note;
	BackEndAction action;
} BackEndChange;

typedef struct {
	const char *profile;
	const char *name;
	GBytes *secret;    /* (out) (transfer full): NULL: there is none */
	KeystoreNote note; /* (out) */
	bool secret_only;  /* the note is not asked for, and may stay empty */
} BackEndItem;

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

	/** Reads all @items, with one unlock and one round trip.  One that is not there is no error. */
	bool (*read)(gpointer store, BackEndItem *items, guint count, GError **error);

	/** Makes the changes in their order; the file all of them or none, a keyring up to the one that
	 *  fails. */
	bool (*apply)(gpointer store, const BackEndChange *changes, guint count, GError **error);

	/** The store itself, if it has no key any more; else FAILED, in domain FAULT. */
	bool (*delete_empty)(gpointer store, GError **error);

	/** (element-type KeystoreEntry): of all profiles, KEYSTORE_PROFILE_OWN too, sorted by
	 *  back_end_compare_entries(). */
	GPtrArray *(*list)(gpointer store, GError **error);
} BackEnd;

extern const BackEnd back_end_file;
extern const BackEnd back_end_secret_service; /* Linux */
extern const BackEnd back_end_keychain;       /* macOS */

/** Those that this system has, the one that "auto" likes best first; NULL-terminated. */
extern const BackEnd *const back_end_table[];

/** Frees the secrets of @items. */
void back_end_items_clear(BackEndItem *items, guint count);

/** Sorts pointers to KeystoreEntry: by profile, then by name. */
int back_end_compare_entries(gconstpointer a, gconstpointer b);

/** Sets NOT_FOUND.  Always false. */
bool back_end_not_found(const char *name, GError **error);

/** Sets TIMEOUT: another process has just begun to keep keys in @chosen.  Always false. */
bool back_end_overtaken(const char *chosen, GError **error);
