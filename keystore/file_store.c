/* keystore/file_store.c - back end "file": one encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "keystore/calibrate.h"
#include "keystore/choice.h"
#include "keystore/file_store_private.h"
#include "keystore/slot_keyring.h"
#include "keystore/vault.h"

#define ASK_ATTEMPTS 3
/* N * r * p of N = 2^17, r = 8, p = 1: what calibrate.h asks for where it can. */
#define WORK_ENOUGH ((guint64)1 << 20)

static gpointer file_open(const KeystoreOptions *options)
{
	FileStore *store = crypto_alloc(sizeof(*store));

	store->options = options;
	return store;
}

void file_store_forget(FileStore *store)
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

	file_store_forget(store);
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

/* A person may mistype; a file does not.  What was not named for this run may be for another store. */
bool file_store_unlock(FileStore *store, GError **error)
{
	g_autoptr(GError) wrong = NULL;

	for (guint asked = 0;;) {
		g_autoptr(GError) cause = NULL;

		if (!store->source.secret &&
		    !key_source_read(store->options, &store->header, &store->next_source,
		                     &store->source, &cause)) {
			store->next_source = 0;
			g_propagate_error(error, wrong ? g_error_copy(wrong) : g_error_copy(cause));
			return false;
		}
		SlotKey key = slot_key(&store->source);
		store->is_unlocked =
			format_unlock(&store->header, &key, &store->file_key, &store->slot, &cause);
		if (store->is_unlocked)
			return true;

		bool is_final = store->source.is_explicit ||
		                !g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_WRONG_KEY);
		if (store->source.was_asked && ++asked < ASK_ATTEMPTS)
			store->next_source--;
		source_clear(&store->source);
		g_clear_error(&wrong);
		wrong = g_steal_pointer(&cause);
		if (is_final)
			store->next_source = G_MAXUINT;
	}
}

bool file_store_load(FileStore *store, GError **error)
{
	const char *path = store->options->path;
	FormatHeader header = { 0 };

	file_store_forget(store);
	store->seen = seen_read(store->options->seen_path);
	if (!vault_read(path, &store->file, error))
		return false;
	if (!store->file)
		return true;
	if (!format_parse(span_of(store->file), path, &header, error))
		return false;

	store->is_unlocked = store->is_unlocked && format_same_slots(&header, &store->header);
	store->header = header;
	if (!store->is_unlocked && !file_store_unlock(store, error))
		return false;
	g_autoptr(Body) body =
		format_open(span_of(store->file), &header, &store->file_key, path, error);
	Seen now = seen_of(span_of(store->file), &header);
	if (!body ||
	    (!store->options->accept_rollback && !seen_check(&store->seen, &now, path, error)))
		return false;
	seen_write(store->options->seen_path, &store->seen, &now);
	store->seen = now;
	store->body = g_steal_pointer(&body);
	return true;
}

static const BodyRecord *find_record(const Body *body, const char *profile, const char *name)
{
	g_autofree char *joined = body_join(profile, name);

	return body ? body_find(body, joined) : NULL;
}

static bool file_read_items(gpointer data, BackEndItem *items, guint count, GError **error)
{
	FileStore *store = data;

	if (!file_store_load(store, error))
		return false;
	for (guint i = 0; i < count; i++) {
		const BodyRecord *record =
			find_record(store->body, items[i].profile, items[i].name);

		items[i].secret = record ? secret_new(record->secret, record->secret_size) : NULL;
		items[i].note = record ? record->note : (KeystoreNote){ 0 };
	}
	return true;
}

/* Makes the header of a store that is not there yet.  Slow for a passphrase, so before the lock. */
static bool prepare_new(FileStore *store, GError **error)
{
	ScryptCost cost = { 0 };
	guint next = 0;

	if (!store->source.secret &&
	    !key_source_read(store->options, NULL, &next, &store->source, error))
		return false;
	if (store->source.type == SLOT_PASSPHRASE)
		cost = calibrate_cost();
	SlotKey key = slot_key(&store->source);
	format_new(&store->header, &store->file_key);
	store->slot = 0;
	store->is_unlocked = format_add_slot(&store->header, &store->file_key, &key, cost, error);
	return store->is_unlocked;
}

/* With the passphrase at hand, a slot from a slower time gets the cost of a new one. */
static bool raise_cost(FileStore *store, GError **error)
{
	if (!store->source.secret || store->source.type != SLOT_PASSPHRASE)
		return true;

	const FormatSlot *slot = &store->header.slots[store->slot];
	SlotKey key = slot_key(&store->source);
	if (crypto_scrypt_work(slot->cost) >= WORK_ENOUGH)
		return true;
	ScryptCost cost = calibrate_cost();
	return crypto_scrypt_work(cost) <= crypto_scrypt_work(slot->cost) ||
	       format_set_slot(&store->header, store->slot, &store->file_key, &key, cost, error);
}

