/* keystore/helper_linux.c - in the helper: keys as items of the Secret Service
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/helper_private.h"

#include <string.h>

#include "keystore/body.h"
#include "keystore/note_text.h"
#include "keystore/secret_calls.h"
#include "keystore/secret_item.h"
#include "keystore/secret_session.h"

#define PLAIN_TEXT "text/plain"
#define OTHER_BYTES "application/octet-stream"

/** The item of a key. */
typedef struct {
	char *path; /* NULL: there is none */
	SecretFacts facts;
} Place;

static void place_clear(Place *place)
{
	g_clear_pointer(&place->path, g_free);
	secret_facts_clear(&place->facts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* By its name, for emulators know no other way; by /proc where another version has that name by now. */
char *helper_self_path(void)
{
	char *path = g_file_read_link("/proc/self/exe", NULL);

	if (path && g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
		return path;
	g_free(path);
	return g_strdup("/proc/self/exe");
}

static gpointer keyring_open(GError **error)
{
	return secret_session_open(error);
}

static void note_of(const SecretFacts *facts, KeystoreNote *note)
{
	const char *text =
		facts->attributes ? g_hash_table_lookup(facts->attributes, SECRET_ITEM_NOTE) : NULL;

	note_from_text(text ? text : "", note);
	if (note->created_s == 0)
		note->created_s = (gint64)facts->created_s;
	if (note->changed_s == 0)
		note->changed_s = (gint64)facts->modified_s;
}

/* Of several items with the same attributes (other tools can make them) the newest counts. */
static void take_newest(char **paths, SecretFacts *facts, Place *place)
{
	for (guint i = 0; paths[i]; i++) {
		if (!facts[i].attributes ||
		    (place->path && facts[i].modified_s <= place->facts.modified_s))
			continue;
		place_clear(place);
		place->path = g_strdup(paths[i]);
		place->facts = facts[i];
		facts[i] = (SecretFacts){ 0 };
	}
}

/* Returns: (transfer full): the items that all searches found, one after the other; NULL at the end. */
static GPtrArray *paths_of(const SecretSearch *searches, guint count)
{
	GPtrArray *paths = g_ptr_array_new();

	for (guint i = 0; i < count; i++)
		for (char **path = searches[i].paths; *path; path++)
			g_ptr_array_add(paths, *path);
	g_ptr_array_add(paths, NULL);
	return paths;
}

/* @places: (out): as many as @searches. */
static bool choose_all(SecretSession *session, const SecretSearch *searches, guint count,
                       Place *places, GError **error)
{
	g_autoptr(GPtrArray) paths = paths_of(searches, count);
	g_autofree SecretFacts *facts = g_new0(SecretFacts, paths->len);
	bool is_done = secret_session_describe(session, (const char *const *)paths->pdata,
	                                       paths->len - 1, facts, error);

	for (guint i = 0, next = 0; is_done && i < count; i++) {
		take_newest(searches[i].paths, facts + next, &places[i]);
		next += g_strv_length(searches[i].paths);
	}
	for (guint i = 0; i + 1 < paths->len; i++)
		secret_facts_clear(&facts[i]);
	return is_done;
}

static bool search_all(SecretSession *session, bool may_prompt, SecretSearch *searches, guint count,
                       GError **error)
{
	g_autofree char *collection = secret_session_collection(session, may_prompt, error);

	return collection && secret_session_search(session, may_prompt, searches, count, error);
}

static bool find_one(SecretSession *session, bool may_prompt, const BackEndChange *change,
                     Place *place, GError **error)
{
	SecretSearch search = { change->profile, change->name, NULL };
	bool is_found = search_all(session, may_prompt, &search, 1, error) &&
	                choose_all(session, &search, 1, place, error);

	secret_search_clear(&search);
	return is_found;
}

/* Returns: (transfer full): path -> secret, of those that the service gives out; NULL with an error set. */
static GHashTable *end_read(SecretSession *session, SecretCalls *under_way, GError **error)
{
	g_autoptr(GError) cause = NULL;
	GHashTable *secrets = secret_session_end_read(session, under_way, &cause);

	if (g_error_matches(cause, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
		return g_hash_table_new(g_str_hash, g_str_equal);
	if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	return secrets;
}

/* Sets the secrets of @items.
 * Returns: (transfer none) (nullable): the path of one that the service keeps back. */
static const char *take_secrets(GHashTable *secrets, const Place *places, BackEndItem *items,
                                guint count)
{
	for (guint i = 0; i < count; i++) {
		GBytes *secret =
			places[i].path ? g_hash_table_lookup(secrets, places[i].path) : NULL;

		if (places[i].path && !secret)
			return places[i].path;
		if (secret && !items[i].secret)
			items[i].secret = g_bytes_ref(secret);
	}
	return NULL;
}

/* Where nothing has to be chosen and no note is wanted, the items need not be described. */
static bool take_only(const SecretSearch *searches, const BackEndItem *items, guint count,
                      Place *places)
{
	for (guint i = 0; i < count; i++)
		if (!items[i].secret_only || (searches[i].paths[0] && searches[i].paths[1]))
			return false;
	for (guint i = 0; i < count; i++)
		if (!places[i].path)
			places[i].path = g_strdup(searches[i].paths[0]);
	return true;
}

/* What is found: places and secrets, asked for at the same time. */
static GHashTable *load(SecretSession *session, const SecretSearch *searches,
                        const BackEndItem *items, guint count, Place *places, GError **error)
{
	g_autoptr(GPtrArray) paths = paths_of(searches, count);

	if (paths->len == 1)
		return g_hash_table_new(g_str_hash, g_str_equal);
	SecretCalls *under_way =
		secret_session_begin_read(session, (const char *const *)paths->pdata, error);
	if (!under_way)
		return NULL;
	bool is_chosen = take_only(searches, items, count, places) ||
	                 choose_all(session, searches, count, places, error);
	g_autoptr(GHashTable) secrets = end_read(session, under_way, is_chosen ? error : NULL);
	return is_chosen ? g_steal_pointer(&secrets) : NULL;
}

/* Some services want to be asked for each item, and show it as unlocked before. */
static bool load_all(SecretSession *session, bool may_prompt, const SecretSearch *searches,
                     guint count, BackEndItem *items, GError **error)
{
	bool is_done = false;
	g_autofree Place *places = g_new0(Place, count + 1);

	for (guint attempt = 0; !is_done && attempt <= count; attempt++) {
		g_autoptr(GHashTable) secrets =
			load(session, searches, items, count, places, error);
		const char *locked = secrets ? take_secrets(secrets, places, items, count) : NULL;
		const char *paths[] = { locked, NULL };

		is_done = secrets && !locked;
		if (!secrets ||
		    (locked && !secret_session_unlock(session, paths, may_prompt, error)))
			break;
	}
	for (guint i = 0; i < count; i++) {
		note_of(&places[i].facts, &items[i].note);
		place_clear(&places[i]);
	}
	if (!is_done && error && !*error)
		keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
		              "the desktop's keyring is still locked");
	return is_done;
}

static bool keyring_read(gpointer session, bool may_prompt, BackEndItem *items, guint count,
                         GError **error)
{
	g_autofree SecretSearch *searches = g_new0(SecretSearch, count + 1);

	for (guint i = 0; i < count; i++) {
		searches[i].profile = items[i].profile;
		searches[i].name = items[i].name;
	}
	bool is_read = search_all(session, may_prompt, searches, count, error) &&
	               load_all(session, may_prompt, searches, count, items, error);
	for (guint i = 0; i < count; i++)
		secret_search_clear(&searches[i]);
	return is_read;
}

static SecretValue *value_of(GBytes *secret)
{
	gsize size = 0;
	const char *data = g_bytes_get_data(secret, &size);

	return secret_value_new(data, (gssize)size,
	                        g_utf8_validate(data, (gssize)size, NULL) ? PLAIN_TEXT
	                                                                  : OTHER_BYTES);
}

/* One call, in which the service puts the new value in the place of the old one, or does not. */
static bool replace(SecretSession *session, const char *path, GBytes *secret, GError **error)
{
	SecretService *service = secret_session_service(session, error);
	g_autoptr(SecretItem) item = service ? secret_item_new_for_dbus_path_sync(
						       service, path, SECRET_ITEM_NONE, NULL, error)
	                                     : NULL;

	if (!item)
		return false;
	SecretValue *value = value_of(secret);
	bool is_set = secret_item_set_secret_sync(item, value, NULL, error);
	secret_value_unref(value);
	return is_set;
}

/* Returns: (transfer full): what a search for the key finds. */
static GHashTable *attributes_of(const BackEndChange *change)
{
	const char *const words[][2] = {
		{ SECRET_ITEM_APPLICATION, SECRET_ITEM_APPLICATION_VALUE },
		{ SECRET_ITEM_PROFILE, change->profile },
		{ SECRET_ITEM_NAME, change->name },
	};
	GHashTable *attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		g_hash_table_insert(attributes, g_strdup(words[i][0]), g_strdup(words[i][1]));
	return attributes;
}

static char *label_of(const BackEndChange *change)
{
	if (strcmp(change->profile, KEYSTORE_PROFILE_OWN) == 0)
		return g_strdup_printf("slipway: %s, its own", change->name);
	return g_strdup_printf("slipway: %s (%s)", change->name, change->profile);
}

static SecretItem *create_in(SecretCollection *collection, const BackEndChange *change,
                             GError **error)
{
	g_autoptr(GHashTable) attributes = attributes_of(change);
	g_autofree char *label = label_of(change);
	SecretValue *value = value_of(change->secret);
	SecretItem *item = secret_item_create_sync(collection, NULL, attributes, label, value,
	                                           SECRET_ITEM_CREATE_REPLACE, NULL, error);

	secret_value_unref(value);
	return item;
}

/* Returns: (transfer full): the path of the new item. */
static char *create(SecretSession *session, bool may_prompt, const BackEndChange *change,
                    GError **error)
{
	g_autofree char *path = secret_session_collection(session, may_prompt, error);
	SecretService *service = path ? secret_session_service(session, error) : NULL;
	g_autoptr(SecretCollection) collection =
		service ? secret_collection_new_for_dbus_path_sync(
				  service, path, SECRET_COLLECTION_NONE, NULL, error)
			: NULL;
	g_autoptr(SecretItem) item = collection ? create_in(collection, change, error) : NULL;

	return item ? g_strdup(g_dbus_proxy_get_object_path(G_DBUS_PROXY(item))) : NULL;
}

/* @attributes: that the item has; the note becomes one of them. */
static bool set_note(SecretSession *session, const char *path, GHashTable *attributes,
                     const KeystoreNote *note, GError **error)
{
	g_autoptr(GArray) calls = secret_calls_new(1);
	SecretCall *call = &g_array_index(calls, SecretCall, 0);
	GVariantBuilder builder;
	GHashTableIter iter;
	gpointer key = NULL;
	gpointer value = NULL;

	g_hash_table_insert(attributes, g_strdup(SECRET_ITEM_NOTE), note_to_text(note));
	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
	g_hash_table_iter_init(&iter, attributes);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_variant_builder_add(&builder, "{ss}", key, value);
	*call = (SecretCall){ path,
		              SECRET_PROPERTIES_INTERFACE_NAME,
		              "Set",
		              g_variant_new("(ssv)", SECRET_ITEM_INTERFACE_NAME, "Attributes",
		                            g_variant_builder_end(&builder)),
		              "()",
		              NULL,
		              NULL };
	(void)secret_calls_run(secret_session_bus(session), calls);
	return secret_call_answer(call, error) != NULL;
}

/* The key is safe once the secret is there: a service that keeps no note is good enough. */
static bool save(SecretSession *session, bool may_prompt, const BackEndChange *change, Place *place,
                 GError **error)
{
	g_autoptr(GHashTable) attributes =
		place->path ? g_hash_table_ref(place->facts.attributes) : attributes_of(change);
	g_autoptr(GError) ignored = NULL;

	if (place->path && !replace(session, place->path, change->secret, error))
		return false;
	if (!place->path)
		place->path = create(session, may_prompt, change, error);
	if (!place->path)
		return false;
	if (!set_note(session, place->path, attributes, &change->note, &ignored))
		g_message("the keyring keeps no note on an item: %s", ignored->message);
	return true;
}

static bool update_note(SecretSession *session, const BackEndChange *change, Place *place,
                        GError **error)
{
	KeystoreNote note = { 0 };

	note_of(&place->facts, &note);
	memcpy(note.origin, change->note.origin, sizeof(note.origin));
	note.expires_s = change->note.expires_s;
	note.verified_s = change->note.verified_s;
	return set_note(session, place->path, place->facts.attributes, &note, error);
}

static bool remove_all(SecretSession *session, bool may_prompt, const BackEndChange *change,
                       GError **error)
{
	SecretSearch search = { change->profile, change->name, NULL };

	if (!secret_session_search(session, may_prompt, &search, 1, error))
		return false;
	g_auto(GStrv) paths = search.paths;
	SecretService *service = secret_session_service(session, error);
	if (!service)
		return false;
	for (char **path = paths; *path; path++)
		if (!secret_service_delete_item_dbus_path_sync(service, *path, NULL, error))
			return false;
	return true;
}

static bool keyring_change(gpointer session, bool may_prompt, const BackEndChange *change,
                           GError **error)
{
	g_auto(Place) place = { 0 };

	if (!find_one(session, may_prompt, change, &place, error))
		return false;
	if (change->action == BACK_END_ADD && place.path)
		return keystore_fail(error, KEYSTORE_ERROR_EXISTS, NULL,
		                     "there is a key named %s already", change->name);
	if (change->secret)
		return save(session, may_prompt, change, &place, error);
	if (!place.path)
		return back_end_not_found(change->name, error);
	return change->action == BACK_END_NOTE ? update_note(session, change, &place, error)
	                                       : remove_all(session, may_prompt, change, error);
}

/* Returns: (transfer full) (nullable): the key that an item is, if it is one. */
static KeystoreEntry *entry_of(const SecretFacts *facts)
{
	const char *profile = facts->attributes
	                              ? g_hash_table_lookup(facts->attributes, SECRET_ITEM_PROFILE)
	                              : NULL;
	const char *name =
		profile ? g_hash_table_lookup(facts->attributes, SECRET_ITEM_NAME) : NULL;

	if (!name || !body_name_is_valid(name) ||
	    !(body_profile_is_valid(profile) || strcmp(profile, KEYSTORE_PROFILE_OWN) == 0))
		return NULL;
	KeystoreEntry *entry = g_new0(KeystoreEntry, 1);
	entry->profile = g_strdup(profile);
	entry->name = g_strdup(name);
	note_of(facts, &entry->note);
	return entry;
}

/* Those that stand twice, once: the newest. */
static void add_entry(GHashTable *seen, GPtrArray *entries, const SecretFacts *facts)
{
	KeystoreEntry *entry = entry_of(facts);
	char *key = entry ? g_strdup_printf("%s/%s", entry->profile, entry->name) : NULL;
	KeystoreEntry *other = key ? g_hash_table_lookup(seen, key) : NULL;

	if (other && other->note.changed_s < entry->note.changed_s)
		other->note = entry->note;
	if (!entry || other) {
		keystore_entry_free(entry);
		g_free(key);
		return;
	}
	g_ptr_array_add(entries, entry);
	g_hash_table_insert(seen, key, entry);
}

static GPtrArray *list_found(SecretSession *session, char **paths, GError **error)
{
	guint count = g_strv_length(paths);
	g_autofree SecretFacts *facts = g_new0(SecretFacts, count + 1);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *entries = NULL;

	if (secret_session_describe(session, (const char *const *)paths, count, facts, error))
		entries = g_ptr_array_new_with_free_func((GDestroyNotify)keystore_entry_free);
	for (guint i = 0; i < count; i++) {
		if (entries)
			add_entry(seen, entries, &facts[i]);
		secret_facts_clear(&facts[i]);
	}
	return entries;
}

static GPtrArray *keyring_list(gpointer session, bool may_prompt, GError **error)
{
	g_autofree char *collection = secret_session_collection(session, may_prompt, error);
	SecretSearch search = { 0 };
	GPtrArray *entries = NULL;

	if (collection && secret_session_search(session, may_prompt, &search, 1, error))
		entries = list_found(session, search.paths, error);
	secret_search_clear(&search);
	return entries;
}

static KeystoreError keyring_judge(GError *error)
{
	(void)g_dbus_error_strip_remote_error(error);
	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
		return KEYSTORE_ERROR_LOCKED;
	if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
		return KEYSTORE_ERROR_DENIED;
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
	    g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT) ||
	    g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT))
		return KEYSTORE_ERROR_TIMEOUT;
	return KEYSTORE_ERROR_UNAVAILABLE;
}

const HelperKeyring helper_keyring = {
	.open = keyring_open,
	.read = keyring_read,
	.change = keyring_change,
	.list = keyring_list,
	.judge = keyring_judge,
};
