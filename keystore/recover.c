/* keystore/recover.c - the backup in the place of the file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/recover.h"

#include "base/fault.h"
#include "base/file.h"
#include "keystore/file_store_private.h"
#include "keystore/keystore_private.h"
#include "keystore/vault.h"

static void version_clear(KeystoreVersion *version)
{
	g_clear_pointer(&version->problem, g_free);
}

void keystore_versions_clear(KeystoreVersions *versions)
{
	version_clear(&versions->current);
	version_clear(&versions->backup);
}

/* Damage is an answer; a missing key is none. */
static bool is_damage(const GError *error)
{
	return g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_CORRUPT) ||
	       g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_STALE);
}

static bool look(FileStore *store, KeystoreVersion *version, GError **error)
{
	g_autoptr(GError) cause = NULL;

	version->is_whole = file_store_load(store, &cause) && store->body;
	version->is_there = store->file != NULL;
	version->generation = version->is_there ? store->header.generation : 0;
	version->keys = version->is_whole ? body_count_keys(store->body) : 0;
	if (!cause)
		return true;
	if (!is_damage(cause)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return false;
	}
	version->problem = fault_message(cause);
	return true;
}

/* Returns: (transfer full): the backup as a store of its own, opened with the source of @current. */
static FileStore *backup_new(const FileStore *current, KeystoreOptions *options, const char *path)
{
	*options = *current->options;
	options->path = path;
	options->seen_path = NULL;
	FileStore *backup = back_end_file.open(options);
	backup->source = current->source;
	backup->next_source = current->next_source;
	if (backup->source.secret)
		g_bytes_ref(backup->source.secret);
	return backup;
}

bool keystore_examine(Keystore *store, KeystoreVersions *versions, GError **error)
{
	g_return_val_if_fail(store && versions, false);

	FileStore *current = keystore_file(store, error);
	KeystoreOptions options;
	g_autofree char *path = g_strconcat(store->options.path, ".bak", NULL);
	*versions = (KeystoreVersions){ 0 };
	if (!current || !look(current, &versions->current, error))
		return false;
	file_store_forget(current);

	FileStore *backup = backup_new(current, &options, path);
	bool is_known = look(backup, &versions->backup, error);
	if (!current->source.secret) { /* nobody is asked twice */
		current->source = backup->source;
		current->next_source = backup->next_source;
		backup->source = (Source){ 0 };
	}
	back_end_file.free(backup);
	return is_known;
}

/* Newer than all that was ever seen here, so that it is no step back. */
static void step_over(FormatHeader *header, const FileStore *current)
{
	Seen seen = seen_read(current->options->seen_path);
	guint64 highest = MAX(header->generation, seen.is_known ? seen.generation : 0);

	header->generation = MAX(highest, current->file ? current->header.generation : 0);
}

static bool put_back(FileStore *current, FileStore *backup, GError **error)
{
	const char *path = current->options->path;
	g_autofree char *damaged = g_strconcat(path, ".damaged", NULL);
	KeystoreOptions options = *current->options;
	KeystoreVersion version = { 0 };

	/* Only to see its header. */
	bool is_known = look(current, &version, error);
	version_clear(&version);
	if (!is_known || !file_store_load(backup, error))
		return false;
	if (!backup->body)
		return keystore_fail(error, KEYSTORE_ERROR_NOT_FOUND, NULL,
		                     "there is no backup at %s", backup->options->path);
	step_over(&backup->header, current);
	if (current->file && !file_rename(path, damaged, error))
		return false;

	/* The backup stays as it is until the next change. */
	g_autoptr(Body) body = body_copy(backup->body);
	file_store_forget(backup);
	backup->options = &options;
	return file_store_commit(backup, body, true, error);
}

bool keystore_recover(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, false);

	FileStore *current = keystore_file(store, error);
	KeystoreOptions options;
	g_autofree char *path = g_strconcat(store->options.path, ".bak", NULL);
	g_autoptr(Lock) lock = current ? vault_lock(store->options.path, error) : NULL;
	if (!lock)
		return false;

	FileStore *backup = backup_new(current, &options, path);
	bool is_done = put_back(current, backup, error);
	file_store_forget(current);
	current->is_unlocked = false;
	back_end_file.free(backup);
	return is_done;
}
