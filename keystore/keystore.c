/* keystore/keystore.c - environment first, then the back end that was chosen
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/keystore.h"

#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/secret.h"
#include "keystore/back_end_private.h"
#include "keystore/body.h"
#include "keystore/choice.h"

#define BACK_ENDS_MAX 8

struct Keystore {
	KeystoreOptions options; /* strings owned */
	const BackEnd *back_end; /* (nullable): not settled yet */
	gpointer opened;         /* its store */
	char *why;               /* (nullable) */
	GPtrArray *others;       /* (element-type Keystore): of keystore_in() */
};

const char *const *keystore_back_ends(void)
{
	static const char *names[BACK_ENDS_MAX];

	for (gsize i = 0; back_end_table[i] && i + 1 < G_N_ELEMENTS(names); i++)
		names[i] = back_end_table[i]->name;
	return names;
}

Keystore *keystore_open(const KeystoreOptions *options)
{
	Keystore *store = g_new0(Keystore, 1);

	store->options = *options;
	store->options.back_end =
		g_strdup(options->back_end ? options->back_end : back_end_file.name);
	store->options.path = g_strdup(options->path);
	store->options.passphrase_file = g_strdup(options->passphrase_file);
	store->options.key_file = g_strdup(options->key_file);
	store->options.default_key_file = g_strdup(options->default_key_file);
	store->others = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_free);
	return store;
}

void keystore_free(Keystore *store)
{
	if (!store)
		return;

	if (store->back_end)
		store->back_end->free(store->opened);
	g_ptr_array_unref(store->others);
	g_free(store->why);
	g_free((char *)(guintptr)store->options.back_end);
	g_free((char *)(guintptr)store->options.path);
	g_free((char *)(guintptr)store->options.passphrase_file);
	g_free((char *)(guintptr)store->options.key_file);
	g_free((char *)(guintptr)store->options.default_key_file);
	g_free(store);
}

static const BackEnd *find_back_end(const char *name, GError **error)
{
	g_autofree char *names = NULL;

	for (gsize i = 0; back_end_table[i]; i++)
		if (strcmp(back_end_table[i]->name, name) == 0)
			return back_end_table[i];

	names = g_strjoinv(", ", (char **)(guintptr)keystore_back_ends());
	fault_set(error, STATUS_CONFIG, NULL,
	          "keys cannot be kept in \"%s\" here; there are: auto, %s", name, names);
	return NULL;
}

/* Nothing was chosen yet: the first that suits. */
static const BackEnd *find_best(const KeystoreOptions *options, char **why)
{
	for (gsize i = 0; back_end_table[i]; i++) {
		const BackEnd *back_end = back_end_table[i];

		if (!back_end->suits)
			return back_end;
		g_clear_pointer(why, g_free);
		if (back_end->suits(options, why))
			return back_end;
	}
	return &back_end_file;
}

static const BackEnd *choose(const Keystore *store, char **why, GError **error)
{
	const char *wanted = store->options.back_end;
	g_autofree char *chosen = NULL;

	if (strcmp(wanted, "auto") != 0) {
		*why = g_strdup("it was asked for");
		return find_back_end(wanted, error);
	}
	if (!choice_read(store->options.path, &chosen, error))
		return NULL;
	if (chosen) {
		*why = g_strdup("it was chosen when the first key was kept");
		return find_back_end(chosen, error);
	}
	return find_best(&store->options, why);
}

static bool settle(Keystore *store, GError **error)
{
	g_autofree char *why = NULL;

	if (store->back_end)
		return true;
	store->back_end = choose(store, &why, error);
	if (!store->back_end)
		return false;
	store->opened = store->back_end->open(&store->options);
	store->why = g_steal_pointer(&why);
	return true;
}

const char *keystore_back_end(Keystore *store, const char **why, GError **error)
{
	g_return_val_if_fail(store, NULL);

	if (!settle(store, error))
		return NULL;
	if (why)
		*why = store->why ? store->why : "it is the only one here";
	return store->back_end->name;
}

Keystore *keystore_in(Keystore *store, const char *name, GError **error)
{
	g_return_val_if_fail(store && name, NULL);

	if (store->back_end && strcmp(store->back_end->name, name) == 0)
		return store;
	for (guint i = 0; i < store->others->len; i++) {
		Keystore *other = g_ptr_array_index(store->others, i);

		if (strcmp(other->options.back_end, name) == 0)
			return other;
	}
	if (!find_back_end(name, error))
		return NULL;

	KeystoreOptions options = store->options;
	options.back_end = name;
	Keystore *other = keystore_open(&options);
	g_ptr_array_add(store->others, other);
	return other;
}

/* Returns: whether something was chosen, so that settling asks nobody. */
static bool is_chosen(const Keystore *store)
{
	g_autofree char *chosen = NULL;

	return store->back_end || strcmp(store->options.back_end, "auto") != 0 ||
	       !choice_read(store->options.path, &chosen, NULL) || chosen;
}

/* A record that cannot be read is there all the same. */
bool keystore_exists(Keystore *store)
{
	if (!is_chosen(store))
		return false;
	return !settle(store, NULL) || store->back_end->exists(store->opened);
}

bool keystore_is_unattended(Keystore *store)
{
	return settle(store, NULL) && store->back_end->is_unattended(store->opened);
}

char *keystore_peek(Keystore *store)
{
	if (!is_chosen(store) || !settle(store, NULL) || !store->back_end->peek)
		return NULL;
	return store->back_end->peek(store->opened);
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

GBytes *keystore_lookup(Keystore *store, const char *name, const char **source, GError **error)
{
	g_return_val_if_fail(store && name, NULL);

	if (!keystore_check_name(name, error))
		return NULL;
	const char *value = g_getenv(name);
	if (value && value[0] != '\0') {
		if (!check_secret(name, value, strlen(value), error))
			return NULL;
		if (source)
			*source = "environment";
		return secret_new(value, strlen(value));
	}

	if (!settle(store, error))
		return NULL;
	GBytes *secret = store->back_end->lookup(store->opened, name, error);
	if (secret && source)
		*source = store->back_end->name;
	return secret;
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

bool keystore_save(Keystore *store, const char *name, GBytes *secret, GError **error)
{
	g_return_val_if_fail(store && name && secret, false);

	gsize size = 0;
	const char *value = g_bytes_get_data(secret, &size);
	bool is_new = false;
	if (!keystore_check_name(name, error) || !check_secret(name, value, size, error) ||
	    !settle(store, error) || !record_choice(store, &is_new, error))
		return false;
	if (store->back_end->save(store->opened, name, secret, error))
		return true;
	if (is_new && !choice_forget(store->options.path, store->back_end->name, NULL))
		log_line("keys", "the record of the choice could not be removed");
	return false;
}

bool keystore_remove(Keystore *store, const char *name, GError **error)
{
	g_return_val_if_fail(store && name, false);

	return keystore_check_name(name, error) && settle(store, error) &&
	       store->back_end->remove(store->opened, name, error);
}

bool keystore_delete_empty(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, false);

	return settle(store, error) && store->back_end->delete_empty(store->opened, error);
}

void keystore_entry_free(KeystoreEntry *entry)
{
	if (!entry)
		return;

	g_free(entry->name);
	g_free(entry->fingerprint);
	g_free(entry);
}

GPtrArray *keystore_list(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, NULL);

	return settle(store, error) ? store->back_end->list(store->opened, error) : NULL;
}
