/* installer/command_keys_export.c - "slipway keys export": keys as one encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/ini.h"
#include "installer/key_bundle.h"
#include "installer/keys.h"

static char *only_text;
static char *descriptor_text;
static char *passphrase_path;

const GOptionEntry command_keys_export_options[] = {
	{ "only", 0, 0, G_OPTION_ARG_STRING, &only_text, "these keys and no others", "KEY,..." },
	{ "bundle-passphrase-fd", 0, 0, G_OPTION_ARG_STRING, &descriptor_text,
	  "descriptor to read the new file's passphrase from", "N" },
	{ "bundle-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &passphrase_path,
	  "file with the new file's passphrase", "FILE" },
	{ 0 },
};

/* Those of @entries that are wanted; NULL-terminated, the names belong to @entries. */
static GPtrArray *choose(const GPtrArray *entries, GError **error)
{
	g_auto(GStrv) only = only_text ? ini_list(only_text) : NULL;
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();

	for (guint i = 0; i < entries->len; i++) {
		KeystoreEntry *entry = g_ptr_array_index(entries, i);

		if (!only || g_strv_contains((const char *const *)only, entry->name))
			g_ptr_array_add(chosen, entry);
	}
	for (char **name = only; name && *name; name++) {
		bool is_there = false;

		for (guint i = 0; i < chosen->len; i++)
			is_there |=
				strcmp(((const KeystoreEntry *)chosen->pdata[i])->name, *name) == 0;
		if (!is_there) {
			fault_set(error, STATUS_FAILED, NULL, "there is no key %s", *name);
			return NULL;
		}
	}
	if (chosen->len > 0)
		return g_steal_pointer(&chosen);
	fault_set(error, STATUS_FAILED, NULL, "there are no keys to export");
	return NULL;
}

/* @secrets: one for each of @chosen. */
static bool copy(KeyBundle *bundle, const GPtrArray *chosen, GBytes **secrets, GError **error)
{
	g_autofree KeystoreChange *changes = g_new0(KeystoreChange, chosen->len);

	for (guint i = 0; i < chosen->len; i++) {
		const KeystoreEntry *entry = chosen->pdata[i];

		changes[i] = (KeystoreChange){ entry->name, secrets[i], &entry->note };
	}
	return keystore_apply(key_bundle_store(bundle), changes, chosen->len, error) &&
	       key_bundle_publish(bundle, error);
}

/* A key that was removed since it was listed is an error. */
static bool export(App *app, Keystore *store, const GPtrArray *chosen, const char *path,
                   GError **error)
{
	KeyBundlePassphrase passphrase = { descriptor_text, passphrase_path };
	g_autofree const char **names = g_new0(const char *, chosen->len + 1);
	g_autofree GBytes **secrets = g_new0(GBytes *, chosen->len + 1);
	bool is_whole = true;

	for (guint i = 0; i < chosen->len; i++)
		names[i] = ((const KeystoreEntry *)chosen->pdata[i])->name;
	if (!keystore_lookup_all(store, names, secrets, error))
		return false;
	for (guint i = 0; i < chosen->len && is_whole; i++) {
		is_whole = secrets[i] != NULL;
		if (!is_whole)
			fault_set(error, STATUS_FAILED, NULL, "there is no key %s any more",
			          names[i]);
	}

	g_autoptr(KeyBundle) bundle =
		is_whole ? key_bundle_new(app, path, NULL, &passphrase, error) : NULL;
	bool is_done = bundle && copy(bundle, chosen, secrets, error);
	for (guint i = 0; i < chosen->len; i++)
		g_clear_pointer(&secrets[i], g_bytes_unref);
	app->document = json_pack("{s:s, s:s, s:o}", "file", path, "profile",
	                          keys_profile_of_command(app), "keys", json_from_strv(names));
	return is_done;
}

bool command_keys_export(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	if (file_exists(argv[0])) {
		fault_set(error, STATUS_CANNOT_CREATE, "Name a file that is not there yet.",
		          "%s exists", argv[0]);
		return false;
	}

	g_autoptr(Keystore) store = keys_open_stored(app, keys_profile_of_command(app), error);
	g_autoptr(GPtrArray) entries = store ? keystore_list(store, error) : NULL;
	g_autoptr(GPtrArray) chosen = entries ? choose(entries, error) : NULL;
	if (!chosen || !export(app, store, chosen, argv[0], error))
		return false;
	term_note(app->term, "Wrote %u keys to %s, encrypted; \"slipway keys import\" reads it.",
	          chosen->len, argv[0]);
	return true;
}
