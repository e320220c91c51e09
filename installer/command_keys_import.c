/* installer/command_keys_import.c - "slipway keys import": keys out of a .env file or a bundle
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/cancel.h"
#include "base/fault.h"
#include "base/ini.h"
#include "installer/clear_file.h"
#include "installer/dotenv.h"
#include "installer/key_bundle.h"
#include "installer/key_import.h"
#include "installer/keys.h"
#include "installer/work_tree.h"

static char *only_text;
static char *descriptor_text;
static char *passphrase_path;
static gboolean is_shredded;
static gboolean is_kept;

const GOptionEntry command_keys_import_options[] = {
	{ "only", 0, 0, G_OPTION_ARG_STRING, &only_text, "these keys and no others", "KEY,..." },
	{ "shred", 0, 0, G_OPTION_ARG_NONE, &is_shredded,
	  "take the keys out of FILE, and overwrite its old bytes, without asking", NULL },
	{ "keep", 0, 0, G_OPTION_ARG_NONE, &is_kept, "leave FILE as it is, without asking", NULL },
	{ "bundle-passphrase-fd", 0, 0, G_OPTION_ARG_STRING, &descriptor_text,
	  "descriptor to read the passphrase of an exported file from", "N" },
	{ "bundle-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &passphrase_path,
	  "file with the passphrase of an exported file", "FILE" },
	{ 0 },
};

static bool fail_entry(const char *path, const DotenvEntry *entry, const char *why, GError **error)
{
	fault_set(error, STATUS_DATA, "Change that line, or name the keys to take with --only.",
	          "%s:%u: %s %s", path, entry->line, entry->name, why);
	return false;
}

static bool take_entry(KeyImport *import, const char *path, const DotenvEntry *entry,
                       GPtrArray *empty, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (keys_is_steering(entry->name))
		return fail_entry(path, entry, "steers programs; it cannot be the name of a key",
		                  error);
	if (entry->fault)
		return fail_entry(path, entry, entry->fault, error);
	if (!keystore_check_name(entry->name, &cause))
		return fail_entry(path, entry, "begins with _; it cannot be the name of a key",
		                  error);
	if (!entry->value) {
		g_ptr_array_add(empty, entry->name);
		return true;
	}
	if (g_bytes_get_size(entry->value) > KEYSTORE_SECRET_MAX)
		return fail_entry(path, entry, "is longer than a key can be", error);
	key_import_add(import, entry->name, entry->value, 0);
	return true;
}

/* @only: (nullable). */
static bool check_only(char *const *only, const Dotenv *file, const char *path, GError **error)
{
	for (; only && *only; only++) {
		const DotenvEntry *entry = dotenv_find(file, *only);

		if (!entry || (!entry->value && !entry->fault)) {
			fault_set(error, STATUS_DATA, NULL, "%s has no value for %s", path, *only);
			return false;
		}
	}
	return true;
}

static bool take_entries(App *app, KeyImport *import, const Dotenv *file, const char *path,
                         GError **error)
{
	g_auto(GStrv) only = only_text ? ini_list(only_text) : NULL;
	g_autoptr(GPtrArray) empty = g_ptr_array_new();
	const GPtrArray *entries = dotenv_entries(file);

	if (!check_only(only, file, path, error))
		return false;
	for (guint i = 0; i < entries->len; i++) {
		const DotenvEntry *entry = g_ptr_array_index(entries, i);

		if ((!only || g_strv_contains((const char *const *)only, entry->name)) &&
		    !take_entry(import, path, entry, empty, error))
			return false;
	}
	g_ptr_array_add(empty, NULL);
	if (empty->len > 1) {
		g_autofree char *names = g_strjoinv(", ", (char **)empty->pdata);
		term_note(app->term, "Left out, for they are empty: %s.", names);
	}
	json_object_set_new(app->document, "empty",
	                    json_from_strv((const char *const *)empty->pdata));
	return true;
}

static bool wants_shredding(App *app, const char *path)
{
	g_autofree char *question =
		g_strdup_printf("Take them out of %s, and overwrite its old bytes?", path);

	if (is_kept || is_shredded)
		return is_shredded;
	return term_can_ask(app->term) && term_confirm(app->term, question, false);
}

