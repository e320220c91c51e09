/* installer/step_key.c - step kind "key": a generated secret in the keystore
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sys/stat.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "installer/recipe.h"
#include "keystore/keystore.h"

/* Random bytes of a key, before hex.  256 bits are more than any use of one needs; the upper bound
 * keeps the hex far under KEYSTORE_SECRET_MAX. */
#define DEFAULT_BYTES 32
#define MINIMUM_BYTES 8
#define MAXIMUM_BYTES 1024

static const char *const keys[] = { "!name", "bytes", NULL };

static const StepHost *need_host(const StepRun *run, GError **error)
{
	if (run->host && run->host->keystore)
		return run->host;

	fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no keystore in this run");
	return NULL;
}

static bool read_bytes(const StepRun *run, gsize *bytes, GError **error)
{
	const char *text = json_text(run->step->inputs, "bytes");
	guint64 number = DEFAULT_BYTES;

	if (text &&
	    !g_ascii_string_to_unsigned(text, 10, MINIMUM_BYTES, MAXIMUM_BYTES, &number, NULL)) {
		fault_set(error, STATUS_CONFIG, NULL, "step %s: bytes must be %d to %d, not \"%s\"",
		          run->step->id, MINIMUM_BYTES, MAXIMUM_BYTES, text);
		return false;
	}

	*bytes = (gsize)number;
	return true;
}

/* Whether the store itself has it: a variable of the environment is no key that stays.  The caller
 * holds the mutex. */
static bool has_key(Keystore *store, const char *name, bool *is_there, GError **error)
{
	*is_there = false;
	g_autoptr(GPtrArray) entries = keystore_list(store, error);
	if (!entries)
		return false;

	for (guint i = 0; i < entries->len; i++) {
		const KeystoreEntry *entry = entries->pdata[i];
		*is_there = *is_there || g_str_equal(entry->name, name);
	}
	return true;
}

/* A store that an earlier run has put the key into, and that cannot be opened now: there is nothing
 * to do that could be done better. */
static bool is_locked_but_recorded(const StepRun *run, const GError *error)
{
	return run->receipt &&
	       (g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_LOCKED) ||
	        g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_UNAVAILABLE) ||
	        g_error_matches(error, KEYSTORE_ERROR, KEYSTORE_ERROR_TIMEOUT));
}

/* A new key in another place would not fit the data that was made with the old one. */
static bool check_place(const StepRun *run, const char *name, GError **error)
{
	const json_t *result = json_object_get(run->receipt, "result");
	const char *place = json_text_or(result, "backend", "file");
	const char *profile = json_text_or(result, "profile", KEYSTORE_PROFILE_DEFAULT);
	const char *now = keystore_back_end(run->host->keystore, NULL, error);

	if (!now || !result)
		return now != NULL;
	if (!g_str_equal(profile, keystore_profile(run->host->keystore))) {
		g_autofree char *again = g_strdup_printf("Set key-profile to %s again.", profile);
		fault_set(error, STATUS_CONFIG, again, "the key %s was made in the profile %s",
		          name, profile);
		return false;
	}
	if (g_str_equal(place, now))
		return true;

	g_autofree char *hint = g_strdup_printf("Set key-backend to %s again.", place);
	fault_set(error, STATUS_CONFIG, hint,
	          "the key %s was put into %s, and key-backend is %s now", name, place, now);
	return false;
}

static bool probe_key(const StepRun *run, Probe *probe, GError **error)
{
	const StepHost *host = need_host(run, error);
	const char *name = host ? recipe_input(run, "name", error) : NULL;
	const char *seen = json_text(json_object_get(run->receipt, "result"), "peek");
	g_autoptr(GError) failure = NULL;
	bool is_there = false;

	if (!name)
		return false;

	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(host->keystore_mutex);
	g_autofree char *peek = keystore_peek(host->keystore);
	if (!check_place(run, name, error))
		return false;
	if (seen && g_strcmp0(seen, peek) == 0)
		is_there = true;
	else if (!has_key(host->keystore, name, &is_there, &failure) &&
	         !(is_there = is_locked_but_recorded(run, failure))) {
		g_propagate_prefixed_error(error, g_steal_pointer(&failure), "key %s: ", name);
		return false;
	}

	*probe = is_there ? PROBE_OURS : PROBE_ABSENT;
	return true;
}

