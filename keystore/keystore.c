/* keystore/keystore.c - environment first, then the encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/keystore.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "keystore/calibrate.h"
#include "keystore/format.h"
#include "keystore/source.h"
#include "keystore/vault.h"

#define ASK_ATTEMPTS 3

/* The file is read again for each call, which takes microseconds; the key is derived once. */
struct Keystore {
	KeystoreOptions options; /* strings owned */
	Source source;
	FormatHeader header;
	CryptoKey file_key;
	bool is_unlocked; /* file_key is that of header.store_id */
	GBytes *file;     /* (nullable): as it was read last; NULL: there is none */
	Body *body;       /* (nullable): what is in it */
};

Keystore *keystore_open(const KeystoreOptions *options)
{
	Keystore *store = crypto_alloc(sizeof(*store));

	store->options = *options;
	store->options.path = g_strdup(options->path);
	store->options.passphrase_file = g_strdup(options->passphrase_file);
	store->options.key_file = g_strdup(options->key_file);
	store->options.default_key_file = g_strdup(options->default_key_file);
	return store;
}

static void forget(Keystore *store)
{
	if (store->file)
		g_bytes_unref(store->file);
	body_free(store->body);
	store->file = NULL;
	store->body = NULL;
}

void keystore_free(Keystore *store)
{
	if (!store)
		return;

	forget(store);
	source_clear(&store->source);
	g_free((char *)(guintptr)store->options.path);
	g_free((char *)(guintptr)store->options.passphrase_file);
	g_free((char *)(guintptr)store->options.key_file);
	g_free((char *)(guintptr)store->options.default_key_file);
	crypto_free(store, sizeof(*store));
}

bool keystore_exists(const Keystore *store)
{
	return file_exists(store->options.path);
}

bool keystore_is_unattended(const Keystore *store)
{
	return source_is_unattended(&store->options);
}

static Span span_of(GBytes *bytes)
{
	Span span = { 0 };

	span.data = g_bytes_get_data(bytes, &span.size);
	return span;
}

