/* keystore/keystore_profiles.c - a profile under another name: copied, looked at, then removed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/secret.h"
#include "keystore/keystore_audit_private.h"

/* A profile on its way: for each of its keys where it is, and where it goes; then what the audit log
 * needs. */
typedef struct {
	Keystore *store;
	const char *to;
	const GPtrArray *entries; /* (element-type KeystoreEntry) */
	BackEndItem *old;
	BackEndItem *new;
	BackEndItem *own;
	guint total;
} Move;

enum { OWN_MASTER, OWN_HEAD, OWN_COUNT };

static void move_clear(Move *move)
{
	back_end_items_clear(move->old, move->total);
}

/* Reads all of it in one go. */
static bool move_read(Move *move, GError **error)
{
	guint count = move->entries->len;

	move_clear(move);
	for (guint i = 0; i < count; i++) {
		const KeystoreEntry *entry = move->entries->pdata[i];

		move->old[i] = (BackEndItem){ entry->profile, entry->name, NULL, { 0 } };
		move->new[i] = (BackEndItem){ move->to, entry->name, NULL, { 0 } };
	}
	move->own[OWN_MASTER] = (BackEndItem){ KEYSTORE_PROFILE_OWN, BACK_END_MASTER, NULL, { 0 } };
	move->own[OWN_HEAD] =
		(BackEndItem){ KEYSTORE_PROFILE_OWN, BACK_END_AUDIT_HEAD, NULL, { 0 } };
	return move->store->back_end->read(move->store->opened, move->old, move->total, error);
}

/* A run that was killed has copied some of them. */
static bool check_target(const Move *move, GError **error)
{
	for (guint i = 0; i < move->entries->len; i++) {
		const BackEndItem *new = &move->new[i];

		if (!new->secret || !move->old[i].secret ||
		    g_bytes_equal(new->secret, move->old[i].secret))
			continue;
		fault_set(error, STATUS_FAILED, "Remove or rename one of the two.",
		          "the profile %s has another %s already", new->profile, new->name);
		return false;
	}
	return true;
}

static bool check_copies(const Move *move, GError **error)
{
	for (guint i = 0; i < move->entries->len; i++) {
		const BackEndItem *new = &move->new[i];

		if (new->secret &&
		    move->old[i].secret &&g_bytes_equal(new->secret, move->old[i].secret))
			continue;
		fault_set(error, STATUS_IO, "Run the command again.",
		          "%s did not arrive in the profile %s; nothing was removed", new->name,
		          new->profile);
		return false;
	}
	return true;
}

static bool move_apply(Move *move, bool is_copying, GError **error)
{
	g_autoptr(GArray) list = g_array_new(false, true, sizeof(BackEndChange));

	for (guint i = 0; i < move->entries->len; i++) {
		const BackEndItem *old = &move->old[i];
		BackEndChange change = { .profile = is_copying ? move->to : old->profile,
			                 .name = old->name,
			                 .secret = is_copying ? old->secret : NULL,
			                 .note = old->note };

		if (old->secret && !(is_copying && move->new[i].secret))
			g_array_append_val(list, change);
	}
	return keystore_apply_audited(move->store, list, move->own[OWN_MASTER].secret,
	                              move->own[OWN_HEAD].secret, error);
}

bool keystore_rename_profile(Keystore *store, const char *to, guint *count, GError **error)
{
	g_return_val_if_fail(store && to && count, false);

	g_autoptr(GPtrArray) entries =
		keystore_check_profile(to, error) ? keystore_list(store, error) : NULL;
	if (!entries)
		return false;

	gsize keys = entries->len;
	gsize total = 2 * keys + OWN_COUNT;
	g_autofree BackEndItem *items = g_new0(BackEndItem, total);
	Move move = { store, to, entries, items, items + keys, items + 2 * keys, (guint)total };
	*count = entries->len;
	bool is_done = move_read(&move, error) && check_target(&move, error) &&
	               move_apply(&move, true, error) && move_read(&move, error) &&
	               check_copies(&move, error) && move_apply(&move, false, error);
	move_clear(&move);
	return is_done;
}
