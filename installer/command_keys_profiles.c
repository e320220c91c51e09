/* installer/command_keys_profiles.c - "slipway keys profiles": which there are; one renamed or removed
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "base/fault.h"
#include "installer/keys.h"

static char *removed;
static char *renamed;

const GOptionEntry command_keys_profiles_options[] = {
	{ "remove", 0, 0, G_OPTION_ARG_STRING, &removed, "remove that profile with all its keys",
	  "PROFILE" },
	{ "rename", 0, 0, G_OPTION_ARG_STRING, &renamed, "give all keys of one profile another",
	  "OLD=NEW" },
	{ 0 },
};

/* @entries are sorted by profile. */
static bool list_profiles(App *app, GError **error)
{
	static const char *const headings[] = { "PROFILE", "KEYS" };
	g_autoptr(Keystore) store = keys_open_for_command(app, error);
	g_autoptr(GPtrArray) entries = store ? keystore_list_all(store, error) : NULL;
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	json_t *profiles = json_array();

	app->document = json_pack("{s:o}", "profiles", profiles);
	if (!entries)
		return false;
	for (guint i = 0, count = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = g_ptr_array_index(entries, i);
		const KeystoreEntry *next =
			i + 1 < entries->len ? g_ptr_array_index(entries, i + 1) : NULL;

		count++;
		if (next && strcmp(next->profile, entry->profile) == 0)
			continue;
		json_array_append_new(profiles, json_pack("{s:s, s:i}", "profile", entry->profile,
		                                          "keys", (int)count));
		g_ptr_array_add(cells, g_strdup(entry->profile));
		g_ptr_array_add(cells, g_strdup_printf("%u", count));
		count = 0;
	}
	if (cells->len > 0)
		term_table(app->term, headings, G_N_ELEMENTS(headings), cells);
	else
		term_note(app->term, "There are no keys yet.  Add one with: slipway keys set NAME");
	return true;
}

/* Always false. */
static bool has_no_profile(const char *name, GError **error)
{
	fault_set(error, STATUS_FAILED, "See \"slipway keys profiles\".", "there is no profile %s",
	          name);
	return false;
}

static bool confirm(App *app, const GPtrArray *entries, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < entries->len; i++)
		g_string_append_printf(names, " %s",
		                       ((const KeystoreEntry *)entries->pdata[i])->name);
	term_note(app->term, "The profile %s has these keys:%s", removed, names->str);
	return keys_confirm(app, "Remove them all?", error);
}

static bool remove_profile(App *app, GError **error)
{
	g_autoptr(Keystore) store = keystore_check_profile(removed, error)
	                                    ? keys_open_stored(app, removed, error)
	                                    : NULL;
	g_autoptr(GPtrArray) entries = store ? keystore_list(store, error) : NULL;

	if (!entries)
		return false;
	if (entries->len == 0)
		return has_no_profile(removed, error);
	if (!confirm(app, entries, error))
		return false;

	g_autofree KeystoreChange *changes = g_new0(KeystoreChange, entries->len);
	for (guint i = 0; i < entries->len; i++)
		changes[i].name = ((const KeystoreEntry *)entries->pdata[i])->name;
	if (!keystore_apply(store, changes, entries->len, error))
		return false;
	term_note(app->term, "Removed the profile %s and its %u keys.", removed, entries->len);
	app->document = json_pack("{s:s, s:i}", "removed", removed, "keys", (int)entries->len);
	return true;
}

static bool rename_profile(App *app, GError **error)
{
	g_auto(GStrv) names = g_strsplit(renamed, "=", 2);
	guint count = 0;

	if (g_strv_length(names) != 2 || g_str_equal(names[0], names[1])) {
		fault_set(error, STATUS_USAGE, NULL,
		          "--rename %s: that is not the name of a profile, \"=\" and another name",
		          renamed);
		return false;
	}
	g_autoptr(Keystore) store = keystore_check_profile(names[0], error)
	                                    ? keys_open_stored(app, names[0], error)
	                                    : NULL;
	if (!store || !keystore_rename_profile(store, names[1], &count, error))
		return false;
	if (count == 0)
		return has_no_profile(names[0], error);
	term_note(app->term, "The %u keys of the profile %s are in the profile %s now.", count,
	          names[0], names[1]);
	app->document = json_pack("{s:s, s:s, s:i}", "renamed", names[0], "to", names[1], "keys",
	                          (int)count);
	return true;
}

bool command_keys_profiles(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                           GError **error)
{
	if (removed && renamed) {
		fault_set(error, STATUS_USAGE, NULL, "--remove and --rename are two commands");
		return false;
	}
	if (renamed)
		return rename_profile(app, error);
	return removed ? remove_profile(app, error) : list_profiles(app, error);
}