char *keystore_peek(const Keystore *store)
{
	g_autoptr(GBytes) file = NULL;
	FormatHeader header = { 0 };

	if (!vault_read(store->options.path, &file, NULL) || !file ||
	    !format_parse(span_of(file), store->options.path, &header, NULL))
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

static bool get_source(Keystore *store, SourceUse use, GError **error)
{
	return store->source.secret || key_source_read(&store->options, use, &store->source, error);
}

/* A person may mistype; a file does not. */
static bool unlock(Keystore *store, GError **error)
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
static bool load(Keystore *store, GError **error)
{
	const char *path = store->options.path;
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

bool keystore_check_name(const char *name, GError **error)
{
	g_autofree char *printable = g_strescape(name, NULL);

	return body_name_is_valid(name) ||
	       keystore_fail(error, KEYSTORE_ERROR_BAD_NAME, NULL,
	                     "\"%.64s\" is not a key name: use 1 to 64 of A-Z a-z 0-9 . _ - and "
	                     "start with a letter",
	                     printable);
}

static bool check_secret(const char *name, Span secret, GError **error)
{
	return body_secret_is_valid(secret.data, secret.size) ||
	       keystore_fail(error, KEYSTORE_ERROR_BAD_SECRET, NULL,
	                     "the secret for %s has %" G_GSIZE_FORMAT
	                     " bytes%s; 1 to %d without NUL are accepted",
	                     name, secret.size,
	                     secret.size > 0 && memchr(secret.data, 0, secret.size)
	                             ? " with a NUL among them"
	                             : "",
	                     KEYSTORE_SECRET_MAX);
}

static bool not_found(const char *name, GError **error)
{
	g_autofree char *hint = g_strdup_printf("Run: slipway keys set %s", name);

	return keystore_fail(error, KEYSTORE_ERROR_NOT_FOUND, hint, "there is no key named %s",
	                     name);
}

GBytes *keystore_lookup(Keystore *store, const char *name, const char **source, GError **error)
{
	g_return_val_if_fail(store && name, NULL);

	if (!keystore_check_name(name, error))
		return NULL;
	const char *value = g_getenv(name);
	if (value && value[0] != '\0') {
		if (!check_secret(name, (Span){ value, strlen(value) }, error))
			return NULL;
		if (source)
			*source = "environment";
		return secret_new(value, strlen(value));
	}

	if (!load(store, error))
		return NULL;
	const BodyRecord *record = store->body ? body_find(store->body, name) : NULL;
	if (!record) {
		not_found(name, error);
		return NULL;
	}
	if (source)
		*source = "file";
	return secret_new(record->secret, record->secret_size);
}

/* Makes the header of a store that is not there yet.  Slow for a passphrase, so before the lock. */
static bool prepare_new(Keystore *store, GError **error)
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
static bool commit(Keystore *store, const Body *body, GError **error)
{
	if (store->header.minor > FORMAT_MINOR) {
		fault_set(error, STATUS_FOREIGN, "Update slipway.",
		          "%s was written by a newer version; this one only reads it",
		          store->options.path);
		return false;
	}

	g_autoptr(GBytes) file = format_seal(&store->header, &store->file_key, body);
	return vault_replace(store->options.path, store->file, file, error);
}

/* Somebody may have been faster with a new store: load() then opens that one with our source. */
static bool save_locked(Keystore *store, BodyRecord *record, GError **error)
{
	g_autoptr(Body) fresh = NULL;

	if (!load(store, error))
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

bool keystore_save(Keystore *store, const char *name, GBytes *secret, GError **error)
{
	g_return_val_if_fail(store && name && secret, false);

	Span value = span_of(secret);
	BodyRecord record = { .name = name, .secret = value.data, .secret_size = value.size };
	if (!keystore_check_name(name, error) || !check_secret(name, value, error) ||
	    !load(store, error))
		return false;
	if (!store->body && !prepare_new(store, error))
		return false;

	g_autoptr(Lock) lock = vault_lock(store->options.path, error);
	bool is_saved = lock && save_locked(store, &record, error);
	forget(store);
	return is_saved;
}

static bool remove_locked(Keystore *store, const char *name, GError **error)
{
	if (!load(store, error))
		return false;
	if (!store->body || !body_find(store->body, name))
		return not_found(name, error);

	g_autoptr(Body) body = body_without(store->body, name);
	return commit(store, body, error);
}

bool keystore_remove(Keystore *store, const char *name, GError **error)
{
	g_return_val_if_fail(store && name, false);

	if (!keystore_check_name(name, error) || !load(store, error))
		return false;
	if (!store->body)
		return not_found(name, error);

	g_autoptr(Lock) lock = vault_lock(store->options.path, error);
	bool is_removed = lock && remove_locked(store, name, error);
	forget(store);
	return is_removed;
}

static bool delete_locked(Keystore *store, GError **error)
{
	if (!load(store, error))
		return false;
	if (!store->body || body_count(store->body) == 0)
		return vault_delete(store->options.path, store->body != NULL, error);

	fault_set(error, STATUS_FAILED, "See them with: slipway keys list",
	          "%u keys are left in %s", body_count(store->body), store->options.path);
	return false;
}

bool keystore_delete_empty(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, false);

	g_autofree char *directory = g_path_get_dirname(store->options.path);
	if (!file_exists(directory))
		return true;
	if (!load(store, error)) /* asks and derives before the lock */
		return false;

	g_autoptr(Lock) lock = vault_lock(store->options.path, error);
	bool is_deleted = lock && delete_locked(store, error);
	forget(store);
	return is_deleted;
}

void keystore_entry_free(KeystoreEntry *entry)
{
	if (!entry)
		return;

	g_free(entry->name);
	g_free(entry->fingerprint);
	g_free(entry);
}

static KeystoreEntry *entry_new(const Keystore *store, const BodyRecord *record)
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

GPtrArray *keystore_list(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, NULL);

	if (!load(store, error))
		return NULL;
	GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	for (guint i = 0; store->body && i < body_count(store->body); i++)
		g_ptr_array_add(entries, entry_new(store, body_record(store->body, i)));
	return entries;
}
