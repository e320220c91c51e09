/* keystore/secret_session_linux.c - connects, unlocks, searches
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "keystore/secret_session.h"

#include "keystore/error.h"
#include "keystore/secret_calls.h"
#include "keystore/secret_item.h"
#include "keystore/secret_transport.h"

#define DEFAULT_TRIES 3
#define DEFAULT_PAUSE_US 100000UL

struct SecretSession {
	GDBusConnection *bus;
	SecretTransport *transport;
	SecretCalls *opening;   /* (nullable): nothing is under way */
	SecretService *service; /* (nullable): not needed yet */
};

SecretSession *secret_session_open(GError **error)
{
	SecretTransport *transport = secret_transport_new();
	GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, error);
	SecretSession *session = bus ? g_new0(SecretSession, 1) : NULL;

	if (!session)
		return NULL;
	(void)secret_error_get_quark(); /* from now on the service's errors have names */
	session->bus = bus;
	session->transport = transport;
	return session;
}

GDBusConnection *secret_session_bus(SecretSession *session)
{
	return session->bus;
}

static bool encrypts(SecretService *service)
{
	const char *algorithms = secret_service_get_session_algorithms(service);

	return !algorithms || !g_str_has_prefix(algorithms, "plain");
}

SecretService *secret_session_service(SecretSession *session, GError **error)
{
	if (!session->service)
		session->service = secret_service_open_sync(
			SECRET_TYPE_SERVICE, NULL, SECRET_SERVICE_OPEN_SESSION, NULL, error);
	if (!session->service)
		return NULL;
	if (encrypts(session->service))
		return session->service;

	g_clear_object(&session->service);
	keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
	              "the Secret Service of this session cannot encrypt what is sent to it");
	return NULL;
}

static GArray *one_call(SecretCall call)
{
	GArray *calls = secret_calls_new(1);

	g_array_index(calls, SecretCall, 0) = call;
	return calls;
}

/* The service takes a while to answer: meanwhile others are asked. */
static void begin_to_open(SecretSession *session)
{
	if (session->opening || secret_transport_path(session->transport))
		return;
	session->opening = secret_calls_begin(
		session->bus,
		one_call((SecretCall){ SECRET_SERVICE_PATH, SECRET_SERVICE_INTERFACE_NAME,
	                               "OpenSession", secret_transport_offer(session->transport),
	                               SECRET_TRANSPORT_ANSWER, NULL, NULL }));
}

static bool end_to_open(SecretSession *session, GError **error)
{
	begin_to_open(session);
	if (!session->opening)
		return true;
	g_autoptr(GArray) calls = secret_calls_end(g_steal_pointer(&session->opening));
	GVariant *answer = secret_call_answer(&g_array_index(calls, SecretCall, 0), error);

	return answer && secret_transport_accept(session->transport, answer, error);
}

/* Begins to open the session, in case it is not locked. */
static bool is_locked(SecretSession *session, const char *collection, bool *locked, GError **error)
{
	SecretCalls *under_way = secret_calls_begin(
		session->bus,
		one_call((SecretCall){
			collection, SECRET_PROPERTIES_INTERFACE_NAME, "Get",
			g_variant_new("(ss)", SECRET_COLLECTION_INTERFACE_NAME, "Locked"), "(v)",
			NULL, NULL }));
	begin_to_open(session);
	g_autoptr(GArray) calls = secret_calls_end(under_way);
	GVariant *answer = secret_call_answer(&g_array_index(calls, SecretCall, 0), error);
	g_autoptr(GVariant) value = NULL;

	if (!answer)
		return false;
	g_variant_get(answer, "(v)", &value);
	*locked =
		g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) && g_variant_get_boolean(value);
	return true;
}

bool secret_session_unlock(SecretSession *session, const char *const *paths, bool may_prompt,
                           GError **error)
{
	g_auto(GStrv) unlocked = NULL;
	g_autoptr(GError) cause = NULL;

	if (!may_prompt)
		return keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
		                     "the desktop's keyring is locked");
	SecretService *service = secret_session_service(session, error);
	if (!service)
		return false;
	if (secret_service_unlock_dbus_paths_sync(service, (const char **)(guintptr)paths, NULL,
	                                          &unlocked, &cause) > 0)
		return true;
	if (!cause)
		return keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
		                     "the desktop's keyring was not unlocked");
	g_propagate_error(error, g_steal_pointer(&cause));
	return false;
}

