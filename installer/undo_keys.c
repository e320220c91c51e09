/* installer/undo_keys.c - primitives that take back keys
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "base/file.h"
#include "installer/undo_parts.h"
#include "keystore/keystore.h"

static bool need_keystore(const Undo *undo, GError **error)
{
	if (undo->host && undo->host->keystore)
		return true;

	fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no keystore in this run");
	return false;
}

/* Returns: (transfer none): the keystore that @part is about; older recipes know the file and the default
 * profile alone, and do not say so. */
static Keystore *keystore_of(const Undo *undo, const json_t *part, GError **error)
{
	return keystore_in(undo->host->keystore, json_text_or(part, "backend", "file"),
	                   json_text_or(part, "profile", KEYSTORE_PROFILE_DEFAULT), error);
}

bool undo_key_delete(const Undo *undo, const json_t *part, GError **error)
{
	const char *name = json_need_text(part, "name", error);
	g_autoptr(GError) failure = NULL;

	if (!name || !need_keystore(undo, error))
		return false;

	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED =
		g_mutex_locker_new(undo->host->keystore_mutex);
	Keystore *store = keystore_of(undo, part, error);
	if (!store)
		return false;
	if (keystore_remove(store, name, &failure) ||
	    g_error_matches(failure, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND))
		return true;

	g_propagate_prefixed_error(error, g_steal_pointer(&failure), "key %s: ", name);
	return false;
}

static bool store_is_empty(Keystore *store, bool *is_empty, GError **error)
{
	g_autoptr(GPtrArray) entries = keystore_list_all(store, error);
	if (!entries)
		return false;

	*is_empty = entries->len == 0;
	return true;
}

/* Only the store and the key file of this run: a recipe cannot name another file. */
bool undo_keystore_delete(const Undo *undo, const json_t *part, GError **error)
{
	const char *path = undo_need_path(part, "path", error);
	const char *key_file = json_text(part, "key_file");
	bool is_empty = false;

	if (!path || !need_keystore(undo, error))
		return false;

	const StepHost *host = undo->host;
	if (g_strcmp0(path, host->keystore_path) != 0 ||
	    (key_file && g_strcmp0(key_file, host->keystore_new_key_file) != 0)) {
		undo_leave(undo, path, "is not the keystore of this run");
		return true;
	}

	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(host->keystore_mutex);
	Keystore *store = keystore_of(undo, part, error);
	if (!store || !store_is_empty(store, &is_empty, error))
		return false;

	return !is_empty ||
	       (keystore_delete_empty(store, error) && (!key_file || file_remove(key_file, error)));
}
