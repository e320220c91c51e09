/* keystore/slots.c - wraps the file key for each way in
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/slots.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "keystore/calibrate.h"
#include "keystore/file_store_private.h"
#include "keystore/keystore_private.h"
#include "keystore/slot_keyring.h"
#include "keystore/vault.h"

#define NUMBER_BASE 10

void keystore_slot_free(KeystoreSlot *slot)
{
	if (!slot)
		return;

	g_free(slot->label);
	g_free(slot->cost);
	g_free(slot);
}

static const char *kind_of(SlotType type)
{
	switch (type) {
	case SLOT_PASSPHRASE:
		return "passphrase";
	case SLOT_KEY_FILE:
		return "key-file";
	case SLOT_KEYRING:
		return "keyring";
	}
	return "unknown";
}

static KeystoreSlot *slot_new(const FormatHeader *header, guint index)
{
	const FormatSlot *from = &header->slots[index];
	KeystoreSlot *slot = g_new0(KeystoreSlot, 1);

	slot->number = index + 1;
	slot->kind = kind_of(from->type);
	slot->label = g_strndup(from->label, sizeof(from->label));
	if (from->type == SLOT_PASSPHRASE)
		slot->cost = g_strdup_printf("scrypt, N = 2^%u, r = %u, p = %u", from->cost.log_n,
		                             from->cost.r, from->cost.p);
	return slot;
}

static bool has_no_store(GError **error)
{
	return keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, "Run: slipway keys set NAME",
	                     "there is no keystore yet");
}

GPtrArray *keystore_slots(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, NULL);

	const FileStore *file_store = keystore_file(store, error);
	g_autoptr(GBytes) file = NULL;
	FormatHeader header = { 0 };
	if (!file_store || !vault_read(store->options.path, &file, error))
		return NULL;
	if (!file) {
		has_no_store(error);
		return NULL;
	}
	Span span = { 0 };
	span.data = g_bytes_get_data(file, &span.size);
	if (!format_parse(span, store->options.path, &header, error))
		return NULL;

	GPtrArray *slots = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_slot_free);
	for (guint i = 0; i < header.slot_count; i++)
		g_ptr_array_add(slots, slot_new(&header, i));
	return slots;
}

/* One run: the header as it is, and as it is to be. */
typedef struct {
	FileStore *store;
	const KeystoreRekey *rekey;
	bool is_removed[FORMAT_SLOTS_MAX];
	FormatHeader header;
	CryptoKey file_key;
	bool is_new_key;
	guint slot; /* which of the new ones the source opens; G_MAXUINT: none */
} Change;

/* @message: (transfer full). */
static bool is_usage(GError **error, char *message)
{
	fault_set(error, STATUS_USAGE, "See them with: slipway keys rekey --list", "%s", message);
	g_free(message);
	return false;
}

static bool names(const FormatHeader *header, guint index, const char *word)
{
	guint64 number = 0;
	g_autofree char *label =
		g_strndup(header->slots[index].label, sizeof(header->slots[index].label));

	if (g_ascii_string_to_unsigned(word, NUMBER_BASE, 1, FORMAT_SLOTS_MAX, &number, NULL))
		return number == index + 1;
	return strcmp(label, word) == 0;
}

static bool mark_removed(Change *change, const char *word, GError **error)
{
	const FormatHeader *header = &change->store->header;
	guint found = 0;

	for (guint i = 0; i < header->slot_count; i++) {
		if (!names(header, i, word))
			continue;
		change->is_removed[i] = true;
		found++;
	}
	if (found == 0)
		return is_usage(error, g_strdup_printf("the keystore has no slot \"%s\"", word));
	return found == 1 ||
	       is_usage(error, g_strdup_printf("several slots are called \"%s\"", word));
}

static bool mark_all(Change *change, GError **error)
{
	const FormatHeader *header = &change->store->header;

	for (const char *const *word = change->rekey->remove; word && *word; word++) {
		if (!mark_removed(change, *word, error))
			return false;
		change->is_new_key = true;
	}

	/* There is one key in the keyring: a new one takes the place of the old one's slot. */
	for (guint i = 0; i < header->slot_count; i++)
		if (change->rekey->has_keyring && header->slots[i].type == SLOT_KEYRING) {
			change->is_removed[i] = true;
			change->is_new_key = true;
		}
	return true;
}

static bool opens(const Change *change, guint index, GBytes *secret, GError **error)
{
	const FormatHeader *header = &change->store->header;
	SlotKey key = { .type = header->slots[index].type };
	g_auto(CryptoKey) opened = { 0 };

	key.secret.data = g_bytes_get_data(secret, &key.secret.size);
	return format_unlock_slot(header, index, &key, &opened, error);
}

