/* installer/handover.c - keys for the containers of a project
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/handover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/embed.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "installer/recipe.h"
#include "installer/secret_files.h"
#include "keystore/keystore.h"

/* Source: our own bound; some hundred keys. */
#define GENERATED_MAX_BYTES ((gsize)1024 * 1024)

EMBED_FILE(slipway_with_keys, "payload/with-keys.sh");

void handover_clear(Handover *it)
{
	g_free(it->directory);
	g_strfreev(it->names);
	g_clear_pointer(&it->changed, g_ptr_array_unref);
	g_clear_pointer(&it->passing, g_ptr_array_unref);
	g_clear_pointer(&it->environment, g_ptr_array_unref);
}

bool handover_prepare(const json_t *inputs, json_t *recipe, GError **error)
{
	const char *generated = json_text(json_object_get(inputs, "handover"), "directory");
	const char *project = json_text_or(inputs, "project", "");
	g_autoptr(GError) none = NULL;

	if (!generated)
		return true;

	g_autofree char *directory = secret_files_directory(project, &none);
	if (!directory && fault_status(none) != STATUS_UNAVAILABLE) {
		g_propagate_error(error, g_steal_pointer(&none));
		return false;
	}
	g_autofree char *parent = g_path_get_dirname(generated);
	recipe_add_missing_dirs(recipe, parent);
	recipe_add(recipe, "handover_remove", "generated", generated, "directory", directory, NULL);
	return true;
}

static void free_secret(gpointer secret)
{
	if (secret)
		g_bytes_unref(secret);
}

static bool miss(const json_t *key, const char *name, GError **error)
{
	g_auto(GStrv) services = json_to_strv(json_object_get(key, "services"));
	g_autofree char *users = g_strjoinv(", ", services);
	g_autofree char *hint = g_strdup_printf("Run \"slipway keys set %s\".", name);

	fault_set(error, STATUS_CONFIG, hint, "the key %s is not there, and %s cannot do without",
	          name, users);
	return false;
}

/* Whether of the keys with the word @group one is there; if not, their names, and the first of them. */
static bool has_one_of(const json_t *keys, const GPtrArray *secrets, const char *group,
                       GString *names, const char **first)
{
	for (gsize i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *name = json_text_or(key, "name", "");

		if (g_strcmp0(json_text(key, "one_of"), group) != 0)
			continue;
		if (secrets->pdata[i])
			return true;
		if (names->len == 0)
			*first = name;
		g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
	}

	return false;
}

static bool groups_are_there(const json_t *keys, const GPtrArray *secrets, GError **error)
{
	for (gsize i = 0; i < json_array_size(keys); i++) {
		const char *group = json_text(json_array_get(keys, i), "one_of");
		g_autoptr(GString) names = g_string_new(NULL);
		const char *first = NULL;

		if (!group || has_one_of(keys, secrets, group, names, &first))
			continue;
		g_autofree char *hint = g_strdup_printf("Run \"slipway keys set %s\".", first);
		fault_set(error, STATUS_CONFIG, hint,
		          "none of these keys is there, and one is needed: %s", names->str);
		return false;
	}

	return true;
}

/* Returns: (transfer container): the names of @keys. */
static const char **key_names(const json_t *keys)
{
	gsize count = json_array_size(keys);
	const char **names = g_new0(const char *, count + 1);

	for (gsize i = 0; i < count; i++)
		names[i] = json_text_or(json_array_get(keys, i), "name", "");
	return names;
}

/* The keys that there are, in the order of the hand-over: one unlock for all.  A key that is not
 * needed may be missing; any other answer than "not found" is a failure. */
static bool read_keys(const json_t *keys, const StepHost *host, GPtrArray *secrets, GError **error)
{
	g_autofree const char **names = key_names(keys);

	g_ptr_array_set_size(secrets, (int)json_array_size(keys));
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(host->keystore_mutex);
	if (!keystore_lookup_all(host->keystore, names, (GBytes **)secrets->pdata, error))
		return false;
	for (gsize i = 0; names[i]; i++) {
		const json_t *key = json_array_get(keys, i);
		if (!secrets->pdata[i] && json_flag(key, "is_needed"))
			return miss(key, names[i], error);
	}
	return groups_are_there(keys, secrets, error);
}

