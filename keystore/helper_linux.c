/* keystore/helper_linux.c - the helper: requests on stdin, the Secret Service through libsecret
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/helper.h"

#define SECRET_API_SUBJECT_TO_CHANGE 1
#include <libsecret/secret.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "keystore/body.h"
#include "keystore/error.h"
#include "keystore/message.h"
#include "keystore/secret_item.h"

#define PLAIN_TEXT "text/plain"
#define OTHER_BYTES "application/octet-stream"

/** The items that have the attributes of a request. */
typedef struct {
	char **unlocked;
	char **locked;
} Found;

static void found_clear(Found *found)
{
	g_clear_pointer(&found->unlocked, g_strfreev);
	g_clear_pointer(&found->locked, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

bool keystore_is_helper(int argc, char **argv)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return argc == 2 && strcmp(argv[1], HELPER_ARGUMENT) == 0 &&
	       getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

/* The main thread may wait for a dialog; this one sees that nobody wants the answer any more. */
static gpointer watch_parent(gpointer data)
{
	struct pollfd parent = { .fd = STDIN_FILENO };

	for (;;)
		if (poll(&parent, 1, -1) > 0 && parent.revents)
			_exit(0);
	return data;
}

/* Encrypted on its way over the bus, or not at all. */
static SecretService *connect_service(GError **error)
{
	SecretService *service = secret_service_open_sync(SECRET_TYPE_SERVICE, NULL,
	                                                  SECRET_SERVICE_OPEN_SESSION, NULL, error);
	const char *algorithms = service ? secret_service_get_session_algorithms(service) : NULL;

	if (!service || (algorithms && !g_str_has_prefix(algorithms, "plain")))
		return service;
	g_object_unref(service);
	keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
	              "the Secret Service of this session cannot encrypt what is sent to it");
	return NULL;
}

/* @name: (nullable): all keys. */
static GHashTable *attributes_of(const char *name)
{
	GHashTable *attributes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	g_hash_table_insert(attributes, (gpointer)(guintptr)SECRET_ITEM_APPLICATION,
	                    g_strdup(SECRET_ITEM_APPLICATION_VALUE));
	g_hash_table_insert(attributes, (gpointer)(guintptr)SECRET_ITEM_PROFILE,
	                    g_strdup(SECRET_ITEM_PROFILE_VALUE));
	if (name)
		g_hash_table_insert(attributes, (gpointer)(guintptr)SECRET_ITEM_NAME,
		                    g_strdup(name));
	return attributes;
}

static bool search(SecretService *service, const char *name, Found *found, GError **error)
{
	g_autoptr(GHashTable) attributes = attributes_of(name);

	found_clear(found);
	return secret_service_search_for_dbus_paths_sync(service, NULL, attributes, NULL,
	                                                 &found->unlocked, &found->locked, error);
}

/* Returns: (transfer full): the path of the default collection; NULL with UNAVAILABLE set. */
static char *default_collection(SecretService *service, GError **error)
{
	char *path = secret_service_read_alias_dbus_path_sync(service, "default", NULL, error);

	if (!path && (!error || !*error))
		keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
		              "the Secret Service of this session has no default keyring");
	return path;
}

static bool is_locked(SecretService *service, const char *collection, bool *locked, GError **error)
{
	g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
		g_dbus_proxy_get_connection(G_DBUS_PROXY(service)), SECRET_BUS_NAME, collection,
		"org.freedesktop.DBus.Properties", "Get",
		g_variant_new("(ss)", SECRET_COLLECTION_INTERFACE_NAME, "Locked"),
		G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
	g_autoptr(GVariant) value = NULL;

	if (!answer)
		return false;
	g_variant_get(answer, "(v)", &value);
	*locked =
		g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) && g_variant_get_boolean(value);
	return true;
}

/* Lets the service ask the user.  Blocks for as long as they take. */
static bool unlock(SecretService *service, const char *path, bool may_prompt, GError **error)
{
	const char *paths[] = { path, NULL };
	g_auto(GStrv) unlocked = NULL;
	g_autoptr(GError) cause = NULL;

	if (!may_prompt)
		return keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
		                     "the desktop's keyring is locked");
	if (secret_service_unlock_dbus_paths_sync(service, paths, NULL, &unlocked, &cause) > 0)
		return true;
	if (!cause)
		return keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
		                     "the desktop's keyring was not unlocked");
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

/* Makes the default collection one that can be used now.
 * Returns: (transfer full): its path. */
static char *open_default(SecretService *service, bool may_prompt, GError **error)
{
	g_autofree char *collection = default_collection(service, error);
	bool locked = false;

	if (!collection || !is_locked(service, collection, &locked, error) ||
	    (locked && !unlock(service, collection, may_prompt, error)))
		return NULL;
	return g_steal_pointer(&collection);
}