static GBytes *from_files(const Change *change, guint index)
{
	bool is_key_file = change->store->header.slots[index].type == SLOT_KEY_FILE;
	const KeystoreOptions *options = change->store->options;
	const char *const usual[] = {
		is_key_file && options->key_file ? options->key_file : "",
		is_key_file && options->default_key_file ? options->default_key_file : "", NULL
	};
	const char *const *const lists[] = { is_key_file ? change->rekey->old_key_files
		                                         : change->rekey->old_passphrase_files,
		                             usual };

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const char *const *path = lists[i]; path && *path; path++) {
			g_autoptr(GBytes) secret =
				is_key_file ? source_read_key_file(*path, NULL)
					    : source_read_passphrase(*path, false, NULL);

			if (secret && opens(change, index, secret, NULL))
				return g_steal_pointer(&secret);
		}
	return NULL;
}

static GBytes *from_person(const Change *change, guint index, const char *name, GError **error)
{
	const KeystoreOptions *options = change->store->options;
	g_autofree char *prompt = g_strdup_printf("Passphrase of %s", name);
	g_autoptr(GBytes) secret = options->ask(prompt, options->data, error);

	if (!secret || opens(change, index, secret, error))
		return g_steal_pointer(&secret);
	g_prefix_error(error, "%s: ", name);
	return NULL;
}

/* What opens the slot at @index, proven by opening it.  Returns: (transfer full). */
static GBytes *secret_for(const Change *change, guint index, GError **error)
{
	const FileStore *store = change->store;
	const FormatSlot *slot = &store->header.slots[index];
	g_autofree char *label = g_strndup(slot->label, sizeof(slot->label));
	g_autofree char *name =
		g_strdup_printf("slot %u%s%s", index + 1, label[0] ? " " : "", label);
	g_autoptr(GBytes) secret = slot->type == SLOT_KEYRING
	                                   ? slot_keyring_read(store->options, &store->header)
	                                   : from_files(change, index);

	if (secret && (slot->type != SLOT_KEYRING || opens(change, index, secret, NULL)))
		return g_steal_pointer(&secret);
	if (slot->type == SLOT_PASSPHRASE && store->options->ask)
		return from_person(change, index, name, error);
	keystore_fail(
		error, KEYSTORE_ERROR_LOCKED,
		"Name it with --with-key-file or --with-passphrase-file, unlock the keyring, or "
		"remove that slot too.",
		"%s stays and needs the new key, but its %s is not at hand", name,
		format_slot_word(slot->type));
	return NULL;
}

static bool wrap(Change *change, SlotType type, GBytes *secret, const char *label, GError **error)
{
	FormatHeader *header = &change->header;
	SlotKey key = { .type = type };
	ScryptCost cost = { 0 };

	if (header->slot_count == FORMAT_SLOTS_MAX)
		return is_usage(error, g_strdup("the keystore has eight slots already"));
	if (type == SLOT_PASSPHRASE)
		cost = calibrate_cost();
	key.secret.data = g_bytes_get_data(secret, &key.secret.size);
	if (!format_add_slot(header, &change->file_key, &key, cost, error))
		return false;
	memcpy(header->slots[header->slot_count - 1].label, label,
	       strnlen(label, FORMAT_LABEL_BYTES));
	return true;
}

/* Wraps the new file key for each slot that stays. */
static bool wrap_kept(Change *change, GError **error)
{
	const FileStore *store = change->store;

	change->header.slot_count = 0;
	change->slot = G_MAXUINT;
	crypto_random(change->file_key.data, sizeof(change->file_key.data));
	for (guint i = 0; i < store->header.slot_count; i++) {
		const FormatSlot *slot = &store->header.slots[i];
		bool is_opener = i == store->slot && store->source.secret;

		if (change->is_removed[i])
			continue;
		g_autoptr(GBytes) secret = is_opener ? g_bytes_ref(store->source.secret)
		                                     : secret_for(change, i, error);
		if (!secret || !wrap(change, slot->type, secret, slot->label, error))
			return false;
		if (is_opener)
			change->slot = change->header.slot_count - 1;
	}
	return true;
}

static bool add_passphrase(Change *change, const char *label, GError **error)
{
	const KeystoreOptions *options = change->store->options;
	const char *path = change->rekey->passphrase_file;

	if (!path && !options->ask)
		return keystore_fail(error, KEYSTORE_ERROR_LOCKED,
		                     "Put it into a file: --new-passphrase-file.",
		                     "there is no terminal to ask for the new passphrase on");
	g_autoptr(GBytes) words =
		path ? source_read_passphrase(path, true, error) : source_ask_new(options, error);
	return words && wrap(change, SLOT_PASSPHRASE, words, label, error);
}

