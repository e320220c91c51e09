/* keystore/keystore_items.c - environment first, then the back end; notes and fingerprints of keys
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "keystore/body.h"
#include "keystore/choice.h"
#include "keystore/crypto.h"
#include "keystore/keystore_audit_private.h"

#define ATTEMPTS_MAX 3
#define MASTER_BYTES 32
#define SALT "slipway keystore"
#define PURPOSE_FINGERPRINT "fingerprint"

bool keystore_check_name(const char *name, GError **error)
{
	g_autofree char *printable = g_strescape(name, NULL);

	return body_name_is_valid(name) ||
	       keystore_fail(error, KEYSTORE_ERROR_BAD_NAME, NULL,
	                     "\"%.64s\" is not a key name: use 1 to 64 of A-Z a-z 0-9 . _ - and "
	                     "start with a letter",
	                     printable);
}

bool keystore_check_profile(const char *profile, GError **error)
{
	g_autofree char *printable = g_strescape(profile, NULL);

	return body_profile_is_valid(profile) ||
	       keystore_fail(error, KEYSTORE_ERROR_BAD_NAME, NULL,
	                     "\"%.64s\" is not a profile of keys: use 1 to 32 of a-z 0-9 _ - and "
	                     "start with a letter",
	                     printable);
}

static bool check_secret(const char *name, const char *secret, gsize size, GError **error)
{
	return body_secret_is_valid(secret, size) ||
	       keystore_fail(error, KEYSTORE_ERROR_BAD_SECRET, NULL,
	                     "the secret for %s has %" G_GSIZE_FORMAT
	                     " bytes%s; 1 to %d without NUL are accepted",
	                     name, size,
	                     size > 0 && memchr(secret, 0, size) ? " with a NUL among them" : "",
	                     KEYSTORE_SECRET_MAX);
}

/* @secret: (out): NULL when no such variable is set. */
static bool read_environment(const char *name, GBytes **secret, GError **error)
{
	const char *value = g_getenv(name);

	*secret = NULL;
	if (!value || value[0] == '\0')
		return true;
	if (!check_secret(name, value, strlen(value), error))
		return false;
	*secret = secret_new(value, strlen(value));
	return true;
}

static void secrets_clear(GBytes **secrets, guint count)
{
	for (guint i = 0; i < count; i++)
		g_clear_pointer(&secrets[i], g_bytes_unref);
}

static BackEndItem master_item(void)
{
	return (BackEndItem){ KEYSTORE_PROFILE_OWN, BACK_END_MASTER, NULL, { 0 } };
}

/* Fills those of @secrets that are still NULL.  @master: (out): what seals the audit log. */
static bool read_store(Keystore *store, const char *const *names, GBytes **secrets, guint count,
                       GBytes **master, GError **error)
{
	g_autofree BackEndItem *items = g_new0(BackEndItem, count + 1);
	guint wanted = 0;

	for (guint i = 0; i < count; i++)
		if (!secrets[i])
			items[wanted++] =
				(BackEndItem){ store->options.profile, names[i], NULL, { 0 } };
	if (wanted == 0)
		return true;
	items[wanted] = master_item();
	guint total = wanted + (store->options.audit_path ? 1 : 0);
	for (guint i = 0; i < total; i++)
		items[i].secret_only = true;
	if (!keystore_settle(store, error) ||
	    !store->back_end->read(store->opened, items, total, error))
		return false;

	for (guint i = 0, next = 0; i < count; i++)
		if (!secrets[i])
			secrets[i] = items[next++].secret;
	*master = items[wanted].secret;
	return true;
}

