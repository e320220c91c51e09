/* installer/command_keys_rekey.c - "slipway keys rekey": what opens the encrypted file
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/keys.h"
#include "keystore/slots.h"

static gboolean is_list;
static gboolean has_passphrase;
static gboolean has_keyring;
static gboolean is_new_key;
static char *passphrase_file;
static char *key_file;
static char *label;
static char **removed;
static char **old_key_files;
static char **old_passphrase_files;

const GOptionEntry command_keys_rekey_options[] = {
	{ "list", 0, 0, G_OPTION_ARG_NONE, &is_list, "list the slots, and change nothing", NULL },
	{ "add-passphrase", 0, 0, G_OPTION_ARG_NONE, &has_passphrase,
	  "add a slot for a passphrase, which is asked for", NULL },
	{ "new-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &passphrase_file,
	  "add a slot for the passphrase in FILE", "FILE" },
	{ "add-key-file", 0, 0, G_OPTION_ARG_FILENAME, &key_file,
	  "add a slot for the key in FILE, which is made if it is not there", "FILE" },
	{ "add-keyring", 0, 0, G_OPTION_ARG_NONE, &has_keyring,
	  "add a slot for a key that the desktop's keyring keeps", NULL },
	{ "label", 0, 0, G_OPTION_ARG_STRING, &label, "what the new slot is called", "LABEL" },
	{ "remove", 0, 0, G_OPTION_ARG_STRING_ARRAY, &removed,
	  "remove that slot and make a new data key; may be repeated", "LABEL|N" },
	{ "rotate-data-key", 0, 0, G_OPTION_ARG_NONE, &is_new_key,
	  "make a new data key, as --remove does", NULL },
	{ "with-key-file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &old_key_files,
	  "opens a slot that stays, for a new data key; may be repeated", "FILE" },
	{ "with-passphrase-file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &old_passphrase_files,
	  "opens a slot that stays, for a new data key; may be repeated", "FILE" },
	{ 0 },
};

static bool show(App *app, Keystore *store, GError **error)
{
	static const char *const headings[] = { "SLOT", "KIND", "LABEL", "COST" };
	g_autoptr(GPtrArray) slots = keystore_slots(store, error);
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	json_t *rows = json_array();

	app->document = json_pack("{s:o}", "slots", rows);
	if (!slots)
		return false;
	for (guint i = 0; i < slots->len; i++) {
		const KeystoreSlot *slot = g_ptr_array_index(slots, i);
		g_autofree char *name = g_utf8_make_valid(slot->label, -1);

		g_ptr_array_add(cells, g_strdup_printf("%u", slot->number));
		g_ptr_array_add(cells, g_strdup(slot->kind));
		g_ptr_array_add(cells, g_strdup(name[0] ? name : "-"));
		g_ptr_array_add(cells, g_strdup(slot->cost ? slot->cost : "-"));
		json_array_append_new(rows, json_pack("{s:i, s:s, s:s, s:s?}", "number",
		                                      (int)slot->number, "kind", slot->kind,
		                                      "label", name, "cost", slot->cost));
	}
	term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	return true;
}

bool command_keys_rekey(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED, GError **error)
{
	const KeystoreRekey rekey = {
		.remove = (const char *const *)removed,
		.is_new_key = is_new_key,
		.has_passphrase = has_passphrase,
		.passphrase_file = passphrase_file,
		.key_file = key_file,
		.has_keyring = has_keyring,
		.label = label,
		.old_key_files = (const char *const *)old_key_files,
		.old_passphrase_files = (const char *const *)old_passphrase_files,
	};
	bool is_change = removed || is_new_key || has_passphrase || passphrase_file || key_file ||
	                 has_keyring;
	g_autoptr(Keystore) store = NULL;

	if (is_list == is_change) {
		fault_set(error, STATUS_USAGE, "See \"slipway help keys rekey\".",
		          is_list ? "--list changes nothing; leave it out to change the slots"
		                  : "there is nothing to do: name a slot to add or to remove");
		return false;
	}
	store = keys_open_for_command(app, error);
	if (!store || (is_change && !keystore_rekey(store, &rekey, error)))
		return false;
	if (is_change)
		term_note(app->term, "Changed what opens the keystore.");
	return show(app, store, error);
}