/* Returns: (transfer full) (nullable): what the service says once; "/" for none; NULL with @error set. */
static char *ask_default(SecretSession *session, GError **error)
{
	g_autoptr(GArray) calls = secret_calls_run(
		session->bus,
		one_call((SecretCall){ SECRET_SERVICE_PATH, SECRET_SERVICE_INTERFACE_NAME,
	                               "ReadAlias", g_variant_new("(s)", "default"), "(o)", NULL,
	                               NULL }));
	GVariant *answer = secret_call_answer(&g_array_index(calls, SecretCall, 0), error);
	const char *path = NULL;

	if (!answer)
		return NULL;
	g_variant_get(answer, "(&o)", &path);
	return g_strdup(path);
}

/* gnome-keyring of Debian 13 was seen to have none for a moment, on a busy machine, after several calls that
 * had used it; so it is asked thrice.  Returns: (transfer full): the path of the default collection. */
static char *read_default(SecretSession *session, GError **error)
{
	for (guint tries = 0; tries < DEFAULT_TRIES; tries++) {
		g_autofree char *path = ask_default(session, error);

		if (!path || !g_str_equal(path, "/"))
			return g_steal_pointer(&path);
		if (tries + 1 < DEFAULT_TRIES)
			g_usleep(DEFAULT_PAUSE_US);
	}
	keystore_fail(error, KEYSTORE_ERROR_UNAVAILABLE, NULL,
	              "the Secret Service of this session has no default keyring");
	return NULL;
}

char *secret_session_collection(SecretSession *session, bool may_prompt, GError **error)
{
	g_autofree char *path = read_default(session, error);
	const char *paths[] = { path, NULL };
	bool locked = false;

	if (!path || !is_locked(session, path, &locked, error) ||
	    (locked && !secret_session_unlock(session, paths, may_prompt, error)))
		return NULL;
	return g_steal_pointer(&path);
}

void secret_search_clear(SecretSearch *search)
{
	g_clear_pointer(&search->paths, g_strfreev);
}

GVariant *secret_search_attributes(const SecretSearch *search)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
	g_variant_builder_add(&builder, "{ss}", SECRET_ITEM_APPLICATION,
	                      SECRET_ITEM_APPLICATION_VALUE);
	if (search->profile)
		g_variant_builder_add(&builder, "{ss}", SECRET_ITEM_PROFILE, search->profile);
	if (search->name)
		g_variant_builder_add(&builder, "{ss}", SECRET_ITEM_NAME, search->name);
	return g_variant_builder_end(&builder);
}

/* @locked: (element-type utf8): what was found that cannot be used yet is added. */
static bool take_found(SecretSearch *search, SecretCall *call, GPtrArray *locked, GError **error)
{
	g_auto(GStrv) others = NULL;

	if (!secret_call_answer(call, error))
		return false;
	secret_search_clear(search);
	g_variant_get(call->answer, "(^ao^ao)", &search->paths, &others);
	for (char **path = others; !search->paths[0] && *path; path++)
		g_ptr_array_add(locked, g_strdup(*path));
	return true;
}

/* @locked: (out) (transfer full): the items of those searches that found nothing else. */
static bool search_all(SecretSession *session, SecretSearch *searches, guint count, char ***locked,
                       GError **error)
{
	g_autoptr(GArray) calls = secret_calls_new(count);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < count; i++)
		g_array_index(calls, SecretCall, i) = (SecretCall){
			SECRET_SERVICE_PATH,
			SECRET_SERVICE_INTERFACE_NAME,
			"SearchItems",
			g_variant_new("(@a{ss})", secret_search_attributes(&searches[i])),
			"(aoao)",
			NULL,
			NULL,
		};
	(void)secret_calls_run(session->bus, calls);
	for (guint i = 0; i < count; i++)
		if (!take_found(&searches[i], &g_array_index(calls, SecretCall, i), paths, error))
			return false;
	g_ptr_array_add(paths, NULL);
	*locked = g_strdupv((char **)paths->pdata);
	return true;
}