static bool add_key_file(Change *change, const char *label, GError **error)
{
	const char *path = change->rekey->key_file;

	if (!file_exists(path) && !keystore_make_key_file(path, error))
		return false;
	g_autoptr(GBytes) key = source_read_key_file(path, error);
	return key && wrap(change, SLOT_KEY_FILE, key, label, error);
}

static bool add_keyring(Change *change, const char *label, GError **error)
{
	g_autoptr(GBytes) key =
		slot_keyring_make(change->store->options, &change->store->header, error);

	return key && wrap(change, SLOT_KEYRING, key, label, error);
}

static bool wrap_added(Change *change, GError **error)
{
	const KeystoreRekey *rekey = change->rekey;
	const char *label = rekey->label ? rekey->label : "";

	if ((rekey->has_passphrase || rekey->passphrase_file) &&
	    !add_passphrase(change, label, error))
		return false;
	if (rekey->key_file && !add_key_file(change, label, error))
		return false;
	if (rekey->has_keyring && !add_keyring(change, label, error))
		return false;
	return change->header.slot_count > 0 ||
	       is_usage(error, g_strdup("nothing would open the keystore any more"));
}

/* Under the lock: what was asked and derived before it has to fit what is there now. */
static bool write_change(Change *change, const FormatHeader *before, GError **error)
{
	FileStore *store = change->store;

	if (!file_store_load(store, error))
		return false;
	if (!store->body || !format_same_slots(before, &store->header))
		return keystore_fail(error, KEYSTORE_ERROR_TIMEOUT, "Run the command again.",
		                     "another process has just changed the slots of the keystore");

	g_autoptr(Body) body = body_copy(store->body);
	store->header.slot_count = change->header.slot_count;
	memcpy(store->header.slots, change->header.slots, sizeof(store->header.slots));
	store->file_key = change->file_key;
	store->slot = change->slot;
	if (store->slot == G_MAXUINT) {
		source_clear(&store->source);
		store->next_source = 0;
	}
	if (file_store_commit(store, body, !change->is_new_key, error))
		return true;
	store->is_unlocked = false;
	return false;
}

static bool label_is_good(const char *label)
{
	gsize length = strlen(label);

	return length >= 1 && length < FORMAT_LABEL_BYTES &&
	       strspn(label,
	              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-") ==
	               length &&
	       strspn(label, "0123456789") < length;
}

static bool prepare(Change *change, GError **error)
{
	const FileStore *store = change->store;

	if (!mark_all(change, error))
		return false;
	change->header = store->header;
	change->file_key = store->file_key;
	change->slot = store->slot;
	if (change->is_new_key && !wrap_kept(change, error))
		return false;
	return wrap_added(change, error);
}

/* The file is changed already: what is left in the keyring opens nothing. */
static void forget_keyring(const KeystoreOptions *options, const FormatHeader *header)
{
	g_autoptr(GError) error = NULL;

	if (slot_keyring_remove(options, header, &error) || !options->warn)
		return;
	g_autofree char *cause = fault_message(error);
	g_autofree char *line = g_strdup_printf("a key that opens nothing any more is left in the "
	                                        "desktop's keyring: %s",
	                                        cause);
	options->warn(line, options->data);
}

bool keystore_rekey(Keystore *store, const KeystoreRekey *rekey, GError **error)
{
	g_return_val_if_fail(store && rekey, false);

	FileStore *file_store = keystore_file(store, error);
	if (rekey->label && !label_is_good(rekey->label))
		return is_usage(error, g_strdup_printf("\"%s\" cannot be the label of a slot",
		                                       rekey->label));
	if (!file_store || !file_store_load(file_store, error))
		return false;
	if (!file_store->body)
		return has_no_store(error);

	Change *change = crypto_alloc(sizeof(*change));
	FormatHeader before = file_store->header;
	*change = (Change){ .store = file_store, .rekey = rekey, .is_new_key = rekey->is_new_key };
	bool had_keyring = format_has_slot(&before, SLOT_KEYRING);
	bool is_done = prepare(change, error);
	if (is_done) {
		g_autoptr(Lock) lock = vault_lock(store->options.path, error);

		is_done = lock && write_change(change, &before, error);
		file_store_forget(file_store);
	}
	if (is_done && had_keyring && !format_has_slot(&change->header, SLOT_KEYRING))
		forget_keyring(&store->options, &before);
	crypto_free(change, sizeof(*change));
	return is_done;
}