/* Finds the items of @name (nullable: all of ours) that can be used now.  The keyring is opened first:
 * what is locked in it may not be shown at all, so that nothing would not be nothing, and KeePassXC
 * opens a dialog by itself when it is searched while it is locked. */
static bool find(SecretService *service, const char *name, bool may_prompt, Found *found,
                 GError **error)
{
	g_autofree char *collection = open_default(service, may_prompt, error);

	if (!collection || !search(service, name, found, error))
		return false;
	if (found->unlocked[0] || !found->locked[0])
		return true;
	return unlock(service, found->locked[0], may_prompt, error) &&
	       search(service, name, found, error) &&
	       (found->unlocked[0] || !found->locked[0] ||
	        keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
	                      "the desktop's keyring is still locked"));
}

static SecretItem *load_item(SecretService *service, const char *path, GError **error)
{
	return secret_item_new_for_dbus_path_sync(service, path, SECRET_ITEM_NONE, NULL, error);
}

/* Of several items with the same attributes (other tools can make them) the newest counts. */
static char *newest(SecretService *service, char **paths, GError **error)
{
	const char *best = paths[0];
	guint64 best_s = 0;

	for (char **path = paths; paths[1] && *path; path++) {
		g_autoptr(SecretItem) item = load_item(service, *path, error);
		if (!item)
			return NULL;
		if (secret_item_get_modified(item) > best_s) {
			best_s = secret_item_get_modified(item);
			best = *path;
		}
	}
	return g_strdup(best);
}

/* Returns: (transfer full): the path of the item; NULL with NOT_FOUND or another error set. */
static char *find_one(SecretService *service, const Message *request, GError **error)
{
	g_auto(Found) found = { 0 };
	bool may_prompt = request->code & MESSAGE_MAY_PROMPT;

	if (!find(service, request->text, may_prompt, &found, error))
		return NULL;
	if (found.unlocked[0])
		return newest(service, found.unlocked, error);
	keystore_fail(error, KEYSTORE_ERROR_NOT_FOUND, NULL, "there is no such key");
	return NULL;
}

static GBytes *read_secret(SecretService *service, const char *path, GError **error)
{
	SecretValue *value =
		secret_service_get_secret_for_dbus_path_sync(service, path, NULL, error);
	gsize size = 0;
	const char *data = value ? secret_value_get(value, &size) : NULL;
	GBytes *secret = NULL;

	if (data && body_secret_is_valid(data, size))
		secret = secret_new(data, size);
	else if (!error || !*error)
		keystore_fail(error, KEYSTORE_ERROR_CORRUPT, NULL,
		              "what the keyring has there cannot be a key (%" G_GSIZE_FORMAT
		              " bytes)",
		              size);
	if (value)
		secret_value_unref(value);
	return secret;
}