/* @is_from_environment: (out): one for each name. */
static bool look_up(Keystore *store, const char *const *names, GBytes **secrets, guint count,
                    bool *is_from_environment, GError **error)
{
	g_autoptr(GBytes) master = NULL;
	g_autoptr(GError) cause = NULL;

	memset(secrets, 0, count * sizeof(*secrets));
	for (guint i = 0; i < count; i++) {
		if (!keystore_check_name(names[i], error) ||
		    (!store->options.ignores_environment &&
		     !read_environment(names[i], &secrets[i], error))) {
			secrets_clear(secrets, i);
			return false;
		}
		is_from_environment[i] = secrets[i] != NULL;
	}

	bool is_done = read_store(store, names, secrets, count, &master, &cause);
	KeystoreTrail trail = { master, is_from_environment, cause };
	keystore_audit_lookup(store, names, secrets, count, &trail);
	if (is_done)
		return true;
	secrets_clear(secrets, count);
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

bool keystore_lookup_all(Keystore *store, const char *const *names, GBytes **secrets,
                         GError **error)
{
	g_return_val_if_fail(store && names && secrets, false);

	guint count = g_strv_length((char **)(guintptr)names);
	g_autofree bool *is_from_environment = g_new0(bool, count + 1);
	return look_up(store, names, secrets, count, is_from_environment, error);
}

GBytes *keystore_lookup(Keystore *store, const char *name, const char **source, GError **error)
{
	GBytes *secret = NULL;
	bool is_from_environment = false;

	g_return_val_if_fail(store && name, NULL);

	if (!look_up(store, &name, &secret, 1, &is_from_environment, error))
		return NULL;
	if (!secret)
		back_end_not_found(name, error);
	else if (source)
		*source = is_from_environment ? "environment" : store->back_end->name;
	return secret;
}

static void derive(GBytes *master, const char *purpose, CryptoKey *key)
{
	Span text = { 0 };

	text.data = g_bytes_get_data(master, &text.size);
	crypto_hkdf(text, (Span){ SALT, sizeof(SALT) - 1 }, (Span){ purpose, strlen(purpose) },
	            key->data, sizeof(key->data));
}

GBytes *keystore_derive(Keystore *store, const char *purpose, GError **error)
{
	g_auto(CryptoKey) key = { 0 };
	BackEndItem item = master_item();

	g_return_val_if_fail(store && purpose, NULL);

	if (!keystore_settle(store, error) ||
	    !store->back_end->read(store->opened, &item, 1, error))
		return NULL;
	g_autoptr(GBytes) master = item.secret;
	if (!master) {
		keystore_fail(error, KEYSTORE_ERROR_NOT_FOUND, "Run: slipway keys set NAME",
		              "no key was ever saved in this keystore");
		return NULL;
	}
	derive(master, purpose, &key);
	return secret_new(key.data, sizeof(key.data));
}

static void set_fingerprint(KeystoreNote *note, GBytes *master, GBytes *secret)
{
	g_auto(CryptoKey) key = { 0 };
	guint8 mac[32];
	Span text = { 0 };

	text.data = g_bytes_get_data(secret, &text.size);
	derive(master, PURPOSE_FINGERPRINT, &key);
	crypto_hmac((Span){ key.data, sizeof(key.data) }, text, mac);
	g_snprintf(note->fingerprint, sizeof(note->fingerprint), "%02x%02x%02x%02x", mac[0], mac[1],
	           mac[2], mac[3]);
}

/* What a person or command says of a key; the rest is ours. */
static void take_note(KeystoreNote *to, const KeystoreNote *from)
{
	memcpy(to->origin, from->origin, sizeof(to->origin));
	to->expires_s = from->expires_s;
	to->verified_s = from->verified_s;
}

static bool says_the_same(const KeystoreNote *a, const KeystoreNote *b)
{
	return strcmp(a->origin, b->origin) == 0 && a->expires_s == b->expires_s &&
	       a->verified_s == b->verified_s;
}

static bool is_equal(GBytes *a, GBytes *b)
{
	gsize size = g_bytes_get_size(a);

	return g_bytes_get_size(b) == size &&
	       crypto_equal(g_bytes_get_data(a, NULL), g_bytes_get_data(b, NULL), size);
}

/* Adds what @change asks for, when @before is there.  The same secret once more is no change. */
static void add_change(GArray *list, const Keystore *store, const KeystoreChange *change,
                       const BackEndItem *before, GBytes *master)
{
	BackEndChange item = { .profile = store->options.profile, .name = change->name };
	bool is_same = change->secret && before->secret && is_equal(change->secret, before->secret);

	if (is_same && (!change->note || says_the_same(change->note, &before->note)))
		return;
	if (change->note)
		take_note(&item.note, change->note);
	if (is_same || (!change->secret && change->note)) {
		item.action = BACK_END_NOTE;
	} else if (change->secret) {
		item.secret = change->secret;
		item.note.changed_s = g_get_real_time() / G_USEC_PER_SEC;
		item.note.created_s = before->secret ? before->note.created_s : item.note.changed_s;
		set_fingerprint(&item.note, master, change->secret);
	}
	g_array_append_val(list, item);
}

/* Before the first write, so that a run that is killed in between does not leave a key where nobody
 * looks for it.  @is_new: (out): whether there was no record. */
static bool record_choice(const Keystore *store, bool *is_new, GError **error)
{
	const char *name = store->back_end->name;
	g_autofree char *chosen = NULL;

	*is_new = store->back_end->is_recorded && !store->back_end->exists(store->opened);
	if (!*is_new)
		return true;
	if (!choice_record(store->options.path, name, &chosen, error))
		return false;

	/* A back end that was asked for does not change what was chosen. */
	*is_new = strcmp(chosen, name) == 0;
	return *is_new || strcmp(store->options.back_end, "auto") != 0 ||
	       back_end_overtaken(chosen, error);
}

static bool apply_list(Keystore *store, const GArray *list, GError **error)
{
	const BackEndChange *changes = (const BackEndChange *)(gpointer)list->data;
	bool is_new = false;

	if (list->len == 0)
		return true;
	if (changes[list->len - 1].secret && !record_choice(store, &is_new, error))
		return false;
	if (store->back_end->apply(store->opened, changes, list->len, error))
		return true;
	if (is_new && !choice_forget(store->options.path, store->back_end->name, NULL))
		log_line("keys", "the record of the choice could not be removed");
	return false;
}

bool keystore_apply_audited(Keystore *store, GArray *list, GBytes *master, GBytes *head,
                            GError **error)
{
	g_autoptr(GBytes) sealed G_GNUC_UNUSED = keystore_audit_begin(store, list, master, head);
	g_autoptr(GError) cause = NULL;
	bool is_done = apply_list(store, list, &cause);

	keystore_audit_end(store, list, master, cause);
	if (!is_done)
		g_propagate_error(error, g_steal_pointer(&cause));
	return is_done;
}

/* @items: the master secret, what is there under each name, and the head of the audit log. */
static bool apply_over(Keystore *store, const KeystoreChange *changes, guint count,
                       const BackEndItem *items, GError **error)
{
	g_autoptr(GArray) list = g_array_new(false, true, sizeof(BackEndChange));
	g_autoptr(GBytes) made = items[0].secret ? NULL : secret_new_random_hex(MASTER_BYTES);
	BackEndChange first = { .profile = KEYSTORE_PROFILE_OWN,
		                .name = BACK_END_MASTER,
		                .secret = made,
		                .action = BACK_END_ADD };
	bool is_saving = false;

	for (guint i = 0; i < count; i++) {
		add_change(list, store, &changes[i], &items[i + 1], made ? made : items[0].secret);
		is_saving = is_saving || changes[i].secret;
	}
	if (made && is_saving)
		g_array_prepend_val(list, first);
	return keystore_apply_audited(store, list, made ? made : items[0].secret,
	                              items[count + 1].secret, error);
}

/* Reads, then writes.  EXISTS: somebody else made the master secret in between. */
static bool apply_changes(Keystore *store, const KeystoreChange *changes, guint count,
                          GError **error)
{
	g_autofree BackEndItem *items = g_new0(BackEndItem, count + 2);

	for (guint attempt = 1;; attempt++) {
		g_autoptr(GError) cause = NULL;

		items[0] = master_item();
		for (guint i = 0; i < count; i++)
			items[i + 1] = (BackEndItem){
				store->options.profile, changes[i].name, NULL, { 0 }
			};
		items[count + 1] =
			(BackEndItem){ KEYSTORE_PROFILE_OWN, BACK_END_AUDIT_HEAD, NULL, { 0 } };
		if (!store->back_end->read(store->opened, items, count + 2, &cause)) {
			keystore_audit_refusal(store, changes, count, cause);
			g_propagate_error(error, g_steal_pointer(&cause));
			return false;
		}
		bool is_done = apply_over(store, changes, count, items, &cause);
		back_end_items_clear(items, count + 2);
		if (is_done)
			return true;
		if (attempt == ATTEMPTS_MAX ||
		    !g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_EXISTS)) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return false;
		}
	}
}