bool file_store_commit(FileStore *store, const Body *body, bool has_backup, GError **error)
{
	const char *path = store->options->path;

	if (store->header.minor > FORMAT_MINOR) {
		fault_set(error, STATUS_FOREIGN, "Update slipway.",
		          "%s was written by a newer version; this one only reads it", path);
		return false;
	}
	if (!raise_cost(store, error))
		return false;

	g_autoptr(GBytes) file = format_seal(&store->header, &store->file_key, body);
	GBytes *backup = has_backup ? store->file : file;
	if (!vault_replace(path, backup, file, error))
		return false;
	Seen now = seen_of(span_of(file), &store->header);
	if (store->options->seen_path)
		vault_sweep(store->options->seen_path);
	seen_write(store->options->seen_path, &store->seen, &now);
	return true;
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

static Body *body_put(const Body *body, const BackEndChange *change, const BodyRecord *before,
                      GError **error)
{
	g_autofree char *joined = body_join(change->profile, change->name);
	BodyRecord record = { .name = joined, .note = change->note };

	if (before && change->action == BACK_END_NOTE) {
		record = *before;
		memcpy(record.note.origin, change->note.origin, sizeof(record.note.origin));
		record.note.expires_s = change->note.expires_s;
		record.note.verified_s = change->note.verified_s;
	} else {
		record.secret = g_bytes_get_data(change->secret, &record.secret_size);
	}
	return body_with(body, &record, error);
}

/* Returns: (transfer full): @body with @change made. */
static Body *body_apply(const Body *body, const BackEndChange *change, GError **error)
{
	g_autofree char *joined = body_join(change->profile, change->name);
	const BodyRecord *before = body_find(body, joined);

	if (before && change->action == BACK_END_ADD) {
		keystore_fail(error, KEYSTORE_ERROR_EXISTS, "Run the command again.",
		              "there is a key named %s already", change->name);
		return NULL;
	}
	if (!before && !change->secret) {
		back_end_not_found(change->name, error);
		return NULL;
	}
	if (!change->secret && change->action != BACK_END_NOTE)
		return body_without(body, joined);
	return body_put(body, change, before, error);
}

/* Somebody may have been faster with a new store: file_store_load() then opens that one with our source. */
static bool apply_locked(FileStore *store, const BackEndChange *changes, guint count,
                         GError **error)
{
	if (!file_store_load(store, error) || (!store->body && !is_still_chosen(store, error)))
		return false;

	Body *body = store->body ? g_steal_pointer(&store->body) : body_new();
	for (guint i = 0; body && i < count; i++) {
		Body *next = body_apply(body, &changes[i], error);
		body_free(body);
		body = next;
	}
	store->body = body;
	return body && file_store_commit(store, body, true, error);
}

/* Asks and derives before the lock. */
static bool file_apply(gpointer data, const BackEndChange *changes, guint count, GError **error)
{
	FileStore *store = data;
	bool is_saving = false;

	for (guint i = 0; i < count; i++)
		is_saving = is_saving || changes[i].secret;
	if (!file_store_load(store, error))
		return false;
	if (!store->body && !is_saving)
		return back_end_not_found(changes[0].name, error);
	if (!store->body && !prepare_new(store, error))
		return false;

	g_autoptr(Lock) lock = vault_lock(store->options->path, error);
	bool is_done = lock && apply_locked(store, changes, count, error);
	file_store_forget(store);
	return is_done;
}

static bool delete_all(FileStore *store, GError **error)
{
	if (store->body && format_has_slot(&store->header, SLOT_KEYRING) &&
	    !slot_keyring_remove(store->options, &store->header, error))
		return false;
	seen_forget(store->options->seen_path);
	return vault_delete(store->options->path, store->body != NULL, error);
}

static bool delete_locked(FileStore *store, GError **error)
{
	if (!file_store_load(store, error))
		return false;
	guint count = store->body ? body_count_keys(store->body) : 0;
	if (count == 0)
		return delete_all(store, error);

	fault_set(error, STATUS_FAILED, "See them with: slipway keys list",
	          "%u keys are left in %s", count, store->options->path);
	return false;
}

static bool file_delete_empty(gpointer data, GError **error)
{
	FileStore *store = data;
	g_autofree char *directory = g_path_get_dirname(store->options->path);
	if (!file_exists(directory))
		return true;
	if (!file_store_load(store, error)) /* asks and derives before the lock */
		return false;

	g_autoptr(Lock) lock = vault_lock(store->options->path, error);
	bool is_deleted = lock && delete_locked(store, error);
	file_store_forget(store);
	return is_deleted;
}

static KeystoreEntry *entry_new(const BodyRecord *record)
{
	KeystoreEntry *entry = g_new0(KeystoreEntry, 1);

	entry->name = g_strdup(body_split(record->name, &entry->profile));
	entry->note = record->note;
	return entry;
}

static GPtrArray *file_list(gpointer data, GError **error)
{
	FileStore *store = data;

	if (!file_store_load(store, error))
		return NULL;
	GPtrArray *entries = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	for (guint i = 0; store->body && i < body_count(store->body); i++)
		g_ptr_array_add(entries, entry_new(body_record(store->body, i)));
	g_ptr_array_sort(entries, back_end_compare_entries);
	return entries;
}

const BackEnd back_end_file = {
	.name = "file",
	.open = file_open,
	.free = file_free,
	.exists = file_is_there,
	.is_unattended = file_is_unattended,
	.peek = file_peek,
	.read = file_read_items,
	.apply = file_apply,
	.delete_empty = file_delete_empty,
	.list = file_list,
};