/* Containers were made with the files that the last keys.json names: what is missing of them is an
 * empty one. */
static void keep_places(const json_t *handover, const json_t *keys, GPtrArray *secrets)
{
	g_autofree char *file =
		g_build_filename(json_text_or(handover, "directory", "/"), "keys.json", NULL);
	g_autoptr(json_t) last = json_read(file, GENERATED_MAX_BYTES, NULL);
	const json_t *places = json_object_get(last, "secrets");

	for (guint i = 0; i < secrets->len; i++)
		if (!secrets->pdata[i] &&
		    json_object_get(places, json_text_or(json_array_get(keys, i), "name", "")))
			secrets->pdata[i] = g_bytes_new_static("", 0);
}

static GBytes *environment_entry(const char *name, GBytes *secret)
{
	gsize length = strlen(name) + 1;
	gsize size_bytes = 0;
	const void *data = g_bytes_get_data(secret, &size_bytes);
	char *entry = g_malloc(length + size_bytes + 1);

	memcpy(entry, name, length - 1);
	entry[length - 1] = '=';
	if (size_bytes > 0)
		memcpy(entry + length, data, size_bytes);
	entry[length + size_bytes] = '\0';
	return secret_new_take(entry, length + size_bytes);
}

/* Notes which keys there are, and which of them are variables of this run only. */
static void note_names(const json_t *keys, const GPtrArray *secrets, Handover *it)
{
	GPtrArray *names = g_ptr_array_new();

	for (gsize i = 0; i < secrets->len; i++) {
		const char *name = json_text_or(json_array_get(keys, i), "name", "");
		const char *variable = g_getenv(name);

		if (!secrets->pdata[i])
			continue;
		g_ptr_array_add(names, g_strdup(name));
		if (variable && *variable)
			g_ptr_array_add(it->passing, g_strdup(name));
	}
	g_ptr_array_add(names, NULL);
	it->names = (char **)g_ptr_array_free(names, FALSE);
}

static bool write_keys(const json_t *keys, const GPtrArray *secrets, Handover *it, GError **error)
{
	g_autofree const char **names = key_names(keys);

	return secret_files_write(it->directory, names, (GBytes *const *)secrets->pdata,
	                          it->changed, error);
}

static void pass_through_environment(const json_t *keys, const GPtrArray *secrets,
                                     ComposeProject *project, Handover *it)
{
	for (gsize i = 0; i < secrets->len; i++)
		if (secrets->pdata[i])
			g_ptr_array_add(
				it->environment,
				environment_entry(json_text_or(json_array_get(keys, i), "name", ""),
			                          secrets->pdata[i]));
	for (char **name = it->names; *name; name++) /* what the containers have cannot be seen */
		g_ptr_array_add(it->changed, g_strdup(*name));
	project->environment = it->environment;
}

/* Under the name that compose_project_new() expects; and the shim, which the user of any container can
 * read. */
static bool write_generated(const json_t *handover, const Handover *it, GError **error)
{
	const char *directory = json_need_text(handover, "directory", error);

	if (!directory)
		return false;

	g_autoptr(json_t) rendered =
		handover_render(handover, it->directory, (const char *const *)it->names);
	g_autofree char *text = json_pretty(rendered);
	g_autofree char *file = g_build_filename(directory, "keys.json", NULL);
	g_autofree char *shim = g_build_filename(directory, "with-keys", NULL);
	return file_make_dirs(directory, 0700, NULL, error) &&
	       file_write(file, text, strlen(text), 0600, error) &&
	       file_write(shim, slipway_with_keys_start,
	                  (gsize)(slipway_with_keys_end - slipway_with_keys_start), 0444, error);
}

