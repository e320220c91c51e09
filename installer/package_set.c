/* installer/package_set.c - which packages a machine has, and what would change
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/package_set.h"

#include <string.h>

#include "base/fault.h"
#include "base/file.h"

#define RECORD_MAX_BYTES ((gsize)16 * 1024 * 1024)

static GHashTable *new_names(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

PackageSet *package_set_new(void)
{
	PackageSet *set = g_new0(PackageSet, 1);

	set->installed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	set->residue = new_names();
	set->broken = new_names();
	set->torn = new_names();
	set->automatic = new_names();
	return set;
}

void package_set_free(PackageSet *set)
{
	if (!set)
		return;
	g_hash_table_unref(set->installed);
	g_hash_table_unref(set->residue);
	g_hash_table_unref(set->broken);
	g_hash_table_unref(set->torn);
	g_hash_table_unref(set->automatic);
	g_free(set);
}

static GList *sorted_keys(GHashTable *table)
{
	return g_list_sort(g_hash_table_get_keys(table), (GCompareFunc)strcmp);
}

static json_t *names_to_json(GHashTable *names)
{
	g_autoptr(GList) keys = sorted_keys(names);
	json_t *array = json_array();

	for (GList *key = keys; key; key = key->next)
		json_array_append_new(array, json_string(key->data));
	return array;
}

json_t *package_set_to_json(const PackageSet *set)
{
	g_autoptr(GList) keys = sorted_keys(set->installed);
	json_t *installed = json_object();

	for (GList *key = keys; key; key = key->next)
		json_put(installed, key->data, g_hash_table_lookup(set->installed, key->data));

	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "schema", 1, "installed", installed,
	                 "residue", names_to_json(set->residue), "broken",
	                 names_to_json(set->broken), "automatic", names_to_json(set->automatic));
}

static void names_from_json(GHashTable *names, const json_t *array)
{
	for (gsize i = 0; i < json_array_size(array); i++) {
		const char *name = json_string_value(json_array_get(array, i));

		if (name)
			g_hash_table_add(names, g_strdup(name));
	}
}

PackageSet *package_set_from_json(const json_t *object, GError **error)
{
	json_t *installed = json_object_get(object, "installed");
	PackageSet *set;
	const char *name;
	json_t *version;

	if (!json_is_object(installed) || !json_is_array(json_object_get(object, "automatic"))) {
		fault_set(error, STATUS_DATA, NULL, "not a snapshot of packages");
		return NULL;
	}
	set = package_set_new();
	json_object_foreach(installed, name, version) g_hash_table_insert(
		set->installed, g_strdup(name),
		g_strdup(json_is_string(version) ? json_string_value(version) : ""));
	names_from_json(set->residue, json_object_get(object, "residue"));
	names_from_json(set->broken, json_object_get(object, "broken"));
	names_from_json(set->automatic, json_object_get(object, "automatic"));
	return set;
}

PackageChanges *package_changes_new(void)
{
	PackageChanges *changes = g_new0(PackageChanges, 1);

	changes->added = g_ptr_array_new_with_free_func(g_free);
	changes->upgraded = g_ptr_array_new_with_free_func(g_free);
	changes->removed = g_ptr_array_new_with_free_func(g_free);
	return changes;
}

void package_changes_free(PackageChanges *changes)
{
	if (!changes)
		return;
	g_ptr_array_unref(changes->added);
	g_ptr_array_unref(changes->upgraded);
	g_ptr_array_unref(changes->removed);
	g_free(changes);
}

PackageChanges *package_changes_between(const PackageSet *before, const PackageSet *after)
{
	PackageChanges *changes = package_changes_new();
	g_autoptr(GList) now = sorted_keys(after->installed);
	g_autoptr(GList) then = sorted_keys(before->installed);

	for (GList *name = now; name; name = name->next) {
		const char *old = g_hash_table_lookup(before->installed, name->data);
		const char *new = g_hash_table_lookup(after->installed, name->data);

		if (!old)
			g_ptr_array_add(changes->added, g_strdup(name->data));
		else if (!g_str_equal(old, new))
			g_ptr_array_add(
				changes->upgraded,
				g_strdup_printf("%s %s -> %s", (char *)name->data, old, new));
	}
	for (GList *name = then; name; name = name->next)
		if (!g_hash_table_contains(after->installed, name->data))
			g_ptr_array_add(changes->removed, g_strdup(name->data));

	return changes;
}

json_t *package_names_to_json(const GPtrArray *names)
{
	json_t *array = json_array();

	for (guint i = 0; i < names->len; i++)
		json_array_append_new(array, json_string(names->pdata[i]));
	return array;
}

void package_conffile_free(PackageConffile *conffile)
{
	if (!conffile)
		return;
	g_free(conffile->path);
	g_free(conffile->md5);
	g_free(conffile);
}

PackageRecord *package_record_new(void)
{
	PackageRecord *record = g_new0(PackageRecord, 1);

	record->asked = new_names();
	record->added = new_names();
	record->services = new_names();
	return record;
}

void package_record_free(PackageRecord *record)
{
	if (!record)
		return;
	g_hash_table_unref(record->asked);
	g_hash_table_unref(record->added);
	g_hash_table_unref(record->services);
	g_free(record);
}

PackageRecord *package_record_read(const char *path, GError **error)
{
	g_autoptr(json_t) object = json_read(path, RECORD_MAX_BYTES, error);
	PackageRecord *record;

	if (!object)
		return NULL;
	record = package_record_new();
	names_from_json(record->asked, json_object_get(object, "asked"));
	names_from_json(record->added, json_object_get(object, "added"));
	names_from_json(record->services, json_object_get(object, "services"));
	record->is_finished = json_flag(object, "finished");
	return record;
}

bool package_record_write(const PackageRecord *record, const char *path, GError **error)
{
	g_autoptr(json_t) object = json_pack(
		"{s:i, s:o, s:o, s:o, s:b}", "schema", 1, "asked", names_to_json(record->asked),
		"added", names_to_json(record->added), "services", names_to_json(record->services),
		"finished", record->is_finished);
	g_autofree char *text = json_pretty(object);

	return file_write(path, text, strlen(text), 0600, error);
}