static void note_work_tree(App *app, const char *path)
{
	WorkTree state = work_tree_of(path);

	if (state == WORK_TREE_TRACKED)
		term_warn(app->term,
		          "git has %s, and keeps what it once said: renew these keys, and take "
		          "the file out with \"git rm --cached\".",
		          path);
	else if (state == WORK_TREE_OPEN)
		term_warn(app->term,
		          "%s lies in a git work tree and is not ignored: add it to "
		          ".gitignore.",
		          path);
}

/* The keys are in the keystore: now they may go from the file. */
static bool clean(App *app, const ClearFile *clear, const Dotenv *file, const KeyImport *import,
                  const char *path, GError **error)
{
	bool is_wanted = wants_shredding(app, path);

	if (!cancel_check(error)) {
		g_prefix_error(error, "the keys are in the keystore; ");
		return false;
	}
	if (is_wanted) {
		g_autoptr(GBytes) text = dotenv_comment_out(file, key_import_names(import));

		if (!clear_file_replace(clear, text, error)) {
			g_prefix_error(error, "the keys are in the keystore; ");
			return false;
		}
		term_note(app->term,
		          "Took them out of %s and overwrote its old bytes.  What a journal, a "
		          "snapshot, a backup or a flash disk has of them is out of reach: renew "
		          "keys that must be safe.",
		          path);
	} else {
		term_note(app->term, "They still stand in %s, for everybody who can read it%s",
		          path, is_kept ? "." : "; --shred takes them out.");
	}
	json_object_set_new(app->document, "shredded", json_boolean(is_wanted));
	note_work_tree(app, path);
	return true;
}

static bool import_env(App *app, const ClearFile *clear, const char *path, GError **error)
{
	g_autoptr(KeyImport) import = key_import_new();
	g_autoptr(Dotenv) file = dotenv_parse(clear_file_text(clear), path, error);

	if (descriptor_text || passphrase_path) {
		g_clear_error(error);
		fault_set(error, STATUS_USAGE, NULL, "%s is no exported file and has no passphrase",
		          path);
		return false;
	}
	return file && take_entries(app, import, file, path, error) &&
	       key_import_run(import, app, path, error) &&
	       clean(app, clear, file, import, path, error);
}

static bool take_bundle(KeyImport *import, Keystore *from, const char *path, GError **error)
{
	g_auto(GStrv) only = only_text ? ini_list(only_text) : NULL;
	g_autoptr(GPtrArray) entries = keystore_list(from, error);

	for (guint i = 0; entries && i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);

		if (only && !g_strv_contains((const char *const *)only, entry->name))
			continue;
		g_autoptr(GBytes) secret = keystore_lookup(from, entry->name, NULL, error);
		if (!secret)
			return false;
		key_import_add(import, entry->name, secret, entry->note.expires_s);
	}
	for (char **name = only; entries && name && *name; name++)
		if (!g_strv_contains(key_import_names(import), *name)) {
			fault_set(error, STATUS_DATA, NULL, "%s has no key %s", path, *name);
			return false;
		}
	return entries != NULL;
}

static bool import_bundle(App *app, GBytes *content, const char *path, GError **error)
{
	KeyBundlePassphrase passphrase = { descriptor_text, passphrase_path };

	if (is_shredded) {
		fault_set(error, STATUS_USAGE, NULL,
		          "%s is encrypted; --shred is for files in the clear", path);
		return false;
	}

	g_autoptr(KeyImport) import = key_import_new();
	g_autoptr(KeyBundle) bundle = key_bundle_new(app, path, content, &passphrase, error);
	if (!bundle)
		return false;
	if (!take_bundle(import, key_bundle_store(bundle), path, error)) {
		g_prefix_error(error, "%s: ", path);
		return false;
	}
	return key_import_run(import, app, path, error);
}

bool command_keys_import(App *app, int argc G_GNUC_UNUSED, char **argv, GError **error)
{
	const char *path = argv[0];

	if (is_shredded && is_kept) {
		fault_set(error, STATUS_USAGE, NULL, "--shred and --keep are opposites");
		return false;
	}

	g_autoptr(ClearFile) file = clear_file_read(path, DOTENV_MAX_BYTES, error);
	if (!file)
		return false;
	bool is_bundle = key_bundle_is(clear_file_text(file));
	app->document =
		json_pack("{s:s, s:s, s:s}", "file", path, "kind", is_bundle ? "bundle" : "env",
	                  "profile", keys_profile_of_command(app));
	return is_bundle ? import_bundle(app, clear_file_text(file), path, error)
	                 : import_env(app, file, path, error);
}
