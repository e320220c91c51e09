/* installer/command_keys_recover.c - "slipway keys recover": the version before, when the file is damaged
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "base/fault.h"
#include "installer/keys.h"
#include "keystore/recover.h"

static json_t *version_json(const KeystoreVersion *version)
{
	return json_pack("{s:b, s:b, s:I, s:i, s:s?}", "present", version->is_there, "whole",
	                 version->is_whole, "version", (json_int_t)version->generation, "keys",
	                 (int)version->keys, "problem", version->problem);
}

static void say(App *app, const char *name, const KeystoreVersion *version)
{
	if (!version->is_there)
		term_note(app->term, "%s: there is none.", name);
	else if (version->is_whole)
		term_note(app->term, "%s: whole, version %" G_GUINT64_FORMAT ", keys: %u.", name,
		          version->generation, version->keys);
	else
		term_note(app->term, "%s: %s", name, version->problem);
}

static bool refuse(const KeystoreVersions *versions, GError **error)
{
	fault_set(error, STATUS_DATA,
	          "Restore the file from a backup of your own, with the key that opens it.",
	          versions->backup.is_there
	                  ? "neither the keystore nor the version before it can be read"
	                  : "the keystore cannot be read, and there is no version before it");
	return false;
}

/* What is gone with the damaged file. */
static char *describe_loss(const KeystoreVersions *versions)
{
	guint64 now = versions->current.generation;
	guint64 then = versions->backup.generation;

	if (now > then)
		return g_strdup_printf("Lost is what was changed after version %" G_GUINT64_FORMAT
		                       " (changes: %" G_GUINT64_FORMAT ").",
		                       then, now - then);
	return g_strdup_printf("Lost is what was changed after version %" G_GUINT64_FORMAT
	                       ", usually one change.",
	                       then);
}

bool command_keys_recover(App *app, int argc G_GNUC_UNUSED, char **argv G_GNUC_UNUSED,
                          GError **error)
{
	g_autoptr(Keystore) store = keys_open_for_command(app, error);
	g_auto(KeystoreVersions) versions = { 0 };

	if (!store || !keystore_examine(store, &versions, error))
		return false;
	app->document = json_pack("{s:o, s:o, s:b}", "current", version_json(&versions.current),
	                          "backup", version_json(&versions.backup), "recovered", 0);
	say(app, "The keystore", &versions.current);
	say(app, "The version before", &versions.backup);
	if (versions.current.is_whole ||
	    (!versions.current.is_there && !versions.backup.is_there)) {
		term_note(app->term, "There is nothing to recover.");
		return true;
	}
	if (!versions.backup.is_whole)
		return refuse(&versions, error);

	g_autofree char *loss = describe_loss(&versions);
	term_note(app->term, "%s", loss);
	if (!keys_confirm(app, "Put the version before in its place?", error) ||
	    !keystore_recover(store, error))
		return false;
	json_object_set_new(app->document, "recovered", json_true());
	g_autofree char *path = keys_path(app);
	if (versions.current.is_there)
		term_note(app->term, "Recovered.  The damaged file is kept as %s.damaged.", path);
	else
		term_note(app->term, "Recovered.");
	return true;
}
