/* keystore/helper_client.h - a back end that is a keyring: our side of the helper
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "keystore/back_end_private.h"

/** What differs between the keyrings. */
typedef struct {
	const BackEnd *back_end;
	const char *title;        /* "the desktop's keyring" */
	const char *locked_hint;  /* what a person can do about each of these answers */
	const char *absent_hint;  /* UNAVAILABLE, DENIED */
	const char *late_hint;    /* TIMEOUT */
	const char *damaged_hint; /* CORRUPT */
	const char *waiting;      /* told before a dialog may appear */
	bool (*can_prompt)(void); /* whether a dialog would be seen */
	/** @variable: (out) (transfer full) (nullable): "NAME=value" for the helper's environment.
	 *  Returns: false with UNAVAILABLE set. */
	bool (*environment)(char **variable, GError **error);
} HelperSide;

/** Starts nothing yet. */
gpointer helper_client_new(const HelperSide *side, const KeystoreOptions *options);

/** As in BackEnd, keystore/back_end_private.h. */
void helper_client_free(gpointer data);

/** Returns: whether the record says that the keys are there, or cannot be read. */
bool helper_client_exists(gpointer data);

/** Returns: true: no file with a key would be of use. */
bool helper_client_is_unattended(gpointer data);

/** As in BackEnd: one request for all @items. */
bool helper_client_read(gpointer data, BackEndItem *items, guint count, GError **error);

/** As in BackEnd: one request for all @changes. */
bool helper_client_apply(gpointer data, const BackEndChange *changes, guint count, GError **error);

/** As in BackEnd: what the store keeps for itself goes, then the record. */
bool helper_client_delete_empty(gpointer data, GError **error);

/** As in BackEnd. */
GPtrArray *helper_client_list(gpointer data, GError **error);