/* A maker that was killed leaves an empty file, which the next one fills. */
static bool has_bytes(const char *path)
{
	struct stat status = { 0 };

	return lstat(path, &status) == 0 && status.st_size > 0;
}

/* Whether apply has to make a key file before it can make the store. */
static bool needs_key_file(const StepHost *host)
{
	return host->keystore_new_key_file && !keystore_exists(host->keystore) &&
	       !keystore_is_unattended(host->keystore) && !has_bytes(host->keystore_new_key_file);
}

static void add_store(json_t *recipe, const StepHost *host, const char *place)
{
	bool has_file = needs_key_file(host);
	g_autofree char *directory = g_path_get_dirname(host->keystore_path);

	recipe_add_missing_dirs(recipe, directory);
	if (has_file) {
		g_autofree char *other = g_path_get_dirname(host->keystore_new_key_file);
		if (!g_str_equal(other, directory))
			recipe_add_missing_dirs(recipe, other);
	}
	recipe_add(recipe, "keystore_delete", "path", host->keystore_path, "key_file",
	           has_file ? host->keystore_new_key_file : NULL, "backend", place, NULL);
}

static json_t *prepare_key(const StepRun *run, GError **error)
{
	const StepHost *host = need_host(run, error);
	const char *name = host ? recipe_input(run, "name", error) : NULL;
	bool is_there = false;

	if (!name)
		return NULL;

	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(host->keystore_mutex);
	const char *place = keystore_back_end(host->keystore, NULL, error);
	if (!place || !has_key(host->keystore, name, &is_there, error))
		return NULL;

	json_t *recipe = json_array();
	if (!keystore_exists(host->keystore) && host->keystore_path)
		add_store(recipe, host, place);
	if (!is_there)
		recipe_add(recipe, "key_delete", "name", name, "backend", place, "profile",
		           keystore_profile(host->keystore), NULL);
	return recipe;
}

static bool make_key_file(const StepHost *host, GError **error)
{
	if (!needs_key_file(host))
		return true;

	g_autofree char *directory = g_path_get_dirname(host->keystore_new_key_file);
	return file_make_dirs(directory, 0700, NULL, error) &&
	       keystore_make_key_file(host->keystore_new_key_file, error);
}

/* The caller holds the mutex. */
static bool make_key(const StepRun *run, const char *name, GError **error)
{
	Keystore *store = run->host->keystore;
	KeystoreNote note = { .origin = "generated" };
	gsize bytes = 0;
	bool is_there = false;

	if (!read_bytes(run, &bytes, error) || !has_key(store, name, &is_there, error))
		return false;
	if (is_there)
		return true;

	g_autoptr(GBytes) secret = secret_new_random_hex(bytes);
	return make_key_file(run->host, error) &&
	       keystore_save_noted(store, name, secret, &note, error);
}

static json_t *apply_key(const StepRun *run, GError **error)
{
	const StepHost *host = need_host(run, error);
	const char *name = host ? recipe_input(run, "name", error) : NULL;

	if (!name)
		return NULL;

	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(host->keystore_mutex);
	if (!make_key(run, name, error)) {
		g_prefix_error(error, "key %s: ", name);
		return NULL;
	}

	g_autofree char *peek = keystore_peek(host->keystore);
	return json_pack("{s:s, s:s*, s:s*, s:s}", "name", name, "backend",
	                 keystore_back_end(host->keystore, NULL, NULL), "peek", peek, "profile",
	                 keystore_profile(host->keystore));
}

const StepKind step_kind_key = {
	.name = "key",
	.verb = "generate the key",
	.keys = keys,
	.weight = 1,
	.probe = probe_key,
	.prepare = prepare_key,
	.apply = apply_key,
};
