/* keystore/file_store.c - back end "file": one encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "keystore/back_end_private.h"
#include "keystore/calibrate.h"
#include "keystore/choice.h"
#include "keystore/format.h"
#include "keystore/source.h"
#include "keystore/vault.h"

#define ASK_ATTEMPTS 3

/* The file is read again for each call, which takes microseconds; the key is derived once. */
typedef struct {
	const KeystoreOptions *options;
	Source source;
	FormatHeader header;
	CryptoKey file_key;
	bool is_unlocked; /* file_key is that of header.store_id */
	GBytes *file;     /* (nullable): as it was read last; NULL: there is none */
	Body *body;       /* (nullable): what is in it */
} FileStore;

static gpointer file_open(const KeystoreOptions *options)
{
	FileStore *store = crypto_alloc(sizeof(*store));

	store->options = options;
	return store;
}

static void forget(FileStore *store)
{
	if (store->file)
		g_bytes_unref(store->file);
	body_free(store->body);
	store->file = NULL;
	store->body = NULL;
}

static void file_free(gpointer data)
{
	FileStore *store = data;

	forget(store);
	source_clear(&store->source);
	crypto_free(store, sizeof(*store));
}

static bool file_is_there(gpointer data)
{
	const FileStore *store = data;

	return file_exists(store->options->path);
}

static bool file_is_unattended(gpointer data)
{
	const FileStore *store = data;

	return source_is_unattended(store->options);
}

static Span span_of(GBytes *bytes)
{
	Span span = { 0 };

	span.data = g_bytes_get_data(bytes, &span.size);
	return span;
}

static char *file_peek(gpointer data)
{
	const FileStore *store = data;
	g_autoptr(GBytes) file = NULL;
	FormatHeader header = { 0 };

	if (!vault_read(store->options->path, &file, NULL) || !file ||
	    !format_parse(span_of(file), store->options->path, &header, NULL))
		return NULL;

	GString *text = g_string_new(NULL);
	for (gsize i = 0; i < sizeof(header.store_id); i++)
		g_string_append_printf(text, "%02x", header.store_id[i]);
	g_string_append_printf(text, ":%" G_GUINT64_FORMAT, header.generation);
	return g_string_free(text, FALSE);
}

static SlotKey slot_key(const Source *source)
{
	return (SlotKey){ source->type, span_of(source->secret) };
}

static SourceUse use_of(const FormatHeader *header)
{
	for (guint i = 0; i < header->slot_count; i++)
		if (header->slots[i].type == SLOT_KEY_FILE)
			return SOURCE_FOR_KEY_FILE;

	return SOURCE_FOR_PASSPHRASE;
}

static bool get_source(FileStore *store, SourceUse use, GError **error)
{
	return store->source.secret || key_source_read(store->options, use, &store->source, error);
}

/* A person may mistype; a file does not. */
static bool unlock(FileStore *store, GError **error)
{
	for (guint attempt = 1;; attempt++) {
		g_autoptr(GError) cause = NULL;

		if (!get_source(store, use_of(&store->header), error))
			return false;
		SlotKey key = slot_key(&store->source);
		store->is_unlocked = format_unlock(&store->header, &key, &store->file_key, &cause);
		if (store->is_unlocked)
			return true;

		bool is_final = !store->source.was_asked || attempt == ASK_ATTEMPTS ||
		                !g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_WRONG_KEY);
		source_clear(&store->source);
		if (is_final) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return false;
		}
	}
}

/* Reads the file that is there now; afterwards body is NULL if and only if there is none. */
static bool load(FileStore *store, GError **error)
{
	const char *path = store->options->path;
	FormatHeader header = { 0 };

	forget(store);
	if (!vault_read(path, &store->file, error))
		return false;
	if (!store->file)
		return true;
	if (!format_parse(span_of(store->file), path, &header, error))
		return false;

	if (!crypto_equal(header.store_id, store->header.store_id, sizeof(header.store_id)))
		store->is_unlocked = false;
	store->header = header;
	if (!store->is_unlocked && !unlock(store, error))
		return false;
	store->body = format_open(span_of(store->file), &header, &store->file_key, path, error);
	return store->body != NULL;
}

static GBytes *file_lookup(gpointer data, const char *name, GError **error)
{
	FileStore *store = data;

	if (!load(store, error))
		return NULL;
	const BodyRecord *record = store->body ? body_find(store->body, name) : NULL;
	if (record)
		return secret_new(record->secret, record->secret_size);

	back_end_not_found(name, error);
	return NULL;
}

/* Makes the header of a store that is not there yet.  Slow for a passphrase, so before the lock. */
static bool prepare_new(FileStore *store, GError **error)
{
	ScryptCost cost = { 0 };

	if (!get_source(store, SOURCE_FOR_NEW, error))
		return false;
	if (store->source.type == SLOT_PASSPHRASE)
		cost = calibrate_cost();
	SlotKey key = slot_key(&store->source);
	format_new(&store->header, &store->file_key);
	store->is_unlocked = format_add_slot(&store->header, &store->file_key, &key, cost, error);
	return store->is_unlocked;
}