/* NULL where the engine would not see them. */
static bool choose_directory(const ComposeProject *project, const json_t *record, char **directory,
                             GError **error)
{
	bool is_seen = json_text(record, "directory") != NULL;

	if (!record && !compose_sees_our_files(project, &is_seen, error))
		return false;

	is_seen = is_seen && secret_files_can_be_mounted();
	*directory = is_seen ? secret_files_directory(project->project, error) : NULL;
	return !is_seen || *directory;
}

bool handover_make(const json_t *inputs, const json_t *record, const StepHost *host,
                   ComposeProject *project, Handover *it, GError **error)
{
	const json_t *handover = json_object_get(inputs, "handover");
	const json_t *keys = json_object_get(handover, "keys");
	g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func(free_secret);

	*it = (Handover){
		.is_for_running = it->is_for_running,
		.changed = g_ptr_array_new_with_free_func(g_free),
		.passing = g_ptr_array_new_with_free_func(g_free),
		.environment = g_ptr_array_new_with_free_func(free_secret),
	};
	if (!handover)
		return true;
	if (!host || !host->keystore) {
		fault_set(error, STATUS_UNAVAILABLE, NULL, "there is no keystore in this run");
		return false;
	}
	if (!choose_directory(project, record, &it->directory, error) ||
	    !read_keys(keys, host, secrets, error))
		return false;

	if (it->is_for_running)
		keep_places(handover, keys, secrets);
	note_names(keys, secrets, it);
	if (!it->directory)
		pass_through_environment(keys, secrets, project, it);
	else if (!write_keys(keys, secrets, it, error))
		return false;
	return write_generated(handover, it, error);
}

char *handover_note(const Handover *it)
{
	if (it->names && !it->directory)
		return g_strdup(
			"the engine has a file system of its own, as that of Docker Desktop: "
			"compose has copied the keys into the containers, on whose disk they "
			"stay until the containers are removed");
	if (!it->passing || it->passing->len == 0)
		return NULL;

	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < it->passing->len; i++)
		g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
		                       (const char *)it->passing->pdata[i]);
	return g_strdup_printf(
		"variables of this shell went to the containers and are not kept, so "
		"that they are missing after a restart of the machine (%s): slipway "
		"keys set NAME keeps one",
		names->str);
}

json_t *handover_record(const Handover *it)
{
	json_t *record = json_object();

	json_put(record, "directory", it->directory);
	json_object_set_new(record, "names", json_from_strv((const char *const *)it->names));
	return record;
}

bool handover_is_there(const json_t *record)
{
	const char *directory = json_text(record, "directory");
	g_auto(GStrv) names = json_to_strv(json_object_get(record, "names"));

	return !directory || secret_files_are_there(directory, (const char *const *)names);
}

bool handover_forget(const json_t *inputs, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *directory =
		secret_files_directory(json_text_or(inputs, "project", ""), &cause);

	if (!json_object_get(inputs, "handover"))
		return true;
	if (!directory && fault_status(cause) == STATUS_UNAVAILABLE)
		return true; /* no place in memory: none were written */
	if (directory)
		return secret_files_remove(directory, error);
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

/* The generated files and what a killed writer left of them; nothing else that is there. */
static bool remove_generated(const char *directory, GError **error)
{
	g_autoptr(GDir) list = g_dir_open(directory, 0, NULL);

	for (const char *name = NULL; list && (name = g_dir_read_name(list));) {
		g_autofree char *path = g_build_filename(directory, name, NULL);
		bool is_left = name[0] == '.' && g_str_has_suffix(name, ".tmp");

		if ((is_left || g_str_equal(name, "keys.json") || g_str_equal(name, "with-keys")) &&
		    !file_remove(path, error))
			return false;
	}
	if (rmdir(directory) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST)
		return true;

	fault_set_errno(error, errno, "cannot remove the directory %s", directory);
	return false;
}

bool handover_undo(const json_t *primitive, GError **error)
{
	const char *directory = json_text(primitive, "directory");
	const char *generated = json_need_text(primitive, "generated", error);

	return generated && (!directory || secret_files_remove(directory, error)) &&
	       remove_generated(generated, error);
}