static bool check_change(const KeystoreChange *change, GError **error)
{
	gsize size = 0;
	const char *value = change->secret ? g_bytes_get_data(change->secret, &size) : NULL;

	return keystore_check_name(change->name, error) &&
	       (!change->secret || check_secret(change->name, value, size, error));
}

bool keystore_apply(Keystore *store, const KeystoreChange *changes, guint count, GError **error)
{
	g_return_val_if_fail(store && changes, false);

	for (guint i = 0; i < count; i++)
		if (!check_change(&changes[i], error))
			return false;
	return keystore_settle(store, error) && apply_changes(store, changes, count, error);
}

bool keystore_save(Keystore *store, const char *name, GBytes *secret, GError **error)
{
	g_return_val_if_fail(name && secret, false);

	return keystore_apply(store, &(KeystoreChange){ name, secret, NULL }, 1, error);
}

bool keystore_save_noted(Keystore *store, const char *name, GBytes *secret,
                         const KeystoreNote *note, GError **error)
{
	g_return_val_if_fail(name && secret && note, false);

	return keystore_apply(store, &(KeystoreChange){ name, secret, note }, 1, error);
}

bool keystore_note(Keystore *store, const char *name, const KeystoreNote *note, GError **error)
{
	g_return_val_if_fail(name && note, false);

	return keystore_apply(store, &(KeystoreChange){ name, NULL, note }, 1, error);
}

