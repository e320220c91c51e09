/* installer/key_import.c - saves several keys, and believes it when it has read them back
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/key_import.h"

#include <string.h>

#include "base/fault.h"
#include "base/secret.h"
#include "installer/handover_users.h"
#include "installer/keys.h"

struct KeyImport {
	GPtrArray *names;   /* (element-type utf8): ends with NULL */
	GPtrArray *secrets; /* (element-type GBytes) */
	GArray *notes;      /* (element-type KeystoreNote) */
};

static void unref_secret(gpointer secret)
{
	g_bytes_unref(secret);
}

KeyImport *key_import_new(void)
{
	KeyImport *import = g_new0(KeyImport, 1);

	import->names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(import->names, NULL);
	import->secrets = g_ptr_array_new_with_free_func(unref_secret);
	import->notes = g_array_new(false, false, sizeof(KeystoreNote));
	return import;
}

void key_import_free(KeyImport *import)
{
	if (!import)
		return;

	g_ptr_array_unref(import->names);
	g_ptr_array_unref(import->secrets);
	g_array_unref(import->notes);
	g_free(import);
}

void key_import_add(KeyImport *import, const char *name, GBytes *secret, gint64 expires_s)
{
	KeystoreNote note = { .expires_s = expires_s, .origin = "import" };

	g_ptr_array_insert(import->names, (gint)import->secrets->len, g_strdup(name));
	g_ptr_array_add(import->secrets, g_bytes_ref(secret));
	g_array_append_val(import->notes, note);
}

const char *const *key_import_names(const KeyImport *import)
{
	return (const char *const *)import->names->pdata;
}

/** The same keys by what is to be done with them. */
typedef struct {
	GArray *changes;      /* (element-type KeystoreChange) */
	GPtrArray *saved;     /* (element-type utf8): new or replaced; NULL-terminated in the end */
	GPtrArray *replaced;  /* of those, the ones that have another value now */
	GPtrArray *unchanged; /* there already, with this value */
} Work;

static void work_clear(Work *work)
{
	g_array_unref(work->changes);
	g_ptr_array_unref(work->saved);
	g_ptr_array_unref(work->replaced);
	g_ptr_array_unref(work->unchanged);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static void sort_in(Work *work, const KeyImport *import, guint i, GBytes *before)
{
	char *name = g_ptr_array_index(import->names, i);
	GBytes *secret = g_ptr_array_index(import->secrets, i);
	KeystoreChange change = { name, secret, &g_array_index(import->notes, KeystoreNote, i) };

	if (before && g_bytes_equal(before, secret)) {
		g_ptr_array_add(work->unchanged, name);
		return;
	}
	if (before)
		g_ptr_array_add(work->replaced, name);
	g_ptr_array_add(work->saved, name);
	g_array_append_val(work->changes, change);
}

/* Returns: (transfer full): what the store has now, one for each name. */
static GPtrArray *read_all(const KeyImport *import, Keystore *store, GError **error)
{
	g_autoptr(GPtrArray) secrets = g_ptr_array_new();

	g_ptr_array_set_size(secrets, (gint)import->secrets->len + 1);
	if (!keystore_lookup_all(store, key_import_names(import), (GBytes **)secrets->pdata, error))
		return NULL;
	return g_steal_pointer(&secrets);
}

static void free_all(GPtrArray *secrets)
{
	for (guint i = 0; i < secrets->len; i++)
		g_clear_pointer((GBytes **)&secrets->pdata[i], g_bytes_unref);
	g_ptr_array_unref(secrets);
}

static bool sort(Work *work, const KeyImport *import, Keystore *store, GError **error)
{
	GPtrArray *before = read_all(import, store, error);

	if (!before)
		return false;
	for (guint i = 0; i < import->secrets->len; i++)
		sort_in(work, import, i, before->pdata[i]);
	free_all(before);
	g_ptr_array_add(work->saved, NULL);
	g_ptr_array_add(work->replaced, NULL);
	g_ptr_array_add(work->unchanged, NULL);
	return true;
}

static bool check_back(const KeyImport *import, Keystore *store, GError **error)
{
	GPtrArray *after = read_all(import, store, error);
	const char *different = NULL;

	if (!after)
		return false;
	for (guint i = 0; i < import->secrets->len; i++)
		if (!after->pdata[i] || !g_bytes_equal(after->pdata[i], import->secrets->pdata[i]))
			different = import->names->pdata[i];
	free_all(after);
	if (different)
		fault_set(error, STATUS_FAILED, NULL,
		          "the keystore does not give back what was saved as %s", different);
	return different == NULL;
}

static bool confirm(App *app, const Work *work, GError **error)
{
	if (work->replaced->len <= 1)
		return true;

	g_autofree char *names = g_strjoinv(", ", (char **)work->replaced->pdata);
	term_note(app->term, "These keys have another value in the keystore: %s.", names);
	return keys_confirm(app, "Replace them?", error);
}

static bool save(const Work *work, Keystore *store, GError **error)
{
	return work->changes->len == 0 ||
	       keystore_apply(store, (const KeystoreChange *)(gpointer)work->changes->data,
	                      work->changes->len, error);
}

static void report(App *app, const Work *work, const char *path, const char *place)
{
	g_autofree char *saved = g_strjoinv(", ", (char **)work->saved->pdata);
	g_autofree char *unchanged = g_strjoinv(", ", (char **)work->unchanged->pdata);

	if (*saved)
		term_note(app->term, "Saved from %s in %s: %s.", path, place, saved);
	if (*unchanged)
		term_note(app->term, "Already there with the same value: %s.", unchanged);
	json_put(app->document, "backend", place);
	json_object_set_new(app->document, "saved",
	                    json_from_strv((const char *const *)work->saved->pdata));
	json_object_set_new(app->document, "unchanged",
	                    json_from_strv((const char *const *)work->unchanged->pdata));
	for (char **name = (char **)work->saved->pdata; *name; name++) {
		if (keys_is_in_environment(*name))
			term_note(app->term, "The environment variable %s is set and wins over it.",
			          *name);
		handover_tell_users(app, *name);
	}
}

bool key_import_run(const KeyImport *import, App *app, const char *path, GError **error)
{
	g_auto(Work) work = { g_array_new(false, false, sizeof(KeystoreChange)), g_ptr_array_new(),
		              g_ptr_array_new(), g_ptr_array_new() };

	if (import->secrets->len == 0) {
		fault_set(error, STATUS_DATA, NULL, "there is no key in %s", path);
		return false;
	}

	g_autoptr(Keystore) store = keys_open_stored(app, keys_profile_of_command(app), error);
	if (!store || !sort(&work, import, store, error) || !confirm(app, &work, error) ||
	    !save(&work, store, error) || !check_back(import, store, error))
		return false;
	report(app, &work, path, keystore_back_end(store, NULL, NULL));
	return true;
}