bool secret_session_search(SecretSession *session, bool may_prompt, SecretSearch *searches,
                           guint count, GError **error)
{
	g_auto(GStrv) locked = NULL;
	g_auto(GStrv) still = NULL;

	if (!search_all(session, searches, count, &locked, error))
		return false;
	if (!locked[0])
		return true;
	return secret_session_unlock(session, (const char *const *)locked, may_prompt, error) &&
	       search_all(session, searches, count, &still, error) &&
	       (!still[0] || keystore_fail(error, KEYSTORE_ERROR_LOCKED, NULL,
	                                   "the desktop's keyring is still locked"));
}

void secret_facts_clear(SecretFacts *facts)
{
	g_clear_pointer(&facts->attributes, g_hash_table_unref);
}

static void take_facts(GVariant *answer, SecretFacts *facts)
{
	g_autoptr(GVariant) properties = g_variant_get_child_value(answer, 0);
	g_autoptr(GVariantIter) attributes = NULL;
	char *key = NULL;
	char *value = NULL;

	(void)g_variant_lookup(properties, "Created", "t", &facts->created_s);
	(void)g_variant_lookup(properties, "Modified", "t", &facts->modified_s);
	facts->attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	(void)g_variant_lookup(properties, "Attributes", "a{ss}", &attributes);
	while (attributes && g_variant_iter_next(attributes, "{ss}", &key, &value))
		g_hash_table_insert(facts->attributes, key, value);
}

/* Somebody removed it after it was found. */
static bool is_gone(const GError *error)
{
	return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
	       g_error_matches(error, SECRET_ERROR, SECRET_ERROR_NO_SUCH_OBJECT);
}

bool secret_session_describe(SecretSession *session, const char *const *paths, guint count,
                             SecretFacts *facts, GError **error)
{
	g_autoptr(GArray) calls = secret_calls_new(count);

	for (guint i = 0; i < count; i++)
		g_array_index(calls, SecretCall, i) = (SecretCall){
			paths[i],  SECRET_PROPERTIES_INTERFACE_NAME,
			"GetAll",  g_variant_new("(s)", SECRET_ITEM_INTERFACE_NAME),
			"(a{sv})", NULL,
			NULL,
		};
	(void)secret_calls_run(session->bus, calls);
	for (guint i = 0; i < count; i++) {
		SecretCall *call = &g_array_index(calls, SecretCall, i);

		if (call->answer)
			take_facts(call->answer, &facts[i]);
		else if (!is_gone(call->error) && !secret_call_answer(call, error))
			return false;
	}
	return true;
}

static GHashTable *take_secrets(const SecretSession *session, GVariant *answer, GError **error)
{
	g_autoptr(GHashTable) secrets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	                                                      (GDestroyNotify)g_bytes_unref);
	g_autoptr(GVariantIter) iter = NULL;
	char *path = NULL;
	GVariant *sealed = NULL;

	g_variant_get(answer, "(a{o" SECRET_TRANSPORT_SEALED "})", &iter);
	while (g_variant_iter_next(iter, "{o@" SECRET_TRANSPORT_SEALED "}", &path, &sealed)) {
		GBytes *secret = secret_transport_read(session->transport, sealed, error);

		g_variant_unref(sealed);
		if (!secret) {
			g_free(path);
			return NULL;
		}
		g_hash_table_insert(secrets, path, secret);
	}
	return g_steal_pointer(&secrets);
}

SecretCalls *secret_session_begin_read(SecretSession *session, const char *const *paths,
                                       GError **error)
{
	if (!end_to_open(session, error))
		return NULL;
	return secret_calls_begin(
		session->bus,
		one_call((SecretCall){
			SECRET_SERVICE_PATH, SECRET_SERVICE_INTERFACE_NAME, "GetSecrets",
			g_variant_new("(^aoo)", paths, secret_transport_path(session->transport)),
			"(a{o" SECRET_TRANSPORT_SEALED "})", NULL, NULL }));
}

GHashTable *secret_session_end_read(SecretSession *session, SecretCalls *under_way, GError **error)
{
	g_autoptr(GArray) calls = secret_calls_end(under_way);
	GVariant *answer = secret_call_answer(&g_array_index(calls, SecretCall, 0), error);

	return answer ? take_secrets(session, answer, error) : NULL;
}