bool keystore_remove(Keystore *store, const char *name, GError **error)
{
	g_return_val_if_fail(name, false);

	return keystore_apply(store, &(KeystoreChange){ name, NULL, NULL }, 1, error);
}

void keystore_entry_free(KeystoreEntry *entry)
{
	if (!entry)
		return;

	g_free(entry->profile);
	g_free(entry->name);
	g_free(entry);
}

/* @profile: (nullable): NULL: all but our own. */
static GPtrArray *list_entries(Keystore *store, const char *profile, GError **error)
{
	g_autoptr(GError) cause = NULL;
	GPtrArray *entries = keystore_settle(store, &cause)
	                             ? store->back_end->list(store->opened, &cause)
	                             : NULL;
	keystore_audit_list(store, cause);
	if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	for (guint i = entries ? entries->len : 0; i > 0; i--) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i - 1);

		if (profile ? strcmp(entry->profile, profile) != 0
		            : strcmp(entry->profile, KEYSTORE_PROFILE_OWN) == 0)
			g_ptr_array_remove_index(entries, i - 1);
	}
	return entries;
}

GPtrArray *keystore_list(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, NULL);

	return list_entries(store, store->options.profile, error);
}

GPtrArray *keystore_list_all(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, NULL);

	return list_entries(store, NULL, error);
}

char **keystore_profiles(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, NULL);

	g_autoptr(GPtrArray) entries =
		keystore_settle(store, error) ? store->back_end->list(store->opened, error) : NULL;
	const char *last = KEYSTORE_PROFILE_OWN;
	GPtrArray *names = entries ? g_ptr_array_new() : NULL;
	for (guint i = 0; entries && i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		if (strcmp(entry->profile, last) != 0 &&
		    strcmp(entry->profile, KEYSTORE_PROFILE_OWN) != 0)
			g_ptr_array_add(names, g_strdup(entry->profile));
		last = entry->profile;
	}
	if (!names)
		return NULL;
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