static bool serve_lookup(SecretService *service, const Message *request, Message *answer,
                         GError **error)
{
	g_autofree char *path = find_one(service, request, error);
	g_autoptr(GError) cause = NULL;

	if (!path)
		return false;
	answer->secret = read_secret(service, path, &cause);

	/* Some services want to be asked for each item, and show it as unlocked before. */
	if (g_error_matches(cause, SECRET_ERROR, SECRET_ERROR_IS_LOCKED) &&
	    (request->code & MESSAGE_MAY_PROMPT) && unlock(service, path, true, NULL)) {
		g_clear_error(&cause);
		answer->secret = read_secret(service, path, &cause);
	}
	if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	return answer->secret != NULL;
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
static bool replace(SecretService *service, const char *path, GBytes *secret, GError **error)
{
	g_autoptr(GBytes) before = read_secret(service, path, NULL);
	g_autoptr(SecretItem) item = load_item(service, path, error);

	if (!item || (before && g_bytes_equal(before, secret)))
		return item != NULL;
	SecretValue *value = value_of(secret);
	bool is_set = secret_item_set_secret_sync(item, value, NULL, error);
	secret_value_unref(value);
	return is_set;
}

static bool create(SecretService *service, const Message *request, GError **error)
{
	bool may_prompt = request->code & MESSAGE_MAY_PROMPT;
	g_autofree char *collection = open_default(service, may_prompt, error);
	g_autoptr(GHashTable) attributes = attributes_of(request->text);
	g_autofree char *label =
		g_strdup_printf("slipway: %s (%s)", request->text, SECRET_ITEM_PROFILE_VALUE);

	if (!collection)
		return false;
	SecretCollection *place = secret_collection_new_for_dbus_path_sync(
		service, collection, SECRET_COLLECTION_NONE, NULL, error);
	if (!place)
		return false;
	SecretValue *value = value_of(request->secret);
	SecretItem *item = secret_item_create_sync(place, NULL, attributes, label, value,
	                                           SECRET_ITEM_CREATE_REPLACE, NULL, error);
	secret_value_unref(value);
	g_object_unref(place);
	if (!item)
		return false;
	g_object_unref(item);
	return true;
}

static bool serve_save(SecretService *service, const Message *request,
                       Message *answer G_GNUC_UNUSED, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *path = find_one(service, request, &cause);

	if (path)
		return replace(service, path, request->secret, error);
	if (g_error_matches(cause, KEYSTORE_ERROR, KEYSTORE_ERROR_NOT_FOUND))
		return create(service, request, error);
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

static bool serve_remove(SecretService *service, const Message *request,
                         Message *answer G_GNUC_UNUSED, GError **error)
{
	g_auto(Found) found = { 0 };

	if (!find(service, request->text, request->code & MESSAGE_MAY_PROMPT, &found, error))
		return false;
	if (!found.unlocked[0])
		return keystore_fail(error, KEYSTORE_ERROR_NOT_FOUND, NULL, "there is no such key");
	for (char **path = found.unlocked; *path; path++)
		if (!secret_service_delete_item_dbus_path_sync(service, *path, NULL, error))
			return false;
	return true;
}

static bool add_line(SecretService *service, const char *path, GHashTable *seen, GString *lines,
                     GError **error)
{
	g_autoptr(SecretItem) item = load_item(service, path, error);
	g_autoptr(GHashTable) attributes = item ? secret_item_get_attributes(item) : NULL;
	const char *name = attributes ? g_hash_table_lookup(attributes, SECRET_ITEM_NAME) : NULL;

	if (!item)
		return false;
	if (!name || !body_name_is_valid(name) || !g_hash_table_add(seen, g_strdup(name)))
		return true;
	g_string_append_printf(lines, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", name,
	                       secret_item_get_created(item), secret_item_get_modified(item));
	return true;
}

static bool serve_list(SecretService *service, const Message *request, Message *answer,
                       GError **error)
{
	g_auto(Found) found = { 0 };
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (!find(service, NULL, request->code & MESSAGE_MAY_PROMPT, &found, error))
		return false;
	for (char **path = found.unlocked; *path; path++)
		if (!add_line(service, *path, seen, lines, error))
			return false;
	answer->text = g_strdup(lines->str);
	return true;
}

static KeystoreError code_of(const GError *error)
{
	if (error->domain == KEYSTORE_ERROR)
		return (KeystoreError)error->code;
	if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
		return KEYSTORE_ERROR_LOCKED;
	if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
		return KEYSTORE_ERROR_DENIED;
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
	    g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
	    g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT) ||
	    g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT))
		return KEYSTORE_ERROR_TIMEOUT;
	return KEYSTORE_ERROR_UNAVAILABLE;
}

static void set_failure(Message *answer, GError *error)
{
	bool is_ours = error->domain == KEYSTORE_ERROR;

	(void)g_dbus_error_strip_remote_error(error);
	message_clear(answer);
	answer->code = (guint32)code_of(error) + 1;
	answer->text = is_ours ? g_strdup(error->message)
	                       : g_strdup_printf("the desktop's keyring cannot be used: %s",
	                                         error->message);
}

static bool serve(SecretService *service, const Message *request, Message *answer, GError **error)
{
	static bool (*const servants[])(SecretService *, const Message *, Message *, GError **) = {
		[MESSAGE_LOOKUP] = serve_lookup,
		[MESSAGE_SAVE] = serve_save,
		[MESSAGE_REMOVE] = serve_remove,
		[MESSAGE_LIST] = serve_list,
	};
	guint32 index = request->code & ~MESSAGE_MAY_PROMPT;

	if (index == 0 || index >= G_N_ELEMENTS(servants) ||
	    (index == MESSAGE_SAVE && !request->secret))
		return keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
		                     "the keyring helper does not know the request %u", index);
	return servants[index](service, request, answer, error);
}

int keystore_helper_main(void)
{
	SecretService *service = NULL;
	g_auto(Message) request = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	(void)g_thread_unref(g_thread_new("parent", watch_parent, NULL));
	while (message_read(STDIN_FILENO, -1, &request, NULL)) {
		g_auto(Message) answer = { 0 };
		g_autoptr(GError) error = NULL;

		if (!service)
			service = connect_service(&error);
		if (!service || !serve(service, &request, &answer, &error))
			set_failure(&answer, error);
		message_clear(&request);
		if (!message_write(STDIN_FILENO, &answer, NULL))
			break;
	}
	g_clear_object(&service);
	return 0;
}
