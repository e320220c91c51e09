/* keystore/keystore.c - which back end a keystore uses
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/keystore.h"

#include <string.h>

#include "base/fault.h"
#include "keystore/choice.h"
#include "keystore/keystore_private.h"

#define BACK_ENDS_MAX 8

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
	store->options.profile =
		g_strdup(options->profile ? options->profile : KEYSTORE_PROFILE_DEFAULT);
	store->options.seen_path = g_strdup(options->seen_path);
	store->options.audit_path = g_strdup(options->audit_path);
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
	g_free((char *)(guintptr)store->options.profile);
	g_free((char *)(guintptr)store->options.seen_path);
	g_free((char *)(guintptr)store->options.audit_path);
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

bool keystore_settle(Keystore *store, GError **error)
{
	if (store->back_end)
		return true;
	if (!keystore_check_profile(store->options.profile, error))
		return false;

	g_autofree char *why = NULL;
	store->back_end = choose(store, &why, error);
	if (!store->back_end)
		return false;
	store->opened = store->back_end->open(&store->options);
	store->why = g_steal_pointer(&why);
	return true;
}

gpointer keystore_file(Keystore *store, GError **error)
{
	if (!keystore_settle(store, error))
		return NULL;
	if (store->back_end == &back_end_file)
		return store->opened;
	fault_set(error, STATUS_CONFIG, "Name the encrypted file with: --key-backend file",
	          "the keys are not in a file but in: %s", store->back_end->name);
	return NULL;
}

const char *keystore_back_end(Keystore *store, const char **why, GError **error)
{
	g_return_val_if_fail(store, NULL);

	if (!keystore_settle(store, error))
		return NULL;
	if (why)
		*why = store->why ? store->why : "it is the only one here";
	return store->back_end->name;
}

static bool is_for(const Keystore *store, const char *back_end, const char *profile)
{
	const char *own = store->back_end ? store->back_end->name : store->options.back_end;

	return strcmp(own, back_end) == 0 && strcmp(store->options.profile, profile) == 0;
}

Keystore *keystore_in(Keystore *store, const char *name, const char *profile, GError **error)
{
	g_return_val_if_fail(store && name, NULL);

	KeystoreOptions options = store->options;
	options.back_end = name;
	options.profile = profile ? profile : store->options.profile;
	if (is_for(store, name, options.profile))
		return store;
	for (guint i = 0; i < store->others->len; i++) {
		Keystore *other = g_ptr_array_index(store->others, i);

		if (is_for(other, name, options.profile))
			return other;
	}
	if (!find_back_end(name, error) || !keystore_check_profile(options.profile, error))
		return NULL;

	Keystore *other = keystore_open(&options);
	g_ptr_array_add(store->others, other);
	return other;
}

const char *keystore_profile(const Keystore *store)
{
	return store->options.profile;
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
	return !keystore_settle(store, NULL) || store->back_end->exists(store->opened);
}

bool keystore_is_unattended(Keystore *store)
{
	return keystore_settle(store, NULL) && store->back_end->is_unattended(store->opened);
}

bool keystore_probe(Keystore *store, char **why)
{
	g_autoptr(GError) cause = NULL;

	*why = NULL;
	if (!keystore_settle(store, &cause)) {
		*why = g_strdup(cause->message);
		return false;
	}
	if (store->back_end->suits)
		return store->back_end->suits(&store->options, why);
	*why = g_strdup("it is a file");
	return true;
}

char *keystore_peek(Keystore *store)
{
	if (!is_chosen(store) || !keystore_settle(store, NULL) || !store->back_end->peek)
		return NULL;
	return store->back_end->peek(store->opened);
}

bool keystore_delete_empty(Keystore *store, GError **error)
{
	g_return_val_if_fail(store, false);

	const char *audit_path = store->options.audit_path;
	return keystore_settle(store, error) &&
	       store->back_end->delete_empty(store->opened, error) &&
	       (!audit_path || audit_delete(audit_path, error));
}