/* Encrypts @body and puts it in the place of what load() read.  Under the lock. */
static bool commit(FileStore *store, const Body *body, GError **error)
{
	if (store->header.minor > FORMAT_MINOR) {
		fault_set(error, STATUS_FOREIGN, "Update slipway.",
		          "%s was written by a newer version; this one only reads it",
		          store->options->path);
		return false;
	}

	g_autoptr(GBytes) file = format_seal(&store->header, &store->file_key, body);
	return vault_replace(store->options->path, store->file, file, error);
}

/* "auto" took the file when nothing was chosen; meanwhile another process may have been faster. */
static bool is_still_chosen(const FileStore *store, GError **error)
{
	g_autofree char *chosen = NULL;

	if (g_strcmp0(store->options->back_end, "auto") != 0)
		return true;
	if (!choice_read(store->options->path, &chosen, error))
		return false;
	return !chosen || strcmp(chosen, back_end_file.name) == 0 ||
	       back_end_overtaken(chosen, error);
}

/* Somebody may have been faster with a new store: load() then opens that one with our source. */
static bool save_locked(FileStore *store, BodyRecord *record, GError **error)
{
	g_autoptr(Body) fresh = NULL;

	if (!load(store, error))
		return false;
	if (!store->body && !is_still_chosen(store, error))
		return false;
	if (!store->body)
		fresh = body_new();
	const Body *old = store->body ? store->body : fresh;
	const BodyRecord *before = body_find(old, record->name);
	if (before && before->secret_size == record->secret_size &&
	    crypto_equal(before->secret, record->secret, record->secret_size))
		return true;

	record->changed_s = g_get_real_time() / G_USEC_PER_SEC;
	record->created_s = before ? before->created_s : record->changed_s;
	g_autoptr(Body) body = body_with(old, record, error);
	return body && commit(store, body, error);
}

static bool file_save(gpointer data, const char *name, GBytes *secret, GError **error)
{
	FileStore *store = data;
	Span value = span_of(secret);
	BodyRecord record = { .name = name, .secret = value.data, .secret_size = value.size };

	if (!load(store, error))
		return false;
	if (!store->body && !prepare_new(store, error))
		return false;

	g_autoptr(Lock) lock = vault_lock(store->options->path, error);
	bool is_saved = lock && save_locked(store, &record, error);
	forget(store);
	return is_saved;
}

static bool remove_locked(FileStore *store, const char *name, GError **error)
{
	if (!load(store, error))
		return false;
	if (!store->body || !body_find(store->body, name))
		return back_end_not_found(name, error);

	g_autoptr(Body) body = body_without(store->body, name);
	return commit(store, body, error);
}

static bool file_delete(gpointer data, const char *name, GError **error)
{
	FileStore *store = data;

	if (!load(store, error))
		return false;
	if (!store->body)
		return back_end_not_found(name, error);

	g_autoptr(Lock) lock = vault_lock(store->options->path, error);
	bool is_removed = lock && remove_locked(store, name, error);
	forget(store);
	return is_removed;
}

static bool delete_locked(FileStore *store, GError **error)
{
	if (!load(store, error))
		return false;
	if (!store->body || body_count(store->body) == 0)
		return vault_delete(store->options->path, store->body != NULL, error);

	fault_set(error, STATUS_FAILED, "See them with: slipway keys list",
	          "%u keys are left in %s", body_count(store->body), store->options->path);
	return false;
}

static bool file_delete_empty(gpointer data, GError **error)
{
	FileStore *store = data;
	g_autofree char *directory = g_path_get_dirname(store->options->path);
	if (!file_exists(directory))
		return true;
	if (!load(store, error)) /* asks and derives before the lock */
		return false;

	g_autoptr(Lock) lock = vault_lock(store->options->path, error);
	bool is_deleted = lock && delete_locked(store, error);
	forget(store);
	return is_deleted;
}

static KeystoreEntry *entry_new(const FileStore *store, const BodyRecord *record)
{
	KeystoreEntry *entry = g_new0(KeystoreEntry, 1);

	entry->name = g_strdup(record->name);
	entry->created_s = record->created_s;
	entry->changed_s = record->changed_s;
	entry->fingerprint = g_malloc(FORMAT_FINGERPRINT_SIZE);
	format_fingerprint(&store->header, &store->file_key,
	                   (Span){ record->secret, record->secret_size }, entry->fingerprint);
	return entry;
}

static GPtrArray *file_list(gpointer data, GError **error)
{
	FileStore *store = data;

	if (!load(store, error))
		return NULL;
	GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	for (guint i = 0; store->body && i < body_count(store->body); i++)
		g_ptr_array_add(entries, entry_new(store, body_record(store->body, i)));
	return entries;
}

const BackEnd back_end_file = {
	.name = "file",
	.open = file_open,
	.free = file_free,
	.exists = file_is_there,
	.is_unattended = file_is_unattended,
	.peek = file_peek,
	.lookup = file_lookup,
	.save = file_save,
	.remove = file_delete,
	.delete_empty = file_delete_empty,
	.list = file_list,
};
